"""Costs as CSV: read with every mistake in it, and written."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from skan_receiver.storage import cost_cells as cells
from skan_receiver.storage.campaign_csv import network
from skan_receiver.storage.costs import Spent, repeated
from skan_receiver.storage.sheet import Cell, Sheet
from skan_receiver.storage.spreadsheet import guarded

COLUMNS: Mapping[str, Cell] = {
    "day": cells.day,
    "ad_network_id": network,
    "app_id": cells.app,
    "campaign_id": cells.text,
    "campaign_name": cells.text,
    "country": cells.country,
    "cost": cells.micros,
    "currency": lambda cell: cells.currency(cell) if cell else "",
    "zone": lambda cell: cells.zone(cell) if cell else "",
    "account": cells.text,
    "impressions": cells.count,
    "clicks": cells.count,
    "installs": cells.count,
}
REQUIRED = ("day", "ad_network_id", "app_id", "cost")

TWICE = "the same account, day, network, app, campaign and country"
NAMELESS = "is empty beside a campaign_name; write the network's id, or the name here too"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds of rows that do not say so themselves."""

    zone: str = ""
    currency: str = ""
    account: str = ""


def read_csv(written: str | bytes, terms: Terms) -> list[Spent]:
    """The rows of a file whose first line names the columns.

    Raises ConfigurationError with every mistake, each as `line N: column: what; remedy`.
    """
    sheet = Sheet(written, COLUMNS, REQUIRED)
    lines, spent = [], []
    for line, said in sheet.rows:
        full = _full(said, terms)
        for name in ("currency", "zone"):
            if not full[name]:
                sheet.note(line, name, f"is not said; fill it in, or say --{name} for all rows")
        if full.get("campaign_name") and not full.get("campaign_id"):
            sheet.note(line, "campaign_id", NAMELESS)
        lines.append(line)
        spent.append(Spent(**full))
    for one, other in repeated(spent):
        what = f"line {lines[one]} is of {TWICE}; add them up, or name their accounts"
        sheet.note(lines[other], "day", what)
    sheet.done()
    return spent


def _full(said: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
    names = ("zone", "currency", "account")
    general = {name: said.get(name) or getattr(terms, name) for name in names}
    rest = {name: value for name, value in said.items() if name != "cost"}
    return {**rest, **general, "micros": said["cost"]}


def write_csv(rows: Iterable[Spent]) -> str:
    """What `read_csv` reads as `rows`, safe to open in a spreadsheet."""
    written = StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        said = row.as_dict()
        writer.writerow(_cell(said[name]) for name in COLUMNS)
    return written.getvalue()


def _cell(value: object) -> str:
    return "" if value is None else guarded(str(value))
