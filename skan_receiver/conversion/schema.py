"""A schema, compiled: what every value means, and which value a user gets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from skan_receiver.conversion.boxes import TIME, Dimension, Point, Remainder, holds
from skan_receiver.conversion.cells import Cell
from skan_receiver.conversion.meaning import Meaning, Value, rank

Conversion = Literal["install", "re-engagement"]


@dataclass(frozen=True, slots=True)
class Scale:
    """The fine or the coarse values of one window."""

    cells: tuple[Cell, ...]  # the first one that holds is the user's
    regions: tuple[Remainder, ...]  # each cell's box without the cells before it

    def pick(self, user: Point) -> Cell | None:
        """The cell a device sets for `user`, None where no rule holds."""
        return next((cell for cell in self.cells if holds(cell.box, user)), None)


@dataclass(frozen=True, slots=True)
class Lock:
    """When the app locks a window: as soon as one of these comes true."""

    event: str | None = None
    fine: int | None = None
    coarse: str | None = None
    hours: int | None = None

    def closes(self, fine: Value | None, coarse: Value | None, user: Point) -> bool:
        """Whether the window is locked once these values are set for `user`."""
        return (
            (self.event is not None and user.get(Dimension("event", self.event), 0) > 0)
            or (self.hours is not None and user[TIME] >= self.hours)
            or _reaches(fine, self.fine)
            or _reaches(coarse, self.coarse)
        )


def _reaches(value: Value | None, wanted: Value | None) -> bool:
    return value is not None and wanted is not None and rank(value) >= rank(wanted)


@dataclass(frozen=True, slots=True)
class Window:
    index: int
    fine: Scale | None
    coarse: Scale | None
    coarse_for_fine: Mapping[Value, Value]
    lock: Lock | None
    since_install: bool
    meanings: Mapping[Value, Meaning]


@dataclass(frozen=True, slots=True)
class Schema:
    """What the values of one app's postbacks mean. Immutable; made by `load_schema`."""

    app_id: int
    name: str
    encoder: str
    currency: str | None
    rates: tuple[tuple[date, Mapping[str, float]], ...]  # rising by day
    events: Mapping[str, str | None]  # name: the kind of its revenue
    flags: tuple[str, ...]
    activity_timer: int | None
    plans: Mapping[str, Mapping[int, Window]]  # conversion: window
    hash: str  # SHA-256 of the content; comments, order of keys and layout do not change it
    source: str = field(compare=False)  # where it was read, for messages

    def plan(self, conversion_type: str | None = None) -> Mapping[int, Window]:
        """The windows for Apple's conversion type; all but re-engagements read as installs."""
        if conversion_type == "re-engagement":
            return self.plans.get("re-engagement", self.plans["install"])
        return self.plans["install"]

    def meaning(
        self, window: int, value: Value, conversion_type: str | None = None
    ) -> Meaning | None:
        """What `value`, fine or coarse, says in `window`; None where the schema has no such."""
        known = self.plan(conversion_type).get(window)
        return None if known is None else known.meanings.get(value)

    def meanings(self, conversion_type: str | None = None) -> Iterator[Meaning]:
        """Every meaning, by window, coarse values after fine ones."""
        for window in self.plan(conversion_type).values():
            yield from window.meanings.values()

    def rate(self, currency: str, day: date | None) -> float | None:
        """One unit of `currency` in the schema's, on `day` (None: by the latest rate).

        None where the schema has no rate for it.
        """
        if currency == self.currency:
            return 1.0
        for since, rates in reversed(self.rates):
            if currency in rates and (day is None or since <= day):
                return rates[currency]
        return None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: what `schemas compile` prints."""
        return {
            "app_id": self.app_id,
            "name": self.name,
            "encoder": self.encoder,
            "currency": self.currency,
            "hash": self.hash,
            "meanings": {kind: [m.as_dict() for m in self.meanings(kind)] for kind in self.plans},
        }
