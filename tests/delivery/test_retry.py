"""When a delivery is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from skan_receiver.delivery.retry import Retry, Try

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Steady(Random):
    """No jitter."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def waits(status: int | None) -> list[float]:
    """The waits between tries that all end so."""
    retry = Retry(chance=Steady())
    found: list[float] = []
    for number in range(1, 100):
        following = retry.after(Try(number, status, refusals=number - 1), NOW)
        if following.state == "dead":
            return found
        found.append(following.again.total_seconds())
    raise AssertionError("it never ends")


@pytest.mark.parametrize("status", [None, 100, 301, 302, 408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_twelve_times_over_three_days(status: int | None) -> None:
    """Seconds first, a day at last."""
    found = waits(status)
    assert found[:3] == [5, 30, 120]
    assert len(found) == 11
    assert sum(found) / 3600 == pytest.approx(75.7, abs=0.1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422, 451])
def test_what_is_refused_is_tried_four_times_in_a_day(status: int) -> None:
    """A person mends credentials in hours, not seconds."""
    assert waits(status) == [3600, 5 * 3600, 18 * 3600]


def test_trouble_before_a_refusal_does_not_use_up_its_tries() -> None:
    """Nine time-outs, then the first 401: it has three more tries."""
    following = Retry(chance=Steady()).after(Try(10, 401, refusals=0), NOW)
    assert (following.state, following.again) == ("owed", timedelta(hours=1))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_taken_is_done(status: int) -> None:
    """Any 2xx."""
    assert Retry().after(Try(12, status), NOW).state == "done"


def test_what_can_never_be_sent_is_dead_at_once() -> None:
    """A forbidden address stays forbidden."""
    assert Retry().after(Try(1, None, permanent=True), NOW).state == "dead"


def test_gone_waits() -> None:
    """410 closes the destination; what it is owed is not lost by that."""
    assert Retry().after(Try(1, 410), NOW).state == "owed"


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        ("3", 5),
        ("0", 5),
        ("-1", 5),
        ("99999999999999999999", 86_400),
        ("Mon, 23 Nov 2026 12:10:00 GMT", 600),
        ("Mon, 23 Nov 2020 12:10:00 GMT", 5),
        ("Mon, 23 Nov 2099 12:10:00 GMT", 86_400),
        ("Mon, 23 Nov 2026 12:10:00 -0000", 5),
        ("Mon, 99 Nov 2026 12:10:00 GMT", 5),
        ("Mon, 1 Jan 99999999999 00:00:00 GMT", 5),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86_400),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 5),
        ("soon", 5),
        ("²", 5),
        ("", 5),
        (None, 5),
    ],
)
def test_a_destination_may_ask_for_time(asked: str | None, seconds: int) -> None:
    """For more than the next wait, up to a day; never for less; nonsense is not heard."""
    following = Retry(chance=Steady()).after(Try(1, 429, retry_after=asked), NOW)
    assert following.again.total_seconds() == seconds


def test_waits_are_spread_by_a_fifth() -> None:
    """What failed together must not come back together."""
    retry = Retry(chance=Random(1))
    found = [retry.after(Try(5, 500), NOW).again.total_seconds() for _ in range(1_000)]
    assert 1440 <= min(found) < 1500
    assert 2100 < max(found) <= 2160
