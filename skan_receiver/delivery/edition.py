"""What a window of a report says: its rows, and what was left out of them."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection

from skan_receiver.conversion.timing import CLOCKS, completeness
from skan_receiver.delivery.destinations.report import ReportDestination
from skan_receiver.delivery.facts import iso
from skan_receiver.delivery.window_spans import Span
from skan_receiver.reports import Filters, Period, Question
from skan_receiver.reports.question import INSTALL

Rows = Sequence[dict[str, Any]]

# When an estimate was made and of what: where it says the same, that is no news.
STAMPS = {"made_at", "as_of"}


@dataclass(frozen=True, slots=True)
class Edition:
    """A window as it is sent, the same at every try."""

    content: bytes  # JSON, compressed
    hash: str  # of what it says, whenever that was found


def edition(
    connection: Connection, destination: ReportDestination, span: Span, as_of: datetime
) -> Edition:
    """The window as its numbers are now."""
    table = destination.table
    columns = table.columns(destination.split)
    question = Question(
        period=Period(span.start, span.end),
        by=destination.split,
        filters=_looked_at(destination),
        basis=destination.basis,
    )
    found = table.table(connection, question)
    kept, suppressed = without_small(found, table.count, destination.min_count)
    said = [[_plain(row[name]) for name in columns if name not in STAMPS] for row in kept]
    says = {
        "columns": columns,
        "rows": [[_plain(row[name]) for name in columns] for row in kept],
        "suppressed": suppressed,
    }
    about = {
        "report": destination.report,
        "length": destination.length,
        "basis": destination.basis,
        "format": destination.format,
        "as_of": iso(as_of),
        "completeness": _completeness(destination, span, as_of),
    }
    digest = blake2b(json.dumps({**says, "rows": said}).encode(), digest_size=16).hexdigest()
    return Edition(zlib.compress(json.dumps({**about, **says}).encode()), digest)


def without_small(rows: Rows, count: str | None, least: int) -> tuple[Rows, dict[str, float]]:
    """The rows that count `least` postbacks or more, and what the others come to: small groups
    are told together, so that the sum stays what it was."""
    small = [row for row in rows if count and row[count] < least]
    kept = [row for row in rows if not count or row[count] >= least]
    return kept, {
        "rows": len(small),
        "postbacks": round(sum(row[count] for row in small if count), 6),
    }


def _looked_at(destination: ReportDestination) -> Filters:
    """Of what counts, any of several apps, networks and so on."""
    apps = destination.apps
    return Filters(
        app_id=apps[0] if len(apps) == 1 else apps or None,  # whose schemas are read
        ad_network_id=destination.ad_networks or None,
        framework=tuple(map(str, destination.frameworks)) or None,
        window=destination.windows or None,
        counted=True,
    )


def _completeness(destination: ReportDestination, span: Span, as_of: datetime) -> dict[int, float]:
    """By Apple's window. What arrived in a span that is over is all there; the early versions,
    which come sooner than others of their window, are complete before it says so."""
    windows = destination.windows or range(len(CLOCKS))
    if destination.basis != INSTALL:
        return dict.fromkeys(windows, 1.0)
    return {w: round(completeness(span.start, span.end, as_of, "", w), 4) for w in windows}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value
