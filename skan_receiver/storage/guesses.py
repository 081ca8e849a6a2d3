"""How often one may guess a password: counted here, by all processes and machines together.

Counted by where guesses come from, so that nobody can lock anybody else out. A guess is written
down before it is looked at, and taken back if it was right: of many at once no more are looked at
than may be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text

from skan_receiver.errors import SkanError
from skan_receiver.storage.columns import table
from skan_receiver.storage.people import Guess
from skan_receiver.storage.store import Store

GUESS = table(Guess)

WINDOW = timedelta(minutes=1)

Source = tuple[str, ...]


class TooManyGuesses(SkanError):
    """This source has to wait; `seconds` says how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many wrong guesses; the next one is possible in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Guessed:
    """A guess that was written down."""

    sources: tuple[bytes, ...]
    at: datetime


def guess(store: Store, limits: Mapping[Source, int], now: datetime) -> Guessed:
    """Write down that each of these sources guesses, which may do so `limits` times in a minute.

    Raises TooManyGuesses, and writes nothing down, where one of them may not: whoever goes on
    guessing waits no longer for it.
    """
    allowed = {_digest(source): limit for source, limit in limits.items()}
    # Most of a flood ends here, and keeps no writer waiting.
    with store.read() as connection:
        _refuse_too_many(connection, allowed, now)
    rows = [{"source": source, "at": now} for source in allowed]

    def work(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            # One at a time: two that count at once would both find room for the last one.
            connection.execute(text("LOCK TABLE guess IN EXCLUSIVE MODE"))
        connection.execute(delete(GUESS).where(GUESS.c.at <= now - WINDOW))
        _refuse_too_many(connection, allowed, now)
        connection.execute(insert(GUESS), rows)

    store.write(work)
    return Guessed(tuple(allowed), now)


def take_back(store: Store, guessed: Guessed) -> None:
    """It was right, or nobody looked at it."""
    these = GUESS.c.source.in_(guessed.sources) & (GUESS.c.at == guessed.at)
    store.write(lambda connection: connection.execute(delete(GUESS).where(these)))


def _refuse_too_many(connection: Connection, allowed: Mapping[bytes, int], now: datetime) -> None:
    """TooManyGuesses where a source has none left; it waits for its oldest to grow old."""
    lately = (
        select(GUESS.c.source, func.count().label("guesses"), func.min(GUESS.c.at).label("oldest"))
        .where(GUESS.c.source.in_(allowed), GUESS.c.at > now - WINDOW)
        .group_by(GUESS.c.source)
    )
    rows = connection.execute(lately)
    waits = [_wait(row, now) for row in rows if row.guesses >= allowed[row.source]]
    if waits:
        raise TooManyGuesses(max(waits))


def _wait(row: Row[Any], now: datetime) -> float:
    until: timedelta = row.oldest + WINDOW - now
    return until.total_seconds()


def _digest(source: Source) -> bytes:
    return blake2b(repr(source).encode(), digest_size=16).digest()
