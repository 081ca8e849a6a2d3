"""What values mean, as small tables to join: the schemas' versions, and when each was in force.

The same as `storage.meanings.Book` says one value at a time:

    closing   values that lock their window by every version in question, which narrows those
    force     which version was in force for what arrived in an hour, with its weight
    read      values that a version knows
    events    how often an event happened by a value
    revenue   what a value says was earned

A value is text here, fine or coarse; a conversion type that is absent is the empty text.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, pairwise, product
from operator import itemgetter
from typing import Any

import pyarrow as pa

from skan_receiver.conversion import Schema, decode
from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.conversion.force import in_force, in_order
from skan_receiver.conversion.meaning import COARSE, FINE
from skan_receiver.conversion.timing import CLOCKS, HOUR, Interval, arrivals, evaluated, locks
from skan_receiver.errors import SchemaError
from skan_receiver.reports.tally import revenue_of
from skan_receiver.storage.meanings import LEAST, Arrived
from skan_receiver.storage.schemas import Version, read

TYPES = (None, "download", "redownload", "re-engagement")
# Every arrival lies between; clocks of some engines end in 2262.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

_MOMENT = pa.timestamp("us", tz="UTC")
_NUMBER, _TEXT, _AMOUNT, _YES_NO = pa.int64(), pa.string(), pa.float64(), pa.bool_()

_WHEN = {"app_id": _NUMBER, "window": _NUMBER, "rising": _YES_NO, "start": _MOMENT, "end": _MOMENT}
_VALUE = {"type": _TEXT, "value": _TEXT}
_READ = {"app_id": _NUMBER, "window": _NUMBER, "schema_version": _NUMBER, **_VALUE}
_BOUNDS = {"least": _AMOUNT, "most": _AMOUNT}

SCHEMAS = {
    "closing": pa.schema({**_WHEN, **_VALUE}),
    "force": pa.schema({**_WHEN, "locked": _YES_NO, "schema_version": _NUMBER, "weight": _AMOUNT}),
    "read": pa.schema(_READ),
    "events": pa.schema({**_READ, "event": _TEXT, **_BOUNDS}),
    "revenue": pa.schema({**_READ, "currency": _TEXT, **_BOUNDS, "middle": _AMOUNT}),
}

Row = tuple[Any, ...]


@dataclass(slots=True)
class Meanings:
    """The rows of each table."""

    closing: list[Row] = field(default_factory=list)
    force: list[Row] = field(default_factory=list)
    read: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    revenue: list[Row] = field(default_factory=list)

    def table(self, name: str) -> pa.Table:
        """One of them."""
        rows, schema = getattr(self, name), SCHEMAS[name]
        columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
        arrays = [pa.array(list(c), f.type) for c, f in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)


def meanings_of(versions: Iterable[Version]) -> Meanings:
    """The tables of these versions."""
    apps: defaultdict[int, list[Version]] = defaultdict(list)
    for version in versions:
        apps[version.app_id].append(version)
    made = Meanings()
    for of_app in apps.values():
        schemas = {one.number: schema for one in of_app if (schema := _readable(one))}
        for number, schema in schemas.items():
            _read(made, schema, number)
        for window in range(len(CLOCKS)):
            _in_force(made, of_app, schemas, window, rising=False)
        # Up to SKAdNetwork 3 there is one window.
        _in_force(made, of_app, schemas, 0, rising=True)
    return made


def _readable(version: Version) -> Schema | None:
    """None where an earlier release took what this one refuses."""
    try:
        return read(version.text)
    except SchemaError:
        return None


def _valued(app_id: int, window: int) -> Iterator[Arrived]:
    for type_, value in product(TYPES, FINE + COARSE):
        fine, coarse = (value, None) if isinstance(value, int) else (None, value)
        yield Arrived(app_id, "", window, type_, fine, coarse, FIRST)


def _key(one: Arrived) -> tuple[str, str]:
    value = one.coarse_value if one.fine_value is None else one.fine_value
    return one.conversion_type or "", str(value)


def _read(made: Meanings, schema: Schema, number: int) -> None:
    for window in range(len(CLOCKS)):
        for one in _valued(schema.app_id, window):
            if (meaning := decode(one, schema).meaning) is None:
                continue
            key = (schema.app_id, window, number, *_key(one))
            made.read.append(key)
            made.events += [(*key, e.name, float(e.min), _float(e.max)) for e in meaning.events]
            made.revenue += [
                (*key, worth.currency, worth.min, worth.max, worth.middle)
                for worth in revenue_of(meaning)
            ]


def _float(number: int | None) -> float | None:
    return None if number is None else float(number)


def _in_force(
    made: Meanings,
    versions: Sequence[Version],
    schemas: dict[int, Schema],
    window: int,
    *,
    rising: bool,
) -> None:
    app_id = versions[0].app_id
    effects = [version.effect for version in versions]
    # Any version of its kind: what matters is whether a rise restarts the timer.
    of = next(iter(RISING_ONLY)) if rising else ""
    doubtful: list[tuple[tuple[int, ...], Interval]] = []
    for span in _spans(versions, window):
        when = (app_id, window, rising, span.start, span.end)
        weights = in_force(effects, evaluated(of, window, span.start))
        made.force += [(*when, False, number, weight) for number, weight in weights]
        if len(weights) > 1 and sum(weight for _, weight in weights) > 1 - LEAST:
            closed = in_force(effects, evaluated(of, window, span.start, locked=True))
            made.force += [(*when, True, number, weight) for number, weight in closed]
            doubtful.append((tuple(number for number, _ in weights), span))
    for numbers, spans in groupby(doubtful, key=itemgetter(0)):
        keys = list(_closing([schemas.get(number) for number in numbers], app_id, window))
        for start, end in _together(span for _, span in spans):
            made.closing += [(app_id, window, rising, start, end, *key) for key in keys]


def _together(spans: Iterable[Interval]) -> Iterator[tuple[datetime, datetime]]:
    """Spans that follow each other, as one."""
    start: datetime | None = None
    end = FIRST
    for span in spans:
        if start is not None and span.start != end:
            yield start, end
            start = None
        start, end = start or span.start, span.end
    if start is not None:
        yield start, end


def _closing(
    schemas: Sequence[Schema | None], app_id: int, window: int
) -> Iterator[tuple[str, str]]:
    for one in _valued(app_id, window):
        if all(schema is not None and locks(one, schema) for schema in schemas):
            yield _key(one)


def _spans(versions: Sequence[Version], window: int) -> Iterator[Interval]:
    """Time in pieces: an hour each where versions are changing, else all that is read alike."""
    edges = {FIRST, LAST}
    for effect in in_order(version.effect for version in versions):
        change = arrivals(window, effect.effective_from, effect.effective_from + effect.rollout)
        at, upto = max(_floor(change.start), FIRST), min(_floor(change.end) + 2 * HOUR, LAST)
        while at <= upto:
            edges.add(at)
            at += HOUR
    for start, end in pairwise(sorted(edges)):
        yield Interval(start, end)


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
