"""How often one may guess, whoever counts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from skan_receiver.storage import Store
from skan_receiver.storage.guesses import GUESS, WINDOW, TooManyGuesses, guess, take_back

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def kept(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(GUESS)) or 0


def test_the_limit_is_per_source_and_per_minute(store: Store) -> None:
    """Whoever guessed too often waits for the oldest guess to grow old; others do not."""
    for n in range(2):
        guess(store, {("192.0.2.1", "admin"): 2}, NOW + timedelta(seconds=10 * n))
    now = NOW + timedelta(seconds=20)
    with pytest.raises(TooManyGuesses) as refused:
        guess(store, {("192.0.2.1", "admin"): 2, ("192.0.2.1",): 9}, now)
    assert refused.value.seconds == 40
    assert kept(store) == 2
    guess(store, {("192.0.2.1", "ada"): 2}, now)
    guess(store, {("192.0.2.1admin",): 2}, now)
    guess(store, {("192.0.2.1", "admin"): 2}, NOW + WINDOW)


def test_what_is_old_is_forgotten_by_whoever_guesses_next(store: Store) -> None:
    """A scan of an hour ago takes no room."""
    for number in range(50):
        guess(store, {("192.0.2.1", str(number)): 5}, NOW)
    guess(store, {("192.0.2.2",): 5}, NOW + timedelta(hours=1))
    assert kept(store) == 1


def test_a_right_one_does_not_count(store: Store) -> None:
    """Nobody is slowed down by knowing their password, and what was wrong before stays."""
    guess(store, {("192.0.2.1",): 2}, NOW)
    for n in range(1, 5):
        take_back(store, guess(store, {("192.0.2.1",): 2}, NOW + timedelta(seconds=n)))
    assert kept(store) == 1


def test_of_many_at_once_no_more_are_looked_at_than_may_be(store: Store) -> None:
    """However many processes: those that come together are counted one after the other."""
    others = [Store(str(store.url.render_as_string(hide_password=False))) for _ in range(4)]

    def tries(n: int) -> bool:
        try:
            guess(others[n % 4], {("192.0.2.1",): 5}, NOW + timedelta(milliseconds=n))
        except TooManyGuesses:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        looked_at = sum(pool.map(tries, range(40)))
    for other in others:
        other.close()
    assert (looked_at, kept(store)) == (5, 5)
