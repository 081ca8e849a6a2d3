"""`estimate`: revenue behind withheld values, and installs behind arrivals."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click
import structlog

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.cli.supervisor import die_with_parent
from skan_receiver.config import Settings
from skan_receiver.estimating import OutOfTurn, Wanted, estimate_all, try_all, turn
from skan_receiver.estimating.process import NICE
from skan_receiver.storage import Store

log = structlog.get_logger("estimates")

COLUMNS = (
    *("what", "app_id", "window", "currency", "postbacks", "estimate", "low", "high"),
    *("seconds", "note"),
)


@click.command()
@click.option("--app", "app_id", type=click.IntRange(min=0, max=2**63 - 1), help="One app.")
@click.option("--days", type=click.IntRange(7, 400), help="Try with so many days; keep nothing.")
@click.option(
    "--sensitivity", type=click.FloatRange(-3, 3), help="Try with this one; keep nothing."
)
@click.option("--worker", type=int, hidden=True, help="The process whose job it is, if it is due.")
@as_json
def estimate(
    app_id: int | None,
    days: int | None,
    sensitivity: float | None,
    *,
    worker: int | None,
    as_json: bool,
) -> None:
    """Estimate revenue and installs anew, for the reports `revenue` and `installs`.

    Apps of which nothing has changed are left as they are. With --days or --sensitivity it is
    printed what those would give, and the reports stay as they are.
    """
    settings, store = open_store()
    # What is under way is given back on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if worker is not None:
        _work(settings, store, worker)
        return
    wanted = Wanted.of(settings)
    tried = replace(
        wanted,
        days=wanted.days if days is None else days,
        sensitivity=wanted.sensitivity if sensitivity is None else sensitivity,
    )
    if (days, sensitivity) != (None, None):
        show(map(_row, try_all(store, tried, app_id=app_id)), COLUMNS, as_json=as_json)
        return
    with turn(store) as keep:
        show(_rows(store, wanted, keep, app_id), COLUMNS, as_json=as_json)


def _rows(store: Store, wanted: Wanted, keep: Any, app_id: int | None) -> Iterator[dict[str, Any]]:
    yield from map(_row, estimate_all(store, wanted, keep, app_id=app_id))


def _work(settings: Settings, store: Store, parent: int) -> None:
    """Where somebody else was quicker, nothing is left to do."""
    from skan_receiver.web.logs import configure

    die_with_parent(parent)
    os.nice(NICE)
    configure(settings)
    every = timedelta(hours=settings.estimate_hours)
    with suppress(OutOfTurn), turn(store, every=every) as keep:
        for made in estimate_all(store, Wanted.of(settings), keep):
            run = made.run
            told = {name: getattr(run, name) for name in ("what", "app_id", "window", "seconds")}
            log.info("estimated", **told, postbacks=made.postbacks, why_not=run.why_not)


def _row(made: Any) -> dict[str, Any]:
    run, total = made.run, made.total
    worth = (total.mean, total.low, total.high) if total else (None, None, None)
    names = ("what", "app_id", "window", "currency")
    return {
        **{name: getattr(run, name) for name in names},
        "postbacks": made.postbacks,
        **{
            name: None if n is None else round(n, 2)
            for name, n in zip(("estimate", "low", "high"), worth, strict=True)
        },
        "seconds": run.seconds,
        "note": run.why_not,
    }
