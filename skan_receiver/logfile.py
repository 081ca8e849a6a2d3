"""Files of lines, gzipped or not, as logs are kept."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from skan_receiver.errors import SkanError

LONGEST_LINE = 64 * 1024


class BrokenFile(SkanError):
    """A file that cannot be read to its end, or that is larger than it may be."""


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, gzipped or not, as an import reads them. BrokenFile if it is not
    whole."""
    with _open(path) as file, _whole():
        yield from _lines(file)


def measure(path: Path, most: int) -> int:
    """How many bytes a file has, unpacked. BrokenFile where it is not whole, or larger than `most`.

    Some kilobytes of gzip can unpack to gigabytes: it is read once before it is believed.
    """
    size = 0
    with _open(path) as file, _whole():
        while piece := file.read(LONGEST_LINE):
            size += len(piece)
            if size > most:
                raise BrokenFile(
                    f"the file has more than {most // 1024**2} MB, unpacked: send it in parts, "
                    "or import it with skan-receiver ingest"
                )
    return size


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, with the excess of one that is too long left out: it is refused as it is."""
    while line := file.readline(LONGEST_LINE):
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) == LONGEST_LINE:
            rest = file.readline(LONGEST_LINE)
        yield line


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise BrokenFile(
            f"the file is no whole gzip ({fault}); take it from where it came once more"
        ) from None


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if zipped else path.open("rb")
