"""What the campaign table says of counted cells: whose ad it was, and the country it was for.

    also=naming.columns(by)              more columns of the wide counts, for `cells.sums`
    naming = load_naming(connection)
    row |= naming.of_row(row)            the dimensions of `NAMED`; None where nobody knows

Identifiers are recycled, and no postback says when its ad was shown. So a cell is named by all ads
that can have been shown for what arrived on its day, where they are called the same. Cells are
summed by identifier first: there are far fewer of those than postbacks.
"""

from bisect import bisect
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.reports.cells import DAY, WIDE
from skan_receiver.storage.campaigns import CampaignBook, load_book, stamp
from skan_receiver.storage.counts import NOTHING

# What an ad network calls an ad, as far as a table can be split by it.
CALLED = (
    *("campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name"),
    *("channel", "tracker"),
)
# The country as the postback says it, or else the one that the campaign targets; and which it is.
COUNTRIES = ("country_or_target", "country_from")
POSTBACK, CAMPAIGN = "postback", "campaign"

NAMED = (*CALLED, *COUNTRIES)

# Of a cell, each with the dimension that says it. Before SKAdNetwork 4 the identifier is the
# campaign id.
_ASKED = {
    **{name: name for name in ("ad_network_id", "app_id", "version", "window")},
    "identifier": "source_identifier",
}
_COUNTRY = {"country": "country"}


class Counted(NamedTuple):
    """What the names of a cell depend on."""

    ad_network_id: str
    app_id: int
    version: str
    window: int
    identifier: str
    country: str
    day: date  # UTC, of the arrival

    @property
    def source_identifier(self) -> str | None:
        return None if self.version in RISING_ONLY else self.identifier or None

    @property
    def campaign_id(self) -> int | None:
        if self.version not in RISING_ONLY or not self.identifier:
            return None
        return int(self.identifier)


def columns(by: Iterable[str] = NAMED) -> tuple[ColumnElement[Any], ...]:
    """What to sum the wide counts by, so that each cell can be split by these dimensions."""
    asked = _ASKED | _COUNTRY if set(by) & set(COUNTRIES) else _ASKED
    named = (WIDE.dimensions[said].label(f"named_{name}") for name, said in asked.items())
    return (*named, DAY.label("named_day"))


Names = Mapping[str, str | None]

_of_row = itemgetter(*(f"named_{name}" for name in _ASKED))


class Naming:
    """Names cells by a book of campaigns. Remembers: cells of a report ask the same questions."""

    def __init__(self, book: CampaignBook) -> None:
        self._book = book
        # Of each identifier: the days that change what it is called, and what it is between them.
        self._known: dict[tuple[Any, ...], tuple[list[int], dict[tuple[int, str], Names]]] = {}

    def of(self, cell: Counted) -> Names:
        """The dimensions of `NAMED`, of a cell."""
        of = cell[: len(_ASKED)]
        if (known := self._known.get(of)) is None:
            known = self._known[of] = self._book.turns(cell, _midnight(cell.day)), {}
        turns, told = known
        at = bisect(turns, cell.day.toordinal()), cell.country
        if (names := told.get(at)) is None:
            names = told[at] = self._name(cell)
        return names

    def of_row(self, row: Mapping[str, Any]) -> Names:
        """Of a row that has `columns`."""
        country = row.get("named_country", NOTHING)
        return self.of(Counted._make((*_of_row(row), country, row["named_day"])))

    def _name(self, cell: Counted) -> Names:
        # Whichever hour it was: all that lies between an ad and an arrival is whole days.
        named = self._book.names(cell, _midnight(cell.day))
        whose = POSTBACK if cell.country else CAMPAIGN if named.country else None
        return {
            **{name: getattr(named, name) or None for name in CALLED},
            "country_or_target": cell.country or named.country or None,
            "country_from": whose,
        }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


# The table as it was last read, and its stamp: what is of the same content has the same names.
_last: dict[bytes, CampaignBook] = {}


def load_naming(connection: Connection) -> Naming:
    """By the campaign table as it is now."""
    now = stamp(connection)
    if (book := _last.get(now)) is None:
        book = load_book(connection)
        _last.clear()
        _last[now] = book
    return Naming(book)
