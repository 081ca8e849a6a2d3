"""Rows of a file become lines, by its format and by what whoever imports it says of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, TypeVar

from skan_receiver.conversion.problems import did_you_mean
from skan_receiver.mmp.statements import cells
from skan_receiver.mmp.statements.format import ARRIVAL, Format, first, plain
from skan_receiver.mmp.statements.line import INSTALL, INVALID, LOST, REDOWNLOAD, Line

# Columns of a format that a cell is read from, beside the day's and those of counts.
VALUES: dict[str, Callable[[str], Any]] = {
    "postback_id": cells.postback_id,
    "ad_network_id": cells.network,
    "app_id": cells.app,
    "window": cells.window,
    "revenue": cells.amount,
    "currency": cells.currency,
    "redownload": cells.flag,
    "did_win": cells.flag,
}
TEXTS = ("source", "what", "invalid")

T = TypeVar("T")

# What is named so is an id itself.
IDS = (".skadnetwork", ".adattributionkit")

FEW = 20  # different texts that are remembered of what is left out


class Wrong(ValueError):
    """What is wrong with a row or a header: pairs of a column and what it is."""

    def __init__(self, mistakes: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{column}: {what}" for column, what in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a file does not say of itself."""

    zone: tzinfo = UTC
    basis: str = ARRIVAL
    app_id: int | None = None  # of rows without one
    ad_network_id: str | None = None  # likewise
    networks: Mapping[str, str] = field(default_factory=dict)  # ids by what the file calls them


def recognised(header: Sequence[str], formats: Mapping[str, Format]) -> Format:
    """The format of a file with these columns: the one most of whose marks it has."""
    names = {plain(name) for name in header}
    best = max(formats.values(), key=lambda one: len(one.marks & names))
    return best if best.marks & names else formats["generic"]


class Reader:
    """Reads the rows of one file. Raises Wrong where its columns do not do."""

    def __init__(self, form: Format, header: Sequence[str], terms: Terms) -> None:
        self.form, self.terms = form, terms
        self.header = tuple(header)
        at: dict[str, int] = {}
        for place, name in enumerate(header):
            at.setdefault(plain(name), place)
        self._day = first(form.days(terms.basis), at)
        self._at = {name: first(getattr(form, name), at) for name in (*VALUES, *TEXTS)}
        self._counts = _counts(form, at)
        self.left_out: Counter[str] = Counter()  # rows, by what they are of
        self.unmapped: dict[str, tuple[str, Counter[str]]] = {}
        if wrong := list(self._lacks(at)):
            raise Wrong(wrong)

    @property
    def names_networks(self) -> bool:
        """Whether its lines say which network they are of."""
        named = self._at["ad_network_id"], self._at["source"]
        return named != (None, None) or self.terms.ad_network_id is not None

    def read(self, row: Sequence[str]) -> list[Line]:
        """The lines of a row: none where it is of nothing that is counted. Raises Wrong."""
        if len(row) != len(self.header):
            what = f"has {len(row)} cells where the first line has {len(self.header)}"
            raise Wrong([("row", f"{what}; put quotes around a cell with a comma in it")])
        reading = _Row(self, row)
        kind = reading.kind()
        if kind is None:
            return []
        said = reading.line()
        counts = reading.counts(kind)
        if said.get("postback_id") and any(n != 1 for _, n in counts):
            reading.note(
                self._at["postback_id"], "is of one postback; write 1, or leave the id out"
            )
        if reading.mistakes:
            raise Wrong(reading.mistakes)
        return [Line(**said, kind=of, count=n) for of, n in counts if n]

    def _lacks(self, at: Mapping[str, int]) -> Iterator[tuple[str, str]]:
        days = self.form.days(self.terms.basis)
        if not days:
            yield "day", f"{self.form.name} has no {self.terms.basis} dates; choose another basis"
        elif self._day is None:
            yield days[0], f"is missing; add the column{did_you_mean(days[0], at)}"
        if self._at["app_id"] is None and self.terms.app_id is None:
            names = self.form.app_id or ("app_id",)
            yield names[0], "is missing; add the column, or say --app ID for all rows"
        if self._at["postback_id"] is None and not self._counts:
            names = (*self.form.postback_id[:1], *list(self.form.counts)[:1])
            missing = " or ".join(names)
            yield missing, "is missing: rows need an id or a number; add one of the columns"


