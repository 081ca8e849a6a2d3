"""What currencies are worth, on which day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Store
from skan_receiver.storage.rate_csv import read_csv, write_csv
from skan_receiver.storage.rates import NoRate, Quote, Rates, import_rates, load_rates, quotes

FRIDAY = date(2026, 11, 20)
DAY = timedelta(days=1)

# As https://www.ecb.europa.eu/stats/eurofxref/ has them: the history, and the file of the day.
HISTORY = """\
Date,USD,JPY,CYP,
2026-11-20,1.0841,163.2,N/A,
2026-11-19,1.0823,162.9,N/A,
"""
OF_THE_DAY = "Date, USD, JPY, \n20 November 2026, 1.0841, 163.2, \n"


def quote(currency: str, rate: float, day: date = FRIDAY, base: str = "EUR") -> Quote:
    return Quote(base=base, currency=currency, day=day, rate=rate)


RATES = Rates([quote("USD", 1.25), quote("JPY", 160), quote("USD", 1.5, FRIDAY - DAY)])


def mistakes(written: str | bytes) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_csv(written)
    return str(caught.value).splitlines()


def test_amounts_are_converted_by_the_rate_of_their_day() -> None:
    """Into the base, out of it, and through it."""
    assert RATES.convert(10, "USD", "EUR", FRIDAY) == 8
    assert RATES.convert(10, "EUR", "USD", FRIDAY) == 12.5
    assert RATES.convert(10, "USD", "JPY", FRIDAY) == 10 / 1.25 * 160
    assert RATES.convert(10, "USD", "EUR", FRIDAY - DAY) == pytest.approx(10 / 1.5)
    assert RATES.convert(10, "CHF", "CHF", date(1990, 1, 1)) == 10


def test_the_last_rate_stands_in_for_a_week() -> None:
    """Banks do not publish at weekends, nor over holidays; after that it is no rate any more."""
    assert RATES.factor("EUR", "USD", FRIDAY + 7 * DAY) == 1.25
    with pytest.raises(NoRate, match="no rate of USD for 2026-11-28 or the 7 days before"):
        RATES.factor("EUR", "USD", FRIDAY + 8 * DAY)
    with pytest.raises(NoRate, match="no rate of USD for 2026-11-18"):
        RATES.factor("USD", "EUR", FRIDAY - 2 * DAY)


def test_the_currency_without_a_rate_is_named() -> None:
    """Whichever of the two it is."""
    for pair in (("USD", "CHF"), ("CHF", "USD"), ("CHF", "EUR"), ("EUR", "CHF")):
        with pytest.raises(NoRate, match="CHF"):
            RATES.factor(*pair, FRIDAY)


def test_of_several_bases_the_most_recent_rates_count() -> None:
    """A central bank's, and a few of one's own."""
    own = [quote("EUR", 0.5, FRIDAY + DAY, "USD"), quote("BRL", 5.0, FRIDAY, "USD")]
    rates = Rates([quote("USD", 1.25), *own])

    assert rates.factor("USD", "EUR", FRIDAY) == 0.8
    assert rates.factor("USD", "EUR", FRIDAY + DAY) == 0.5
    assert rates.factor("USD", "BRL", FRIDAY) == 5
    with pytest.raises(NoRate):
        rates.factor("EUR", "BRL", FRIDAY)


currencies = st.sampled_from(["EUR", "USD", "JPY", "GBP"])
amounts = st.floats(0.01, 1e9)
worths = st.floats(1e-4, 1e5)


@st.composite
def books(draw: st.DrawFn) -> Rates:
    """Rates of each on the first day, and of some on the days after it."""
    first = [quote(name, draw(worths)) for name in ("USD", "JPY", "GBP")]
    more = draw(st.lists(st.tuples(st.sampled_from(["USD", "JPY"]), worths, st.integers(1, 7))))
    return Rates([*first, *(quote(name, rate, FRIDAY + n * DAY) for name, rate, n in more)])


days = st.integers(0, 7).map(lambda n: FRIDAY + n * DAY)


@given(books(), currencies, currencies, currencies, amounts, days)
def test_any_way_round_comes_to_the_same(
    rates: Rates, one: str, other: str, third: str, amount: float, day: date
) -> None:
    """There and back is where one was; by way of a third currency is as good as directly."""
    there = rates.convert(amount, one, other, day)

    assert rates.convert(there, other, one, day) == pytest.approx(amount)
    assert rates.convert(there, other, third, day) == pytest.approx(
        rates.convert(amount, one, third, day)
    )
    assert rates.convert(amount, one, one, day) == amount


@given(books(), currencies, currencies, st.lists(amounts, max_size=9), days)
def test_a_sum_converts_as_its_parts(
    rates: Rates, one: str, other: str, parts: list[float], day: date
) -> None:
    """Of one day."""
    whole = rates.convert(sum(parts), one, other, day)
    assert whole == pytest.approx(sum(rates.convert(part, one, other, day) for part in parts))


def test_the_central_banks_files_are_read_as_they_are() -> None:
    """The history and the file of the day; a currency that is no more has no rates."""
    usd, jpy = (
        Quote(base="EUR", currency=name, day=FRIDAY, rate=rate, source="ECB")
        for name, rate in (("USD", 1.0841), ("JPY", 163.2))
    )
    assert read_csv(HISTORY)[:2] == [usd, jpy]
    assert len(read_csv(HISTORY)) == 4
    assert read_csv(OF_THE_DAY.encode("utf-8-sig")) == [usd, jpy]


def test_every_mistake_is_told_with_its_line_and_column() -> None:
    """In either shape."""
    assert mistakes(
        "Date,USD,usd,EUR,\n2026-11-20,1.0.1,1,1,\n31 February 2026,1,1,1,x\n2026-11-19,-1,1,1,\n"
    ) == [
        "line 1: EUR: is no currency against the euro; name it as in USD, or delete it",
        "line 1: usd: is no currency against the euro; name it as in USD, or delete it",
        "line 2: USD: `1.0.1` is no rate; write a number above 0, like 1.0841",
        "line 3: Date: `2026-02-31` is no day; write it like 2026-11-30",
        "line 3: a column: has no name; delete the column, or name it",
        "line 4: USD: `-1` is no rate; write a number above 0, like 1.0841",
    ]
    assert mistakes("Date,USD\n2026-11-20,1\n2026-11-20,1\n") == [
        "line 3: Date: line 2 is of the same day; delete one of them"
    ]
    assert mistakes(
        "day,currency,rate,base\n2026-11-20,EUR,1,EUR\n2026-11-20,USD,0,EUR\n"
        "2026-11-20,CHF,1,EUR\n2026-11-20,chf,2,eur\n2026-11-20,GBP,inf,EUR\n"
    ) == [
        "line 2: currency: EUR is the base; delete the line",
        "line 3: rate: a rate of 0 makes nothing of everything; write a number above 0",
        "line 5: day: line 4 is of the same day; delete one of them",
        "line 6: rate: `inf` is no rate; write a number above 0, like 1.0841",
    ]
    assert mistakes("") == ["line 1: day: is missing; begin with day,currency,rate,base,source"]


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["EUR", "USD"]), st.sampled_from(["JPY", "GBP"]), days),
        st.floats(1e-9, 1e9),
    )
)
def test_what_is_written_is_read_again(rates: dict[tuple[str, str, date], float]) -> None:
    """To the last digit."""
    whole = [
        Quote(base=base, currency=currency, day=day, rate=rate, source="=own")
        for (base, currency, day), rate in rates.items()
    ]
    assert read_csv(write_csv(whole)) == whole


def test_rates_are_stored_by_day_and_corrected(store: Store) -> None:
    """The same day again replaces; a week before the first day is there for it."""
    import_rates(store, read_csv(HISTORY))
    import_rates(store, [quote("USD", 2.0)])

    with store.read() as connection:
        assert [one.rate for one in quotes(connection, currency="USD")] == [1.0823, 2.0]
        assert len(quotes(connection, first=FRIDAY, last=FRIDAY)) == 2
        rates = load_rates(connection, FRIDAY + DAY, FRIDAY + 2 * DAY)
        late = load_rates(connection, FRIDAY + 8 * DAY, FRIDAY + 9 * DAY)
    assert rates.factor("EUR", "USD", FRIDAY + 2 * DAY) == 2
    with pytest.raises(NoRate):
        late.factor("EUR", "USD", FRIDAY + 8 * DAY)
