"""What a report is asked: of when, of which postbacks, split by what, dated and paid how."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from skan_receiver.errors import SkanError
from skan_receiver.reports.filters import Filters
from skan_receiver.reports.period import Period, zone_named
from skan_receiver.storage.spreadsheet import fault

# What the date of a row is of.
ARRIVAL: Final = "arrival"
INSTALL: Final = "install"
BASES = (ARRIVAL, INSTALL)
USUAL: Final = "usual"  # what a report has when nothing is said

EVERYTHING = Filters()


class Unanswerable(SkanError):
    """A report cannot answer that; `field` is what was asked wrongly, the message the remedy."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field}: {what}")
        self.field = field
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a report is asked. Days are those of the period's time zone."""

    period: Period
    by: tuple[str, ...] = ()
    filters: Filters = EVERYTHING
    basis: str = ARRIVAL
    currency: str | None = None  # amounts are converted into it; None: each in its own
    statement: str | None = None  # whose numbers to compare with
    as_of: datetime | None = None  # when it is asked, for what has still to come

    def but(self, **changes: Any) -> "Question":
        """The same, with changes."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A question as people write it."""

    start: str | None = None
    end: str | None = None
    zone: str | None = None
    by: Sequence[str] = ()
    filters: Filters = EVERYTHING
    basis: str | None = None
    currency: str | None = None
    statement: str | None = None

    def read(self, now: datetime) -> Question:
        """What is meant. Raises Unanswerable."""
        filters = ((name, text) for name, given in self.filters.given() for text in _texts(given))
        for name, text in (*filters, ("statement", self.statement or "")):
            if wrong := fault(text):
                raise Unanswerable(name, wrong)
        try:
            zone = zone_named(self.zone or "UTC")
        except ValueError as error:
            raise Unanswerable("tz", str(error)) from None
        try:
            period = Period.of(self.start, self.end, now, zone)
        except ValueError as error:
            raise Unanswerable("from, to", str(error)) from None
        return Question(
            period=period,
            by=tuple(dict.fromkeys(self.by)),
            filters=self.filters,
            basis=self.basis or USUAL,
            currency=_currency(self.currency),
            statement=self.statement,
            as_of=now,
        )


def _texts(given: Any) -> Iterator[str]:
    each = given if isinstance(given, tuple) else (given,)
    return (one for one in each if isinstance(one, str))


def _currency(written: str | None) -> str | None:
    if not written:
        return None
    if not (len(written) == 3 and written.isascii() and written.isalpha()):
        raise Unanswerable("currency", f"{written!r} is no currency; write three letters: EUR")
    return written.upper()