def _counts(form: Format, at: Mapping[str, int]) -> dict[str, int]:
    """Where the number of each kind is: of several columns of a kind the first."""
    found: dict[str, int] = {}
    for name, kind in form.counts.items():
        if name in at:
            found.setdefault(kind, at[name])
    return found


class _Row:
    """One row, read cell by cell; mistakes are collected."""

    def __init__(self, reader: Reader, row: Sequence[str]) -> None:
        self.reader, self.row = reader, row
        self.mistakes: list[tuple[str, str]] = []
        self._at = reader._at

    def note(self, at: int | None, what: str) -> None:
        self.mistakes.append((self.reader.header[at] if at is not None else "row", what))

    def kind(self) -> str | None:
        """What it is of; None for what is left out."""
        kind: str | None = INSTALL
        if whats := self.reader.form.whats:
            said = self.text("what")
            kind = self._what(said, whats) if said else INSTALL
        if kind is None:
            return None
        if self.text("invalid").lower() not in {*cells.NOTHING, *cells.FALSE}:
            return INVALID
        if self.value("did_win") is False:
            return LOST
        return REDOWNLOAD if self.value("redownload") else kind

    def _what(self, said: str, whats: Mapping[str, str | None]) -> str | None:
        kind = whats.get(said.lower(), whats.get("*", ""))
        if kind == "":
            known = ", ".join(whats)
            self.note(self._at["what"], f"{cells.shown(said)} is no kind; write one of {known}")
        if kind is None:
            left_out = self.reader.left_out
            left_out[said if said in left_out or len(left_out) < FEW else "others"] += 1
        return kind

    def line(self) -> dict[str, Any]:
        """What it says, but for how many of what kind."""
        terms = self.reader.terms
        said = {name: self.value(name) for name in ("postback_id", "window", "revenue", "currency")}
        said["day"] = self._read(self.reader._day, lambda cell: cells.day(cell, terms.zone))
        said["app_id"] = self._or(self.value("app_id"), "app_id", terms.app_id, "--app ID")
        said["ad_network_id"] = self._network()
        return said

    def _network(self) -> str | None:
        if self.text("ad_network_id").lower() not in cells.NOTHING:
            network: str | None = self.value("ad_network_id")
            return network
        source = self.text("source")
        if source:
            if source.lower() in self.reader.terms.networks:
                return self.reader.terms.networks[source.lower()]
            if source.lower().endswith(IDS):
                return cells.network(source)
            if self.reader.terms.ad_network_id is None:
                self._unmapped(source)
            return self.reader.terms.ad_network_id
        if self.reader.names_networks:
            place = "ad_network_id" if self._at["ad_network_id"] is not None else "source"
            return self._or(None, place, self.reader.terms.ad_network_id, "--network ID")
        return None

    def _unmapped(self, source: str) -> None:
        column = self.reader.header[self._at["source"] or 0]
        _, lines = self.reader.unmapped.setdefault(source.lower(), (column, Counter()))
        lines[source] += 1

    def _or(self, said: T | None, name: str, otherwise: T | None, option: str) -> T | None:
        """What is said, or else what holds of all rows."""
        if said is None and otherwise is None and self.text(name).lower() in cells.NOTHING:
            self.note(self._at[name], f"is empty; fill it in, or say {option} for all rows")
        return otherwise if said is None else said

    def counts(self, kind: str) -> list[tuple[str, int]]:
        """How many of each kind; a row without numbers is one of its own kind."""
        columns = self.reader._counts
        if not columns:
            return [(kind, 1)]
        counted = [(of, self._read(at, cells.count, absent=0)) for of, at in columns.items()]
        # What says its kind says it of its one number.
        return [(kind if of == INSTALL else of, n) for of, n in counted if n is not None]

    def text(self, name: str) -> str:
        at = self._at[name]
        return "" if at is None else self.row[at].strip()

    def value(self, name: str) -> Any:
        """The value of a cell; None where it is empty, or there is no such column."""
        at = self._at[name]
        return None if at is None else self._read(at, VALUES[name], absent=None)

    def _read(self, at: int | None, read: Callable[[str], Any], **absent: Any) -> Any:
        assert at is not None
        cell = self.row[at].strip()
        if "absent" in absent and cell.lower() in cells.NOTHING:
            return absent["absent"]
        try:
            return read(cell)
        except ValueError as error:
            self.note(at, str(error))
            return None
