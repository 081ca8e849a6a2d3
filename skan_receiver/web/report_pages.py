"""`/reports`: every report with its chart, its rows, and files of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from werkzeug.exceptions import Forbidden, NotFound

from skan_receiver.errors import ConfigurationError
from skan_receiver.reports import REPORTS, Question, Report, Unanswerable
from skan_receiver.web.access import limits
from skan_receiver.web.asking import Asking
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.report_files import report_file
from skan_receiver.web.services import services
from skan_receiver.web.vendored import LIBRARIES

SHOWN = 500  # rows on a page; the files have all of them
DRAWN = 5_000  # rows in a chart: a browser draws no more in a moment

bp = page_blueprint("reports", __name__, url_prefix="/reports")

Rows = Sequence[Mapping[str, Any]]


@bp.get("")
def contents() -> ResponseReturnValue:
    """The reports there are."""
    return render_template("reports.html", reports=REPORTS)


@bp.get("/<name>")
def report(name: str) -> ResponseReturnValue:
    """A report: the form, the chart, the rows."""
    report = _report(name)
    asking, rows = _answered(report)
    by = asking.question.by if asking.question else report.usually
    chart = report.chart(rows[:DRAWN], by) if rows else None
    page = render_template(
        "report.html",
        name=name,
        report=report,
        asking=asking,
        by=by,
        columns=report.columns(by),
        rows=rows,
        shown=SHOWN,
        drawn=DRAWN,
        chart=chart,
        libraries=LIBRARIES if chart else (),
        cell=cell,
    )
    return page, 422 if asking.wrong else 200


@bp.get("/<name>.<any(csv, parquet):form>")
def file(name: str, form: str) -> ResponseReturnValue:
    """All its rows as a file."""
    report = _report(name)
    asking, rows = _answered(report)
    if asking.question is None:
        return _refused("; ".join(f"{field}: {what}" for field, what in asking.wrong.items()))
    columns = report.columns(asking.question.by)
    try:
        return report_file(name, form, columns, rows)
    except ConfigurationError as error:
        return _refused(str(error))


def _refused(why: str) -> Response:
    """As plain text: it repeats what was typed, which must not be read as HTML."""
    return Response(why, 422, content_type="text/plain; charset=utf-8")


def cell(name: str, value: Any) -> str:
    """A value as a person reads it; absent is a dash."""
    if value is None or value == ():
        return "–"
    if isinstance(value, tuple | list):
        return "; ".join(_said(one) for one in value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date | str):
        return str(value)
    if isinstance(value, float):
        return f"{value:.1%}" if name.endswith("share") else f"{value:,.2f}"
    return str(value) if name.endswith("_id") or name in ("window", "fine_value") else f"{value:,}"


def _said(one: Any) -> str:
    return " ".join(map(str, one.values())) if isinstance(one, Mapping) else str(one)


def _report(name: str) -> Report:
    if (report := REPORTS.get(name)) is None:
        raise NotFound(f"There is no report {name!r}.")
    return report


def _answered(report: Report) -> tuple[Asking, Rows]:
    """What was asked, and the rows; what cannot be answered is said beside its field."""
    asking = Asking.of(request.args, report, datetime.now(UTC))
    if asking.question is None:
        return asking, ()
    question = _limited(report, asking.question)
    try:
        with services().store.read() as connection:
            return asking, report.table(connection, question)
    except Unanswerable as error:
        return Asking(asking.typed, asking.by, wrong={error.field: error.what}), ()


def _limited(report: Report, question: Question) -> Question:
    """Of what whoever asks may see. Forbidden where a report cannot tell that apart."""
    apps, networks = limits()
    if apps is None and networks is None:
        return question
    if not {"app_id", "ad_network_id"} <= set(report.dimensions):
        raise Forbidden("This report is of all apps and ad networks together; you see some.")
    filters = question.filters
    for name, seen in (("app_id", apps), ("ad_network_id", networks)):
        asked = getattr(filters, name)
        if seen is None:
            continue
        if asked is None:
            filters = replace(filters, **{name: seen})  # type: ignore[arg-type]  # by name
        elif (asked.lower() if isinstance(asked, str) else asked) not in seen:
            raise Forbidden(f"{name}: {asked} is not among those that you see.")
    return question.but(filters=filters)
