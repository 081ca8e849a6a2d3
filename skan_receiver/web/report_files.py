"""A report's rows as a file to download, the same from a page and from the API."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask.wrappers import Response

from skan_receiver.reports.formats import as_csv, as_parquet

KINDS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def report_file(
    name: str, form: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> Response:
    """All rows, as one of KINDS. Raises ConfigurationError where it needs what is not there."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    content = _content(form, columns, rows)
    return Response(content, content_type=KINDS[form], headers=disposition)


def _content(form: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str | bytes:
    if form == "parquet":
        return as_parquet(columns, rows)
    return as_csv(columns, ([row[name] for name in columns] for row in rows))
