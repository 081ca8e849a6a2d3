"""What MMPs write, read: absent is absent, exact is exact, nonsense is named."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.mmp.event import Att, Platform
from skan_receiver.mmp.providers import values

MILLISECOND = timedelta(milliseconds=1)
moments = st.datetimes(
    datetime(2002, 1, 1),  # noqa: DTZ001  # bounds are naive by its contract
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))


@pytest.mark.parametrize(
    "nothing",
    [
        *(None, "", "  ", "null", "None", "NULL", "N/A", "undefined", "nan"),
        *("{idfa}", "{cl?Network}", "{{idfa}}", "(idfa)", "(install-unix-ts)"),
        *("${(user_data.idfa)!}", "${idfa}"),
    ],
)
def test_what_says_nothing_is_absent(nothing: object) -> None:
    """A macro that nobody replaced would otherwise be everybody's id."""
    assert values.said(nothing) is None


@pytest.mark.parametrize("name", ["Spring (UK)", "(Spring Sale)", "{a b}", "0", "Nonesuch", "$5"])
def test_what_only_looks_like_nothing_is_kept(name: str) -> None:
    """Campaigns are called all sorts of things."""
    assert values.said(name) == name


@pytest.mark.parametrize("zeros", ["0", "0000-0000", "00000000-0000-0000-0000-000000000000"])
def test_an_id_of_zeros_is_nobodys(zeros: str) -> None:
    """It is what a phone says that has none to give."""
    assert values.person(zeros) is None


@given(at=moments)
def test_a_time_is_the_same_however_it_is_told(at: datetime) -> None:
    """Seconds, milliseconds, microseconds, ISO with and without a zone, as AppsFlyer writes it."""
    milliseconds = (at - values.EPOCH) // MILLISECOND
    elsewhere = at.astimezone(timezone(timedelta(hours=-5, minutes=-30)))
    naive = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    assert values.moment(str(milliseconds)) == at
    assert values.moment(f"{milliseconds // 1000}.{milliseconds % 1000:03}") == at
    assert values.moment(str(milliseconds * 1000)) == at
    assert values.moment(str(milliseconds // 1000)) == at.replace(microsecond=0)
    assert values.moment(at.isoformat()) == at
    assert values.moment(elsewhere.isoformat()) == at
    assert values.moment(naive) == values.moment(f"{naive}+0000") == at
    assert values.moment(f"{naive} UTC") == at


@pytest.mark.parametrize("zero", ["0", "0000-00-00 00:00:00", "1970-01-01T00:00:00Z", "0.0"])
def test_a_time_of_zero_is_none(zero: str) -> None:
    """Nothing that is told happened in 1970."""
    assert values.moment(zero) is None


@given(amount=st.decimals(-(10**11), 10**11, places=6))
def test_an_amount_is_exact(amount: Decimal) -> None:
    """To the last digit, as text or out of JSON."""
    assert values.amount(str(amount)) == amount


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("at", "yesterday"),
        ("at", "20260304"),
        ("at", "177261800"[:8]),
        ("at", "9999-01-01"),
        ("revenue", "1,234.50"),
        ("revenue", "1e99"),
        ("revenue", "Infinity"),
        ("currency", "euro"),
        ("is_retargeting", "maybe"),
        ("country", "Germany"),
        ("att", "4"),
        ("app_id", "idxyz"),
        ("app_id", "9" * 19),
        ("idfa", "x" * 256),
    ],
)
def test_nonsense_is_refused_and_not_repeated(field: str, text: str) -> None:
    """The reason is logged, and the value may tell who somebody is."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        values.READERS[field](text)
    assert text not in str(caught.value)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_no_database_stores_is_refused(text: str) -> None:
    """NUL and half a surrogate pair would fail the whole batch in PostgreSQL."""
    with pytest.raises(ValueError, match=r"U\+0000|surrogate"):
        values.said(text)


def test_words_of_mmps_are_ours() -> None:
    """AppsFlyer's UK, numbers for ATT, Branch's platforms, ids with and without `id`."""
    assert (values.country("UK"), values.country("de")) == ("GB", "DE")
    assert [values.att(word) for word in ("3", "denied", "af_authorized")] == [
        Att.AUTHORIZED,
        Att.DENIED,
        None,
    ]
    assert [values.platform(word) for word in ("iOS", "ANDROID_APP", "roku")] == [
        Platform.IOS,
        Platform.ANDROID,
        None,
    ]
    assert values.app("id1555000111") == values.app("1555000111") == 1555000111
    assert values.app("com.example.teahouse") == "com.example.teahouse"
