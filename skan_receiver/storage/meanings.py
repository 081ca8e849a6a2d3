"""What a stored value means. Commands, pages, the API and reports all ask here.

Meanings are joined when somebody asks: a version published later, or with an earlier date,
changes every answer and no stored row.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from skan_receiver.conversion import Decoded, Schema, decode
from skan_receiver.conversion.decode import Valued
from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.conversion.force import Effect, Weights, in_order, shares
from skan_receiver.conversion.timing import evaluated, locks
from skan_receiver.errors import SchemaError
from skan_receiver.storage.columns import hour_of
from skan_receiver.storage.counts import ABSENT, NOTHING
from skan_receiver.storage.schemas import Version, history, read

NO_SCHEMA = "no schema"
UNREADABLE = "this release cannot read the schema"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A value that arrived: what is asked of a postback, and of a cell of counts alike."""

    app_id: int
    version: str  # SKAdNetwork's; empty for AdAttributionKit
    window: int
    conversion_type: str | None
    fine_value: int | None
    coarse_value: str | None
    hour: datetime

    @classmethod
    def of(cls, postback: Any, received_at: datetime) -> "Arrived":
        """Of a row of `postback`, or of a parsed one."""
        return cls(
            postback.app_id,
            postback.version,
            postback.window,
            postback.conversion_type,
            postback.fine_value,
            postback.coarse_value,
            hour_of(received_at),
        )

    @classmethod
    def of_cell(cls, cell: Any) -> "Arrived":
        """Of a row of `count_hour`, where what is absent has a value of its own."""
        return cls(
            cell.app_id,
            cell.version,
            cell.window,
            None if cell.conversion_type == NOTHING else cell.conversion_type,
            None if cell.fine_value == ABSENT else cell.fine_value,
            None if cell.coarse_value == NOTHING else cell.coarse_value,
            cell.hour,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What the value means if `version` was in force, and how likely that is."""

    version: Version
    weight: float
    decoded: Decoded

    @property
    def certain(self) -> bool:
        """Whether no other version can have been in force."""
        return self.weight == 1.0

    def since_install(self, window: int, conversion_type: str | None) -> bool:
        """Whether values of a window tell of all since the install, and not of it alone."""
        schema = _compiled(self.version.text)
        told = schema.plan(conversion_type).get(window) if schema else None
        return told is not None and told.since_install

    @property
    def share(self) -> str:
        """The weight as people read it."""
        return share(self.weight)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "version": self.version.number,
            "weight": round(self.weight, 4),
            "effective_from": self.version.since,
            **self.decoded.as_dict(),
        }


Readings = tuple[Reading, ...]


def meanings(connection: Connection, postback: Any, received_at: datetime) -> Readings:
    """What a postback's value means by each version that can have been in force, by number.

    Empty where its app has no schema, or had none yet.
    """
    book = Book(history(connection, postback.app_id))
    return book.read(Arrived.of(postback, received_at))


class Book:
    """Versions of schemas, and what values mean by them. Remembers: made for one answer."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self._apps: defaultdict[int, dict[int, Version]] = defaultdict(dict)
        for version in versions:
            self._apps[version.app_id][version.number] = version
        self._effects: dict[int, list[Effect]] = {}
        self._weights: dict[tuple[Any, ...], Weights] = {}
        self._locking: dict[tuple[Any, ...], bool] = {}
        self._decoded: dict[tuple[Any, ...], Decoded] = {}
        self._readings: dict[tuple[Arrived, Weights], Readings] = {}

    def read(self, arrived: Arrived) -> Readings:
        """What a value means, as `meanings` tells it."""
        return self.weighed(arrived, self.weights(arrived, arrived.hour))

    def weights(self, arrived: Arrived, hour: datetime) -> Weights:
        """The versions that can have been in force for a value, had it arrived in that hour."""
        weights = self._in_force(arrived, hour, locked=False)
        # Where the value locks its window by every version that comes into question, it was set
        # as the window closed: fewer versions may come into question.
        if len(weights) > 1 and whole(weights) and self._locks(arrived, weights):
            return self._in_force(arrived, hour, locked=True)
        return weights

    def weighed(self, arrived: Arrived, weights: Weights) -> Readings:
        """What a value means by these versions, each with its weight."""
        key = arrived, weights
        if (readings := self._readings.get(key)) is None:
            versions = self._apps[arrived.app_id]
            readings = self._readings[key] = tuple(
                Reading(versions[number], weight, self._decode(arrived, versions[number]))
                for number, weight in weights
            )
        return readings

    def _in_force(self, arrived: Arrived, hour: datetime, *, locked: bool) -> Weights:
        app_id, is_early = arrived.app_id, arrived.version in RISING_ONLY
        # What `evaluated` goes by.
        key = (app_id, is_early, arrived.window, hour, locked)
        if (weights := self._weights.get(key)) is None:
            interval = evaluated(arrived.version, arrived.window, hour, locked=locked)
            if app_id not in self._effects:
                of_app = self._apps[app_id].values()
                self._effects[app_id] = in_order(version.effect for version in of_app)
            weights = self._weights[key] = shares(self._effects[app_id], interval)
        return weights

    def _locks(self, arrived: Arrived, weights: Weights) -> bool:
        numbers = tuple(number for number, _ in weights)
        value = (arrived.conversion_type, arrived.fine_value, arrived.coarse_value)
        key = (arrived.app_id, arrived.window, *value, numbers)
        if key not in self._locking:
            versions = self._apps[arrived.app_id]
            schemas = [_compiled(versions[number].text) for number in numbers]
            self._locking[key] = all(schema and locks(arrived, schema) for schema in schemas)
        return self._locking[key]

    def _decode(self, arrived: Arrived, version: Version) -> Decoded:
        value = (arrived.conversion_type, arrived.fine_value, arrived.coarse_value)
        key = (version.app_id, version.number, arrived.window, *value)
        if key not in self._decoded:
            self._decoded[key] = _decode(arrived, version)
        return self._decoded[key]


LEAST = 1e-9  # what is left of a sum of weights by rounding


def rest(readings: Readings) -> float:
    """How likely it is that the app had no schema yet."""
    left = 1.0 - sum(reading.weight for reading in readings)
    return left if left > LEAST else 0.0


def share(weight: float) -> str:
    """A weight as people read it: what is uncertain is never 0% or 100%."""
    percent = round(100 * weight)
    return "under 1%" if percent == 0 else "over 99%" if percent == 100 else f"{percent}%"


def whole(weights: Weights) -> bool:
    """Whether some version was in force at every moment that comes into question."""
    return sum(weight for _, weight in weights) > 1 - LEAST


def _decode(postback: Valued, version: Version) -> Decoded:
    if (schema := _compiled(version.text)) is not None:
        return decode(postback, schema)
    value = postback.coarse_value if postback.fine_value is None else postback.fine_value
    hash_ = version.content_hash
    return Decoded(postback.app_id, postback.window, value, None, UNREADABLE, hash_)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Schema | None:
    """None where an earlier release took what this one refuses."""
    try:
        return read(text)
    except SchemaError:
        return None
