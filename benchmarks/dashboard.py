"""How long reports take over a year of 10 M postbacks, from the narrow counts of each store.

    python -m benchmarks.dashboard [--postbacks 10000000] [--changes 1] [--stores sqlite,postgres]

The world is drawn (`benchmarks.world`): three apps, eight networks, SKAdNetwork 2.2, 3.0 and 4.0
and AdAttributionKit, all windows, all values with a long tail, hourly with a daily rhythm. It is
written as counts, as settling it would have left them. Each app has a schema; with `--changes`, so
many newer versions of it in the year: while one replaces another, counts are read hour by hour.
Each report is asked as pages ask it, over a year, a month and a day; medians, in milliseconds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from sqlalchemy import Connection, func, select

from benchmarks.bulk import put
from benchmarks.deliver import STORES, quiet, store
from benchmarks.world import APPS, START, World, draw
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.storage import (
    CountCell,
    CountDay,
    CountHour,
    CountMonth,
    CountVolume,
    Store,
)
from skan_receiver.storage.columns import table
from skan_receiver.storage.counts import MEMBERS, cell_key, valueless
from skan_receiver.storage.schemas import Publication, publish

CELL = table(CountCell)
SCHEMA = Path(__file__).parent.parent / "conversion_schemas" / "examples" / "bits.yaml"
SPANS = {"year": (0, 365), "month": (150, 180), "day": (200, 201)}
ASKED: Sequence[tuple[str, tuple[str, ...]]] = (
    ("volumes", ("day", "verdict")),
    ("volumes", ("hour", "verdict")),
    ("values", ("window",)),
    ("events", ("window",)),
    ("results", ("ad_network_id",)),
    ("results", ("app_id", "ad_network_id", "window")),
    ("windows", ("app_id", "ad_network_id")),
    ("roas", ("app_id", "ad_network_id")),
)
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postbacks", type=int, default=10_000_000)
    parser.add_argument("--changes", type=int, default=1)
    parser.add_argument("--stores", default=",".join(STORES))
    arguments = parser.parse_args()
    quiet()
    world = draw(arguments.postbacks)
    print(json.dumps({"postbacks": int(world.n.sum()), "cells": len(world.cells)}), flush=True)
    for name in arguments.stores.split(","):
        with store(name) as fresh:
            rows = fill(fresh, world)
            schemas(fresh, arguments.changes)
            print(json.dumps({"store": name, **rows, **measured(fresh)}, indent=2), flush=True)


def measured(fresh: Store) -> dict[str, Any]:
    """Each report over each span."""
    told: dict[str, Any] = {}
    for span, (first, last) in SPANS.items():
        period = Period(START + timedelta(days=first), START + timedelta(days=last))
        for name, by in ASKED:
            if "hour" in by and span != "day":
                continue
            took, busy = [], []
            for _ in range(ROUNDS):
                begun, cpu = time.perf_counter(), time.process_time()
                with fresh.read() as connection:
                    rows = ask(connection, name, period, by)
                took.append(time.perf_counter() - begun)
                busy.append(time.process_time() - cpu)
            told[f"{name} by {','.join(by)}, a {span}"] = {
                "ms": round(statistics.median(took) * 1e3),
                "of_which_cpu": round(statistics.median(busy) * 1e3),
                "rows": rows,
            }
    return {**told, "rss_mb": round(psutil.Process().memory_info().rss / 1e6)}


def ask(connection: Connection, name: str, period: Period, by: tuple[str, ...]) -> int:
    report = REPORTS[name]
    return len(report.table(connection, report.asked(Question(period=period, by=by))))


def schemas(fresh: Store, changes: int) -> None:
    """One for each app, and newer ones that replace it in the course of the year."""
    written = SCHEMA.read_text()
    for app_id in APPS:
        for number in range(changes + 1):
            text = written.replace("app: 1000000003", f"app: {app_id}")
            text = text.replace("mean: 45", f"mean: {45 + number}")
            since = START + timedelta(days=365 * number / (changes + 1)) if number else None
            publish(fresh, Publication(text, since), START, back_dated=True)


def fill(fresh: Store, world: World) -> dict[str, int]:
    """Write the world in every narrow grain; how many rows that makes."""
    keys = {cell_key(_members(cell)): cell for cell in world.cells}
    for cell in world.cells:
        other = valueless(_members(cell))
        keys.setdefault(cell_key(other), dict(zip(MEMBERS, other, strict=True)))
    ids = {key: number for number, key in enumerate(keys, 1)}
    rows = [{"id": ids[key], "key": key, **cell} for key, cell in keys.items()]
    fresh.write(lambda connection: connection.execute(CELL.insert(), rows))
    own = np.array([ids[cell_key(_members(cell))] for cell in world.cells])[world.cell]
    standing = [ids[cell_key(valueless(_members(cell)))] for cell in world.cells]
    hours, days, months = _times()
    day = world.hour // 24
    month = np.array([int(text[5:7]) - 1 for text in days])[day]
    for model, names, at, cell in (
        (CountHour, hours, world.hour, own),
        (CountDay, days, day, own),
        (CountMonth, months, month, own),
        (CountVolume, days, day, np.array(standing)[world.cell]),
    ):
        times, cells, n = (column.tolist() for column in _summed(at, cell, world.n))
        counts = zip((names[time] for time in times), cells, n, strict=True)
        put(fresh, table(model), table(model).columns.keys(), counts)
    if not fresh.is_sqlite:
        with fresh.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    with fresh.read() as connection:
        return {
            str(model.__tablename__): connection.scalar(
                select(func.count()).select_from(table(model))
            )
            or 0
            for model in (CountCell, CountHour, CountDay, CountMonth, CountVolume)
        }


def _summed(at: Any, cell: Any, n: Any) -> tuple[Any, Any, Any]:
    """By time and cell, in their order."""
    width = int(cell.max()) + 1
    keys, which = np.unique(at.astype(np.int64) * width + cell, return_inverse=True)
    return keys // width, keys % width, np.bincount(which, weights=n).astype(np.int64)


def _times() -> tuple[list[str], list[str], list[str]]:
    """The hours, days and months of the year, as they are kept."""
    hours = [START + timedelta(hours=number) for number in range(365 * 24)]
    days = sorted({f"{hour:%Y-%m-%d}" for hour in hours})
    return (
        [f"{hour:%Y-%m-%d %H:%M:%S.000000}" for hour in hours],
        days,
        sorted({f"{day[:7]}-01" for day in days}),
    )


def _members(cell: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(cell[name] for name in MEMBERS)


if __name__ == "__main__":
    main()
