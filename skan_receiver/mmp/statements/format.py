"""What a format of statements is: which of its columns says what."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

# Of what the dates of a statement are.
ARRIVAL: Final = "arrival"
INSTALLED: Final = "install"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Columns by what they say: of several names the first that a file has is read.

    Names are as `plain` writes them.
    """

    name: str
    # A file with one of these is of this format.
    marks: frozenset[str]

    postback_id: tuple[str, ...] = ()
    arrived: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()
    ad_network_id: tuple[str, ...] = ()
    source: tuple[str, ...] = ()  # what the vendor calls the network
    app_id: tuple[str, ...] = ()
    window: tuple[str, ...] = ()
    revenue: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()

    # What a row is of, by its text; None: nothing that is counted, and left out.
    what: tuple[str, ...] = ()
    whats: Mapping[str, str | None] = field(default_factory=dict)
    # Flags that make it something else than an install.
    redownload: tuple[str, ...] = ()
    did_win: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()

    # Numbers of rows that are sums: each column of a kind of its own.
    counts: Mapping[str, str] = field(default_factory=dict)

    def days(self, basis: str) -> tuple[str, ...]:
        """The columns that date a row by this basis."""
        return self.installed if basis == INSTALLED else self.arrived


def plain(name: str) -> str:
    """A column's name as files agree on it: `SKAN App ID` is `skan_app_id`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def first(names: Iterable[str], columns: Mapping[str, int]) -> int | None:
    """Where the first of `names` is among the columns of a file."""
    return next((columns[name] for name in names if name in columns), None)
