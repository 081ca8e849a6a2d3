"""Rates of exchange: what an amount of one currency is in another, on a day.

Rates are against a base, so one currency into another goes through it. Banks publish on working
days: of a day without a rate the most recent one before it stands in, for a week at most.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from operator import itemgetter

from sqlalchemy import Connection, select

from skan_receiver.errors import SkanError
from skan_receiver.storage.columns import table
from skan_receiver.storage.money import Rate
from skan_receiver.storage.store import Store
from skan_receiver.storage.upsert import put

RATE = table(Rate)
KEY = ("base", "currency", "day")

# Easter at the European Central Bank: Good Friday to Easter Monday, and as much again to spare.
STANDS_IN = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """So many units of `currency` for one of `base`."""

    base: str
    currency: str
    day: date
    rate: float
    source: str = ""


class NoRate(SkanError):
    """There is no rate of a currency for a day, nor for the week before it."""

    def __init__(self, currency: str, day: date) -> None:
        super().__init__(f"there is no rate of {currency} for {day} or the 7 days before")
        self.currency, self.day = currency, day


# By currency: days in order, and the rate of each.
Series = tuple[Sequence[date], Sequence[float]]


class Rates:
    """Converts by dated rates. Knows no database."""

    def __init__(self, quotes: Iterable[Quote]) -> None:
        lists: defaultdict[str, defaultdict[str, dict[date, float]]]
        lists = defaultdict(lambda: defaultdict(dict))
        for quote in quotes:
            lists[quote.base][quote.currency][quote.day] = quote.rate
        self._bases = {
            base: {currency: _series(rates) for currency, rates in of.items()}
            for base, of in sorted(lists.items())
        }

    def factor(self, currency: str, into: str, day: date) -> float:
        """What one unit of `currency` is in `into`.

        Where several bases know both, the one whose rates are the most recent. Raises NoRate.
        """
        if currency == into:
            return 1.0
        found = [
            (min(a[0], b[0]), b[1] / a[1])
            for base in self._bases
            if (a := self._latest(base, currency, day)) and (b := self._latest(base, into, day))
        ]
        if not found:
            raise NoRate(self._missing(currency, into, day), day)
        return max(found, key=itemgetter(0))[1]

    def convert(self, amount: float, currency: str, into: str, day: date) -> float:
        """An amount of `currency` in `into`. Raises NoRate."""
        return amount * self.factor(currency, into, day)

    def _latest(self, base: str, currency: str, day: date) -> tuple[date, float] | None:
        """The rate that stands on a day, and the day that it is of."""
        if currency == base:
            return day, 1.0
        days, rates = self._bases[base].get(currency, ((), ()))
        place = bisect_right(days, day) - 1
        if place < 0 or days[place] < day - STANDS_IN:
            return None
        return days[place], rates[place]

    def _missing(self, currency: str, into: str, day: date) -> str:
        """Which of the two no base has a rate of; the first, where each has one elsewhere."""
        known = [
            any(self._latest(base, one, day) for base in self._bases) for one in (currency, into)
        ]
        return into if known == [True, False] else currency


def _series(rates: dict[date, float]) -> Series:
    days = sorted(rates)
    return days, [rates[day] for day in days]


def load_rates(connection: Connection, first: date, last: date) -> Rates:
    """The rates that stand on any of these days."""
    return Rates(quotes(connection, first=first - STANDS_IN, last=last))


def quotes(
    connection: Connection,
    *,
    currency: str | None = None,
    first: date | None = None,
    last: date | None = None,
) -> list[Quote]:
    """What is stored, of one currency or all, between two days; by day."""
    chosen = [
        *([RATE.c.currency == currency] if currency else ()),
        *([RATE.c.day >= first] if first else ()),
        *([RATE.c.day <= last] if last else ()),
    ]
    order = (RATE.c.day, RATE.c.base, RATE.c.currency)
    rows = connection.execute(select(RATE).where(*chosen).order_by(*order))
    return [Quote(**row) for row in rows.mappings()]


def import_rates(store: Store, rows: Sequence[Quote]) -> None:
    """Add rates, in place of those of the same day, currency and base; all, or none."""
    # In the order of the key, as every writer: two in other orders would deadlock on PostgreSQL.
    ordered = sorted(map(asdict, rows), key=itemgetter(*KEY))
    store.write(lambda connection: put(connection, RATE, ordered, KEY))
