"""A statement's file as it is read: its lines in batches, and every mistake in it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from skan_receiver.errors import ConfigurationError
from skan_receiver.mmp.statements import FORMATS, Line, Reader, Terms, recognised
from skan_receiver.mmp.statements.format import ARRIVAL
from skan_receiver.mmp.statements.reader import Wrong
from skan_receiver.storage.spreadsheet import Unreadable, fault

AUTO = "auto"

# Lines a transaction: on SQLite nobody else writes meanwhile, for some 60 ms.
BATCH = 5_000
MOST_MISTAKES = 100  # that are told one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How to read a file, as far as it does not say so itself."""

    name: str
    format: str = AUTO
    zone: str = "UTC"
    basis: str = ARRIVAL
    app_id: int | None = None
    ad_network_id: str | None = None
    networks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    destinations: Sequence[str] = ()
    # The days it speaks of, where those are more than the days of its rows.
    first_day: date | None = None
    last_day: date | None = None

    @property
    def terms(self) -> Terms:
        """Of a name with several ids its lines have the first."""
        return Terms(
            zone=ZoneInfo(self.zone),
            basis=self.basis,
            app_id=self.app_id,
            ad_network_id=self.ad_network_id,
            networks={name.lower(): ids[0] for name, ids in self.networks.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file."""

    name: str
    format: str
    first_day: date
    last_day: date
    lines: int
    counted: int
    left_out: Mapping[str, int]  # rows, by what they are of
    replaced: bool


class Reading:
    """A file so far: its lines in batches, and what is wrong with it."""

    def __init__(self, asked: Asked, rows: Iterator[tuple[int, list[str]]]) -> None:
        self.asked, self._rows = asked, rows
        self.mistakes: list[str] = []
        self.more = 0  # mistakes beside those
        self.lines = self.counted = 0
        self.days: tuple[date, date] | None = None
        line, header = self._header()
        form = recognised(header, FORMATS) if asked.format == AUTO else FORMATS[asked.format]
        try:
            self.reader = Reader(form, header, asked.terms)
        except Wrong as wrong:
            self._note(line, wrong)
            self._raise()

    def _header(self) -> tuple[int, list[str]]:
        try:
            return next(self._rows, None) or (1, [])
        except Unreadable as error:
            raise ConfigurationError(f"line {error.line}: row: {error}") from None

    def batches(
        self, statement_id: int, seen: Callable[[int], object]
    ) -> Iterator[list[dict[str, Any]]]:
        """Rows to insert, until the first mistake; what comes after is read all the same."""
        batch: list[dict[str, Any]] = []
        for rows, line in enumerate(self._all(), 1):
            for one in line:
                self.lines += 1
                self.counted += one.count
                first, last = self.days or (one.day, one.day)
                self.days = min(first, one.day), max(last, one.day)
                batch.append({"statement_id": statement_id, "number": self.lines, **asdict(one)})
            if len(batch) >= BATCH:
                seen(rows)
                if not self.mistakes:
                    yield batch
                batch = []
        if batch and not self.mistakes:
            yield batch

    def _all(self) -> Iterator[list[Line]]:
        try:
            for number, cells in self._rows:
                try:
                    yield self._checked(self.reader.read(_text(self.reader, cells)))
                except Wrong as wrong:
                    self._note(number, wrong)
        except Unreadable as error:
            self._note(error.line, Wrong([("row", str(error))]))

    def _checked(self, lines: list[Line]) -> list[Line]:
        first, last = self.asked.first_day or date.min, self.asked.last_day or date.max
        for line in lines:
            if not first <= line.day <= last:
                raise Wrong([("day", f"{line.day} is outside the days given; leave them out")])
        return lines

    def check(self) -> None:
        """Raises ConfigurationError where anything is wrong."""
        for column, names in self.reader.unmapped.values():
            name, n = names.most_common(1)[0]
            option = f'--network "{name}=abc123.skadnetwork"'
            rows = "1 row" if n == 1 else f"{n} rows"
            self._add(f"{column}: `{name}` ({rows}) is no network we know; say {option}")
        if not self.lines and not self.mistakes:
            self._add("line 1: row: no row is of an install; choose another file or format")
        self._raise()

    def _note(self, line: int, wrong: Wrong) -> None:
        for column, what in wrong.mistakes:
            self._add(f"line {line}: {column}: {what}")

    def _add(self, mistake: str) -> None:
        if len(self.mistakes) < MOST_MISTAKES:
            self.mistakes.append(mistake)
        else:
            self.more += 1

    def _raise(self) -> None:
        if self.mistakes:
            more = [f"and {self.more:,} more"] if self.more else []
            raise ConfigurationError("\n".join([*self.mistakes, *more]))

    def done(self, *, replaced: bool) -> Imported:
        first, last = self.covers
        return Imported(
            name=self.asked.name,
            format=self.reader.form.name,
            first_day=first,
            last_day=last,
            lines=self.lines,
            counted=self.counted,
            left_out=dict(self.reader.left_out),
            replaced=replaced,
        )

    @property
    def covers(self) -> tuple[date, date]:
        """The days it speaks of."""
        assert self.days is not None
        return self.asked.first_day or self.days[0], self.asked.last_day or self.days[1]


def _text(reader: Reader, cells: list[str]) -> list[str]:
    """The cells, where each is text. Raises Wrong."""
    if (joined := "".join(cells)).isascii() and "\0" not in joined:
        return cells
    named = zip(reader.header, cells, strict=False)
    if wrong := [(name, what) for name, cell in named if (what := fault(cell))]:
        raise Wrong(wrong)
    return cells
