"""The ads behind identifiers: the campaign table, and the names it gives a postback.

Apple withholds digits of a source identifier, and every date. So a postback may come from one of
several campaigns, and a name is given where it does not matter which.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import lru_cache, reduce
from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Text, cast, func, select

from skan_receiver.conversion.timing import advertised
from skan_receiver.storage.columns import hour_of, table
from skan_receiver.storage.outgoing import Campaign

CAMPAIGN = table(Campaign)
KEY = ("ad_network_id", "app_id", "source_identifier", "skan_campaign_id", "starts_on")

# Of source identifiers, the longest first: what names more digits, names better.
DIGITS = (4, 3, 2, 1)

REMEMBERED = 1 << 14  # answers, of some 300 bytes each


@dataclass(frozen=True, slots=True)
class Named:
    """What an ad network calls an ad; empty where that is not known."""

    campaign_id: str = ""
    campaign_name: str = ""
    adset_id: str = ""
    adset_name: str = ""
    ad_id: str = ""
    ad_name: str = ""
    channel: str = ""
    tracker: str = ""
    country: str = ""  # the country it targets


NAMES = tuple(field.name for field in fields(Named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Named):
    """A row of the table: the names behind an identifier for a span of days, the last included."""

    ad_network_id: str
    app_id: int = 0  # any
    source_identifier: str = ""
    skan_campaign_id: int = 0
    starts_on: date
    ends_on: date | None = None

    def __str__(self) -> str:
        app = f"app {self.app_id}" if self.app_id else "any app"
        identifier = self.source_identifier or f"campaign {self.skan_campaign_id}"
        days = (
            f"from {self.starts_on} on"
            if self.ends_on is None
            else f"{self.starts_on} to {self.ends_on}"
        )
        return f"{self.ad_network_id}, {app}, {identifier}, {days}"

    @property
    def key(self) -> tuple[Any, ...]:
        return (*self.subject, self.starts_on)

    @property
    def subject(self) -> tuple[str, int, str, int]:
        """What is named: whose identifier, and which."""
        return self.ad_network_id, self.app_id, self.source_identifier, self.skan_campaign_id

    @property
    def last(self) -> date:
        return self.ends_on or date.max

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(getattr(self, name) for name in NAMES)


class Advertised(Protocol):
    """What is asked of a postback; rows of `postback` and parsed ones have it alike."""

    @property
    def app_id(self) -> int: ...
    @property
    def ad_network_id(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def window(self) -> int: ...
    @property
    def campaign_id(self) -> int | None: ...
    @property
    def source_identifier(self) -> str | None: ...


class _Line(NamedTuple):
    """An entry as the book looks at it; days are numbers."""

    first: int
    last: int
    identifier: str
    names: tuple[str, ...]
    entry: Entry


class _Asked(NamedTuple):
    """What the names depend on: the identifier, and the days when the ad can have been shown."""

    network: str
    app: int
    source: str | None
    campaign: int | None
    first: int
    last: int

    @classmethod
    def of(cls, postback: Advertised, received_at: datetime) -> "_Asked":
        return cls(
            postback.ad_network_id.lower(),
            postback.app_id,
            postback.source_identifier,
            postback.campaign_id,
            *_shown(postback.version, postback.window, hour_of(received_at)),
        )

    def places(self) -> list[tuple[Any, ...]]:
        """Where to look, the most particular first: the app's own rows, then more digits."""
        network, source, apps = self.network, self.source, dict.fromkeys((self.app, 0))
        if source is None:
            return [(network, app, self.campaign, 0) for app in apps]
        return [(network, app, source[-digits:], digits) for app in apps for digits in DIGITS]


