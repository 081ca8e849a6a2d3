"""Meanings in words: "purchase 1–2 times, revenue 5.00–10.00 USD"."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from skan_receiver.conversion.ranges import Range

if TYPE_CHECKING:
    from skan_receiver.conversion.meaning import EventCount, Meaning, Revenue

KINDS = {"iap": "in-app revenue", "ad": "ad revenue", "total": "revenue"}


def in_words(meaning: "Meaning") -> str:
    """What the value says, without the author's label; "nothing certain" if it says nothing."""
    return ", ".join(_parts(meaning)) or "nothing certain"


def _parts(meaning: "Meaning") -> Iterator[str]:
    for event in meaning.events:
        yield from event_words(event)
    for revenue in meaning.revenue:
        yield revenue_words(revenue)
    if meaning.time is not None:
        yield f"last active {span(meaning.time)} after the install"
    for flag, is_set in meaning.flags:
        yield flag if is_set else f"not {flag}"


def event_words(event: "EventCount") -> Iterator[str]:
    if (event.min, event.max) != (0, None):
        yield times(event.name, event.min, event.max)
    if event.revenue is not None:
        yield f"{event.name} worth {money(event.revenue.range)} {event.revenue.currency}"


def revenue_words(revenue: "Revenue") -> str:
    name = KINDS[revenue.kind]
    if revenue.range.min == revenue.range.max == 0:
        return f"no {name}"
    return f"{name} {money(revenue.range)} {revenue.currency}".rstrip()


def times(name: str, least: int, most: int | None) -> str:
    if most == 0:
        return f"no {name}"
    if most is None:
        return f"{name} at least once" if least == 1 else f"{name} at least {least} times"
    if least == most:
        return f"{name} once" if least == 1 else f"{name} {least} times"
    return f"{name} at most {_times(most)}" if least == 0 else f"{name} {least}–{most} times"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def money(range_: Range) -> str:
    """Two decimals; the bounds themselves are in the JSON form."""
    if range_.max is None:
        return ("over " if range_.start[1] else "from ") + f"{range_.min:.2f}"
    if range_.start == (0.0, 0):
        return ("up to " if range_.end[1] else "under ") + f"{range_.max:.2f}"
    return f"{range_.min:.2f}" if range_.min == range_.max else f"{range_.min:.2f}–{range_.max:.2f}"


def span(hours: Range) -> str:
    """In days where whole days are meant, else in hours."""
    days = hours.min % 24 == 0 and (hours.max is None or hours.max % 24 == 0)
    unit, size = ("day", 24) if days else ("hour", 1)
    least, most = hours.min / size, None if hours.max is None else hours.max / size
    if most is None:
        return f"at least {_of(least, unit)}"
    return f"{least:g}–{_of(most, unit)}" if least else f"less than {_of(most, unit)}"


def _of(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
