"""Estimates of what is stored: counts and schema versions in, runs with joint draws out.

    counted    what arrived, by day and source
    scales     what the schema versions in force say of revenue
    revenue    the two as cells, and the revenue behind them
    installs   installs by day behind arrivals by day
    sums       of which groups draws are kept
    app        all runs of an app
    process    the worker's: in a process of its own, when there is something new

It needs numpy and scipy; `missing` says which is not there. The mathematics: docs/estimation.md.
"""

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Store, estimates
from skan_receiver.storage.schemas import history

if TYPE_CHECKING:
    from skan_receiver.estimating.app import Task
    from skan_receiver.estimating.sums import Made

NEEDED = ("numpy", "scipy")

Clock = Callable[[], datetime]


def now() -> datetime:
    """The usual clock."""
    return datetime.now(UTC)


def missing() -> list[str]:
    """The libraries that estimates need and this install has not."""
    return [name for name in NEEDED if find_spec(name) is None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of estimates: of how many days, and what is assumed of withheld values."""

    days: int = 60
    sensitivity: float = 0.0
    doubt: float = 0.0
    draws: int = 400

    @classmethod
    def of(cls, settings: Settings) -> "Wanted":
        """As the deployment is set up."""
        return cls(settings.estimate_days, settings.estimate_sensitivity, settings.estimate_doubt)


def estimate_all(
    store: Store,
    wanted: Wanted,
    keep: Callable[[], None],
    *,
    app_id: int | None = None,
    clock: Clock = now,
) -> Iterator["Made"]:
    """Estimate each app of which something counts; each run, once it stands.

    What has not changed since it was estimated is left as it is. `keep` is that of one's turn.
    """
    for task in _tasks(store, wanted, app_id, clock):
        with store.read() as connection:
            if any(run.seen == task.seen for run in estimates.standing(connection, task.app_id)):
                continue
        yield from _keep(store, task, keep)


def try_all(
    store: Store, wanted: Wanted, *, app_id: int | None = None, clock: Clock = now
) -> Iterator["Made"]:
    """As `estimate_all`, and keep nothing."""
    from skan_receiver.estimating.app import runs

    for task in _tasks(store, wanted, app_id, clock):
        for run, sums in runs(store, task):
            yield sums.made(run)


class OutOfTurn(ConfigurationError):
    """Another process is estimating, or took over because this one was too slow."""


@contextmanager
def turn(
    store: Store, *, every: timedelta = timedelta(), clock: Clock = now
) -> Iterator[Callable[[], None]]:
    """Be the one who estimates; what is given is to be called now and then. Raises OutOfTurn.

    Who is told to stop is not done: the next one may begin at once. Who fails is, for a while.
    """
    holder = f"{socket.gethostname()} {os.getpid()}"
    if not estimates.take_turn(store, holder, clock(), every):
        raise OutOfTurn("another process is estimating, or has just done so")

    def keep() -> None:
        if not estimates.keep_turn(store, holder, clock()):
            raise OutOfTurn("it took so long that another process has begun to estimate")

    done = False
    try:
        yield keep
        done = True
    except Exception:
        done = True
        raise
    finally:
        estimates.end_turn(store, holder, clock(), done=done)


def _tasks(store: Store, wanted: Wanted, app_id: int | None, clock: Clock) -> Iterator["Task"]:
    if absent := missing():
        names = " and ".join(absent)
        raise ConfigurationError(f"estimates need {names}: pip install 'skan-receiver[analytics]'")
    from skan_receiver.estimating import counted
    from skan_receiver.estimating.app import Task
    from skan_receiver.estimation import Settings as Assumed

    span = counted.Span.of(wanted.days, clock())
    assumed = Assumed(sensitivity=wanted.sensitivity, doubt=wanted.doubt, draws=wanted.draws)
    with store.read() as connection:
        found = set(counted.apps(connection, span))
        found |= {run.app_id for run in estimates.standing(connection)}
    for one in sorted(found if app_id is None else found & {app_id}):
        with store.read() as connection:
            is_all = counted.is_all(connection, one, span)
            what = counted.fingerprint(connection, one, span), history(connection, one)
        seen = _hash(*what, span, astuple(wanted))
        yield Task(one, span, is_all, clock(), assumed, seen)


def _keep(store: Store, task: "Task", keep: Callable[[], None]) -> Iterator["Made"]:
    from skan_receiver.estimating.app import runs

    # What somebody left who was killed.
    estimates.drop_fallen(store, task.app_id)
    made, ids = [], []
    for run, sums in runs(store, task):
        keep()
        number = store.write(lambda connection, run=run: estimates.begin(connection, run))  # type: ignore[misc]  # bound at once
        estimates.put(store, number, sums.rows())
        ids.append(number)
        made.append(sums.made(run))
    estimates.stand(store, task.app_id, ids)
    yield from made


def _hash(*what: Any) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()