class CampaignBook:
    """The whole table, by network and identifier. Asking changes no answer."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._lines: defaultdict[tuple[Any, ...], list[_Line]] = defaultdict(list)
        for entry in entries:
            first, last = entry.starts_on.toordinal(), entry.last.toordinal()
            line = _Line(first, last, entry.source_identifier, entry.names, entry)
            for place in _places(entry):
                self._lines[place].append(line)
        # Postbacks of a season ask the same questions, until a campaign begins or ends.
        self._remembered = lru_cache(REMEMBERED)(self._names)
        self._turned = lru_cache(REMEMBERED)(self._turns)

    def names(self, postback: Advertised, received_at: datetime) -> Named:
        """What all ads are called that can be behind `postback`; empty where they differ."""
        *of, first, last = _Asked.of(postback, received_at)
        turns = self._turned(*of)
        first, last = turns[bisect(turns, first) - 1], turns[bisect(turns, last) - 1]
        return self._remembered(_Asked._make((*of, first, last)))

    def candidates(self, postback: Advertised, received_at: datetime) -> tuple[Entry, ...]:
        """The rows that can name `postback`: those whose names have to agree."""
        return tuple(line.entry for line in self._standing(_Asked.of(postback, received_at)))

    def _names(self, asked: _Asked) -> Named:
        lines = self._standing(asked)
        if not lines:
            return Named()
        return Named(*map(_agreed, zip(*(line.names for line in lines), strict=True)))

    def turns(self, postback: Advertised, received_at: datetime) -> list[int]:
        """The days of arrival, as ordinals, from which on what is like it may have other names."""
        *of, first, last = _Asked.of(postback, received_at)
        day = received_at.toordinal()
        return sorted({turn + day - at for turn in self._turned(*of) for at in (first, last)})

    def _turns(self, *of: Any) -> list[int]:
        """The days from which on other lines may fit: between two of them all fit the same."""
        lines = (self._lines.get(place, ()) for place in _Asked._make((*of, 0, 0)).places())
        days = (day for some in lines for line in some for day in (line.first, line.last + 1))
        return sorted({0, *days})

    def _standing(self, asked: _Asked) -> list[_Line]:
        """Rows whose days fit, the most particular first, without those that others overrule."""
        standing: list[_Line] = []
        for place in asked.places():
            found = [
                line
                for line in self._lines.get(place, ())
                if line.first <= asked.last and line.last >= asked.first
            ]
            better = sorted(standing, key=itemgetter(0)) if found else []
            standing += [line for line in found if not _overruled(line, better, asked)]
        return standing


@lru_cache(REMEMBERED)
def _shown(version: str, window: int, hour: datetime) -> tuple[int, int]:
    """The first and the last day on which the ad of what arrived then can have been shown."""
    shown = advertised(version, window, hour)
    return shown.start.toordinal(), (shown.end - timedelta.resolution).toordinal()


def _places(entry: Entry) -> Iterator[tuple[Any, ...]]:
    """Where an entry is found: by each ending of its identifier, since Apple drops first digits."""
    network, app, source, campaign = entry.subject
    if not source:
        yield network, app, campaign, 0
    for digits in range(len(source)):
        yield network, app, source[digits:], len(source)


def _overruled(line: _Line, better: list[_Line], asked: _Asked) -> bool:
    """Whether on each of its days a `better` line names whatever `line` could; by first day."""
    whole = max(asked.source or "", line.identifier, key=len)
    day, last = max(asked.first, line.first), min(asked.last, line.last)
    for other in better:
        if other.first > day:
            break
        if whole.endswith(other.identifier):
            day = max(day, other.last + 1)
    return day > last


def _agreed(names: tuple[str, ...]) -> str:
    return names[0] if names.count(names[0]) == len(names) else ""


def entries(connection: Connection) -> list[Entry]:
    """The whole table, by network, app, identifier and first day."""
    columns = [column for column in CAMPAIGN.c if column.name != "id"]
    rows = connection.execute(select(*columns).order_by(*(CAMPAIGN.c[name] for name in KEY)))
    return [Entry(**row) for row in rows.mappings()]


def load_book(connection: Connection) -> CampaignBook:
    """The book of the table as it is now."""
    return CampaignBook(entries(connection))


def stamp(connection: Connection) -> bytes:
    """Another one whenever the table says something else; cheaper than `load_book`."""
    cells: Any = (func.coalesce(cast(column, Text), "") for column in CAMPAIGN.c)
    line = reduce(lambda all_, cell: all_ + "\t" + cell, cells)
    said = connection.scalar(select(func.aggregate_strings(line, "\n")))
    return blake2b((said or "").encode(), digest_size=16).digest()
