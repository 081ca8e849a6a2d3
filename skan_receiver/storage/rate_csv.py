"""Rates of exchange as CSV: as the European Central Bank publishes them, and one a line."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from io import StringIO
from typing import Any

from skan_receiver.storage import cost_cells as cells
from skan_receiver.storage.rates import Quote
from skan_receiver.storage.sheet import Cell, Sheet
from skan_receiver.storage.spreadsheet import Unreadable, guarded, rows

# A column for each currency, a row for each day, all against the euro.
# https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html
ECB, EURO = "ECB", "EUR"
DATE = "Date"
ABSENT = ("", "N/A")

COLUMNS: Mapping[str, Cell] = {
    "day": cells.day,
    "currency": cells.currency,
    "rate": cells.rate,
    "base": cells.currency,
    "source": cells.text,
}
REQUIRED = ("day", "currency", "rate", "base")

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


def read_csv(written: str | bytes) -> list[Quote]:
    """The rates of a file of either shape.

    Raises ConfigurationError with every mistake, each as `line N: column: what; remedy`.
    """
    header = _header(written)
    return _wide(written, header) if header[:1] == [DATE] else _long(written)


def _header(written: str | bytes) -> list[str]:
    """The names of the columns; none where there is nothing to read."""
    try:
        return [cell.strip() for cell in next(rows(written), (1, []))[1]]
    except Unreadable:
        return []


def _long(written: str | bytes) -> list[Quote]:
    sheet = Sheet(written, COLUMNS, REQUIRED)
    lines: dict[tuple[Any, ...], int] = {}
    quotes = []
    for line, said in sheet.rows:
        quote = Quote(**said)
        if quote.currency == quote.base:
            sheet.note(line, "currency", f"{quote.currency} is the base; delete the line")
        key = (quote.base, quote.currency, quote.day)
        if (earlier := lines.setdefault(key, line)) != line:
            sheet.note(line, "day", f"line {earlier} is of the same day; delete one of them")
        quotes.append(quote)
    sheet.done()
    return quotes


def _wide(written: str | bytes, header: list[str]) -> list[Quote]:
    """The bank's lines end with a comma, and so with a cell that has no name."""
    named = [name for name in header if name not in (DATE, "")]
    columns: dict[str, Cell] = {DATE: _day, "": _nothing, **dict.fromkeys(named, _rate)}
    sheet = Sheet(written, columns, (DATE,))
    for name in named:
        if not re.fullmatch(r"[A-Z]{3}", name) or name == EURO:
            sheet.note(1, name, "is no currency against the euro; name it as in USD, or delete it")
    lines: dict[date, int] = {}
    for line, said in sheet.rows:
        if (earlier := lines.setdefault(said[DATE], line)) != line:
            sheet.note(line, DATE, f"line {earlier} is of the same day; delete one of them")
    sheet.done()
    return [
        Quote(base=EURO, currency=name, day=said[DATE], rate=said[name], source=ECB)
        for _, said in sheet.rows
        for name in named
        if said[name] is not None
    ]


def _day(cell: str) -> date:
    """2026-11-30 in the history, 30 November 2026 in the file of the day."""
    if said := re.fullmatch(r"([0-9]{1,2}) ([A-Z][a-z]+) ([0-9]{4})", cell):
        day, month, year = said.groups()
        if month in MONTHS:
            return cells.day(f"{year}-{MONTHS.index(month) + 1:02}-{int(day):02}")
    return cells.day(cell)


def _rate(cell: str) -> float | None:
    return None if cell in ABSENT else cells.rate(cell)


def _nothing(cell: str) -> None:
    if cell:
        raise ValueError("has no name; delete the column, or name it")


def write_csv(quotes: Iterable[Quote]) -> str:
    """What `read_csv` reads as `quotes`, one a line."""
    written = StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for quote in quotes:
        said = asdict(quote)
        writer.writerow(guarded(str(said[name])) for name in COLUMNS)
    return written.getvalue()
