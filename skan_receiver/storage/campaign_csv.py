"""The campaign table as CSV: read with every mistake in it, and written."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any

from skan_receiver.conversion.problems import did_you_mean
from skan_receiver.errors import ConfigurationError
from skan_receiver.protocol.text import clip
from skan_receiver.storage.campaign_import import clashes
from skan_receiver.storage.campaigns import NAMES, Entry
from skan_receiver.storage.spreadsheet import Unreadable, fault, guarded, rows, unguarded

LONGEST = 200  # characters of a name
LARGEST = 2**63 - 1  # of what an App Store id is kept in

# Apple's range: "an integer >=1 and <=100".
# https://developer.apple.com/documentation/storekit/skstoreproductparameteradnetworkcampaignidentifier
CAMPAIGN_IDS = range(1, 101)


def network(cell: str) -> str:
    """An ad network's id, in lower case. ValueError says what is wrong, and the remedy."""
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,200}", cell):
        raise ValueError(f"{_shown(cell)} is no ad-network id; one looks like abc123.skadnetwork")
    return cell.lower()


def source_identifier(cell: str) -> str:
    """Its digits, or nothing. ValueError says what is wrong, and the remedy."""
    if not re.fullmatch(r"[0-9]{0,4}", cell):
        raise ValueError(f"{_shown(cell)} is not 1 to 4 digits; write it as the network does")
    return cell


def _app(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{0,19}", cell) or int(cell or 0) > LARGEST:
        raise ValueError(f"{_shown(cell)} is no App Store id; write its number, or 0 for any app")
    return int(cell or 0)


def _campaign(cell: str) -> int:
    if cell and not (re.fullmatch(r"[0-9]{1,3}", cell) and int(cell) in CAMPAIGN_IDS):
        raise ValueError(f"{_shown(cell)} is not 1 to 100; longer ones are source identifiers")
    return int(cell or 0)


def _day(cell: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise ValueError(f"{_shown(cell)} is no day; write it like 2026-11-30")


def _last_day(cell: str) -> date | None:
    return _day(cell) if cell else None


def _name(cell: str) -> str:
    if len(cell) > LONGEST:
        raise ValueError(f"has {len(cell)} characters; shorten it to {LONGEST}")
    return cell


def _shown(cell: str) -> str:
    return f"`{clip(cell)}`" if cell else "nothing"


COLUMNS: dict[str, Callable[[str], Any]] = {
    "ad_network_id": network,
    "app_id": _app,
    "source_identifier": source_identifier,
    "skan_campaign_id": _campaign,
    "starts_on": _day,
    "ends_on": _last_day,
    **dict.fromkeys(NAMES, _name),
}
REQUIRED = {"ad_network_id", "starts_on"}
IDENTIFIERS = {"source_identifier", "skan_campaign_id"}


def read_csv(written: str | bytes) -> list[Entry]:
    """The rows of a file whose first line names the columns.

    Raises ConfigurationError with every mistake, each as `line N: column: what; remedy`.
    """
    reading = _Reading()
    try:
        for line, cells in rows(written):
            reading.take(line, cells)
    except Unreadable as error:
        reading.note(error.line, "row", str(error))
    return reading.done()


def write_csv(entries: Iterable[Entry]) -> str:
    """What `read_csv` reads as `entries`, safe to open in a spreadsheet."""
    written = StringIO()
    # Lines end as RFC 4180 has it, and so that a lone carriage return in a name is quoted.
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow(_cell(getattr(entry, name)) for name in COLUMNS)
    return written.getvalue()


def _cell(value: object) -> str:
    # An absent identifier and an app of 0 are left out alike: both are read as 0.
    return guarded(str(value)) if value else ""


@dataclass(slots=True)
class _Reading:
    """A file so far: its columns, the rows that are right, and what is wrong, by line."""

    columns: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    mistakes: list[tuple[int, str]] = field(default_factory=list)

    def note(self, line: int, column: str, what: str) -> None:
        self.mistakes.append((line, f"line {line}: {column}: {what}"))

    def take(self, line: int, cells: list[str]) -> None:
        """The next row; the first one names the columns."""
        if not self.columns:
            self.columns = [cell.strip() for cell in cells]
            for name, what in _wrong_columns(self.columns):
                self.note(line, name, what)
        elif len(cells) != len(self.columns):
            what = f"has {len(cells)} cells where the first line has {len(self.columns)}"
            self.note(line, "row", f"{what}; put quotes around a cell with a comma in it")
        else:
            self._read(line, dict(zip(self.columns, cells, strict=True)))

    def _read(self, line: int, cells: Mapping[str, str]) -> None:
        values: dict[str, Any] = {}
        wrong = len(self.mistakes)
        for name in COLUMNS.keys() & cells.keys():
            try:
                values[name] = _value(name, cells[name])
            except ValueError as error:
                self.note(line, name, str(error))
        for name, what in contradictions(values, IDENTIFIERS & cells.keys()):
            self.note(line, name, what)
        if len(self.mistakes) == wrong and values.keys() >= REQUIRED and _given(values):
            self.lines.append(line)
            self.entries.append(Entry(**values))

    def done(self) -> list[Entry]:
        """The rows, where nothing is wrong with any."""
        if not self.columns:
            self.note(1, "ad_network_id", f"is missing; begin with {','.join(COLUMNS)}")
        for one, other in clashes(self.entries):
            self.note(self.lines[other], "starts_on", self._clash(one, other))
        if self.mistakes:
            raise ConfigurationError("\n".join(said for _, said in sorted(self.mistakes)))
        return self.entries

    def _clash(self, one: int, other: int) -> str:
        earlier, later = self.entries[one], self.entries[other]
        if earlier.key == later.key:
            return f"line {self.lines[one]} has the same key; delete one of them"
        return (
            f"line {self.lines[one]} names the same identifier otherwise and still runs; "
            f"end it before {later.starts_on}"
        )


def _wrong_columns(columns: list[str]) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(columns):
        if name not in COLUMNS:
            near = did_you_mean(name, COLUMNS) or f"; known are {', '.join(COLUMNS)}"
            what = f"is no column{near}" if name else "has no name; delete the column, or name it"
            yield _shown(name) if name else "a column", fault(name) or what
        elif columns.count(name) > 1:
            yield name, "is there twice; delete one of them"
    for name in sorted(REQUIRED.difference(columns)):
        yield name, "is missing; add the column"
    if IDENTIFIERS.isdisjoint(columns):
        yield "source_identifier", "is missing, as is skan_campaign_id; add one of the columns"


def _value(name: str, cell: str) -> Any:
    if wrong := fault(cell):
        raise ValueError(wrong)
    text = unguarded(cell)
    return COLUMNS[name](text if name in NAMES else text.strip())


def _given(values: Mapping[str, Any]) -> list[str]:
    return [name for name in IDENTIFIERS if values.get(name)]


def contradictions(
    values: Mapping[str, Any], asked: Set[str] = frozenset(IDENTIFIERS)
) -> Iterator[tuple[str, str]]:
    """What is wrong between values that are right each: of which column, and what to do."""
    given = _given(values)
    if len(given) == 2:
        yield "source_identifier", "is given, as is skan_campaign_id; leave one of them empty"
    if asked and not given and asked <= values.keys():
        yield "source_identifier", "is empty, as is skan_campaign_id; give one of them"
    first, last = values.get("starts_on"), values.get("ends_on")
    if first and last and last < first:
        yield "ends_on", f"{last} is before the first day, {first}; write a later one, or none"
