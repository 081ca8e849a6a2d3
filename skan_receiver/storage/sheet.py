"""A CSV file whose first line names its columns, read with every mistake in it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from skan_receiver.conversion.problems import did_you_mean
from skan_receiver.errors import ConfigurationError
from skan_receiver.protocol.text import clip
from skan_receiver.storage.spreadsheet import Unreadable, fault, rows, unguarded

# Reads a cell without the blanks around it. ValueError says what is wrong, and the remedy.
Cell = Callable[[str], Any]


def shown(cell: str) -> str:
    """A cell as a mistake names it."""
    return f"`{clip(cell)}`" if cell else "nothing"


class Sheet:
    """The rows of a file that are right so far, and what is wrong, each by its line.

    Whoever reads on may `note` more mistakes; `done` raises them all, in order.
    """

    def __init__(
        self, written: str | bytes, columns: Mapping[str, Cell], required: Collection[str]
    ) -> None:
        self.rows: list[tuple[int, dict[str, Any]]] = []
        self._columns, self._required = columns, required
        self._names: list[str] = []
        self._mistakes: list[tuple[int, str]] = []
        try:
            for line, cells in rows(written):
                self._take(line, cells)
        except Unreadable as error:
            self.note(error.line, "row", str(error))
        if not self._names:
            first = next(iter(required))
            self.note(1, first, f"is missing; begin with {','.join(columns)}")

    def note(self, line: int, column: str, what: str) -> None:
        """One mistake more."""
        self._mistakes.append((line, f"line {line}: {column}: {what}"))

    def done(self) -> None:
        """Raise ConfigurationError with every mistake, each as `line N: column: what; remedy`."""
        if self._mistakes:
            raise ConfigurationError("\n".join(said for _, said in sorted(self._mistakes)))

    def _take(self, line: int, cells: list[str]) -> None:
        """The next row; the first one names the columns."""
        if not self._names:
            self._names = [cell.strip() for cell in cells]
            for name, what in self._wrong_columns():
                self.note(line, name, what)
        elif len(cells) != len(self._names):
            what = f"has {len(cells)} cells where the first line has {len(self._names)}"
            self.note(line, "row", f"{what}; put quotes around a cell with a comma in it")
        else:
            self._read(line, dict(zip(self._names, cells, strict=True)))

    def _read(self, line: int, cells: Mapping[str, str]) -> None:
        values: dict[str, Any] = {}
        wrong = len(self._mistakes)
        for name in self._columns.keys() & cells.keys():
            try:
                values[name] = _value(self._columns[name], cells[name])
            except ValueError as error:
                self.note(line, name or "a column", str(error))
        if len(self._mistakes) == wrong and values.keys() >= set(self._required):
            self.rows.append((line, values))

    def _wrong_columns(self) -> Iterator[tuple[str, str]]:
        for name in dict.fromkeys(self._names):
            if name not in self._columns:
                near = (
                    did_you_mean(name, self._columns) or f"; known are {', '.join(self._columns)}"
                )
                what = (
                    f"is no column{near}" if name else "has no name; delete the column, or name it"
                )
                yield shown(name) if name else "a column", fault(name) or what
            elif self._names.count(name) > 1:
                yield name, "is there twice; delete one of them"
        for name in self._required:
            if name not in self._names:
                yield name, "is missing; add the column"


def _value(read: Cell, cell: str) -> Any:
    if wrong := fault(cell):
        raise ValueError(wrong)
    return read(unguarded(cell).strip())
