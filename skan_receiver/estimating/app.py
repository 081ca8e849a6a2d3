"""All runs of one app."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from zlib import crc32

from skan_receiver.conversion import Schema
from skan_receiver.estimating import counted, installs
from skan_receiver.estimating.counted import Span
from skan_receiver.estimating.revenue import Grouped, Weights, estimated, grouped
from skan_receiver.estimating.scales import (
    NO_REVENUE,
    Inestimable,
    compiled,
    currencies,
    plans,
    scales_of,
)
from skan_receiver.estimating.sums import Sums
from skan_receiver.estimation import InstallSettings, Settings
from skan_receiver.storage import Store
from skan_receiver.storage.estimates import INSTALLS, REVENUE, EstimateRun
from skan_receiver.storage.meanings import NO_SCHEMA, Book
from skan_receiver.storage.schemas import Version, history

Drawn = tuple[EstimateRun, Sums]


@dataclass(frozen=True, slots=True)
class Task:
    """What is the same for all runs of an app."""

    app_id: int
    span: Span
    is_all: bool
    now: datetime
    settings: Settings
    seen: str

    def drawn(self, what: str, begun: float, sums: Sums, **more: Any) -> Drawn:
        """A run of this task; `more` are columns of its own."""
        run = EstimateRun(
            what=what,
            app_id=self.app_id,
            **{
                "start": self.span.start,
                "end": self.span.end,
                "is_all": self.is_all,
                "made_at": self.now,
                "seconds": round(time.monotonic() - begun, 3),
                "draws": 0 if more.get("why_not") else sums.draws,
                "settings": json.dumps(asdict(self.settings)),
                "seen": self.seen,
                **more,
            },
        )
        return run, sums

    def seeded(self, *about: object) -> Settings:
        """What is drawn apart has other chances; the same again has the same."""
        words = " ".join(map(str, (self.app_id, *about)))
        return replace(self.settings, seed=crc32(words.encode()) ^ self.settings.seed)


def runs(store: Store, task: Task) -> Iterator[Drawn]:
    """Revenue by window and currency, and installs. Nothing is read while anything is drawn."""
    with store.read() as connection:
        versions = history(connection, task.app_id)
        windows = counted.windows(connection, task.app_id, task.span)
    for window in windows:
        yield from _of_window(store, task, versions, window)
    if windows:
        yield _installs(store, task)


def _installs(store: Store, task: Task) -> Drawn:
    begun, span = time.monotonic(), installs.whole_days(task.span)
    settings = InstallSettings(draws=task.settings.draws, level=task.settings.level)
    with store.read() as connection:
        arrived = installs.arrived(connection, task.app_id, span)
    sums = installs.series(arrived, task.app_id, span, settings)
    told = json.dumps(asdict(settings))
    return task.drawn(INSTALLS, begun, sums, window=0, end=span.end, settings=told)


def _of_window(
    store: Store, task: Task, versions: Sequence[Version], window: int
) -> Iterator[Drawn]:
    weights = Weights(Book(versions), task.app_id, window, task.span)
    numbers = weights.numbers()
    known = {"window": window, "versions": json.dumps(numbers)}
    begun = time.monotonic()
    nothing = Sums(task.span.days, task.settings.draws)
    try:
        schemas = _schemas(versions, numbers)
        told = _currencies(schemas, window)
    except Inestimable as why:
        yield task.drawn(REVENUE, begun, nothing, **known, why_not=str(why))
        return
    with store.read() as connection:
        found = counted.arrivals(connection, task.app_id, window, task.span)
        by_plan, left_out = grouped(found, window, plans(schemas), weights)
    for currency in told:
        yield _of_currency(
            task, _Read(schemas, numbers, weights, by_plan, left_out), known, currency
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """What arrived of a window, and what its values can mean."""

    schemas: Sequence[Schema]
    numbers: Sequence[int]
    weights: Weights
    by_plan: dict[str, Grouped]
    left_out: Counter[str]


def _of_currency(task: Task, read: _Read, known: dict[str, Any], currency: str) -> Drawn:
    begun, sums = time.monotonic(), Sums(task.span.days, task.settings.draws)
    left_out, window = read.left_out.copy(), known["window"]
    try:
        scales = {
            plan: scales_of(read.schemas, read.numbers, window, plan, currency)
            for plan in read.by_plan
        }
    except Inestimable as why:
        return task.drawn(REVENUE, begun, sums, **known, currency=currency, why_not=str(why))
    for plan, of in read.by_plan.items():
        settings = task.seeded(window, plan, currency)
        estimated(scales[plan], read.numbers, of, read.weights, settings, sums, left_out)
    return task.drawn(
        REVENUE,
        begun,
        sums,
        **known,
        currency=currency,
        kind=", ".join(dict.fromkeys(one.kind for one in scales.values() if one.kind)),
        left_out=json.dumps(left_out),
    )


def _currencies(schemas: Sequence[Schema], window: int) -> list[str]:
    if not (told := currencies(schemas, window)):
        raise Inestimable(NO_REVENUE)
    return told


def _schemas(versions: Sequence[Version], numbers: Sequence[int]) -> list[Schema]:
    if not numbers:
        raise Inestimable(NO_SCHEMA)
    return compiled([one for one in versions if one.number in numbers])
