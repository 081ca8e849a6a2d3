"""CSV as spreadsheets read and write it."""

import csv
from collections.abc import Iterator
from io import StringIO
from itertools import chain
from typing import TextIO

from skan_receiver.errors import SkanError

# A spreadsheet runs a cell that begins so as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Unreadable(SkanError):
    """No CSV, from the row on that begins in `line`."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def guarded(text: str) -> str:
    """Text of a stranger's must not become a formula: a quote before it keeps it text."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unguarded(cell: str) -> str:
    """The text of which `guarded` made `cell`."""
    is_guarded = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA)
    return cell[1:] if is_guarded else cell


def rows(written: str | bytes) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins in, without blank ones; commas or semicolons are between.

    Bytes that are not UTF-8 come out as halves of surrogate pairs: `fault` finds them in their
    cells. Raises Unreadable where it is no CSV from some line on.
    """
    text = written if isinstance(written, str) else written.decode(errors="surrogateescape")
    yield from stream(StringIO(text, newline=""))


def stream(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """As `rows`, of a file that may be larger than memory, opened with `newline=""`.

    Tabs may be between cells, too.
    """
    head = file.readline().removeprefix("\ufeff")
    delimiter = next((one for one in ",;\t" if one in head), ",")
    reader = csv.reader(chain([head], file), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            what = f"is no CSV ({error}); write a quote inside quotes twice"
            raise Unreadable(what, line) from None
        if cells is None:
            return
        if any(cells):
            yield line, cells


def fault(cell: str) -> str:
    """What keeps a cell from being text, and the remedy; empty where it is text."""
    for character in cell:
        if "\udc80" <= character <= "\udcff":
            byte = ord(character) - 0xDC00
            return f"holds a byte that is not UTF-8 (0x{byte:02X}); save the file as UTF-8"
        if "\ud800" <= character <= "\udfff":
            return "holds half of a surrogate pair; type the character again"
        if character == "\0":
            return "holds U+0000, which no database stores as text; delete it"
    return ""
