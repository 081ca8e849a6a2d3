"""Amounts in the currency that was asked for, each by the rate of its day.

What is summed by then has no day any more: so where amounts are converted, cells are split by day
as well, whatever the rows are split by.
"""

from collections.abc import Callable
from datetime import date
from functools import cache

from sqlalchemy import Connection

from skan_receiver.reports.question import Question, Unanswerable
from skan_receiver.storage.rates import NoRate, load_rates

# Of a currency: the one that an amount is told in, and what to multiply it by.
Exchange = Callable[[str], tuple[str, float]]


def unchanged(currency: str) -> tuple[str, float]:
    """Each in its own."""
    return currency, 1.0


def dated(question: Question) -> Question:
    """The question split by day as well, where days are needed."""
    if not question.currency or "day" in question.by:
        return question
    return question.but(by=(*question.by, "day"))


def exchanges(connection: Connection, question: Question) -> Callable[[date | None], Exchange]:
    """By which rates amounts of a day are converted; None where no currency was asked for.

    Without a rate nothing is told at all: a sum without some of its amounts would be a wrong one.
    It then raises Unanswerable.
    """
    if (into := question.currency) is None:
        return lambda _day: unchanged
    period = question.period
    rates = load_rates(connection, period.first_day, period.last_day)

    @cache
    def factor(currency: str, day: date) -> float:
        try:
            return rates.factor(currency, into, day)
        except NoRate as error:
            remedy = "import some, or leave --currency out: skan-receiver rates import FILE"
            raise Unanswerable("currency", f"{error}; {remedy}") from None

    def on(day: date | None) -> Exchange:
        assert day is not None  # `dated` splits by it
        return lambda currency: (into, factor(currency, day))

    return on
