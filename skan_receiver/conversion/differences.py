"""What changed meaning from one schema to another, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from skan_receiver.conversion.meaning import COARSE, FINE, Meaning, Value
from skan_receiver.conversion.schema import Lock, Schema, Window

NOTHING = "nothing"  # a value that the schema does not have


@dataclass(frozen=True, slots=True)
class Difference:
    """Values of one window, next to each other, that changed in the same way."""

    conversion: str  # "install", "re-engagement"; empty where it is of the schema as a whole
    window: int | None
    what: str  # the value, "0–9" for several, or what else it is
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.was} → {self.now}"


def differences(old: Schema, new: Schema) -> tuple[Difference, ...]:
    """Everything that differs: of the whole schema first, then window by window."""
    kinds = tuple(dict.fromkeys((*old.plans, *new.plans)))
    found = [*_of_schemas(old, new)]
    for kind in kinds:
        plans = old.plan(kind), new.plan(kind)
        for index in sorted({*plans[0], *plans[1]}):
            found += _of_windows(kind, index, plans[0].get(index), plans[1].get(index))
    return tuple(found)


def _of_schemas(old: Schema, new: Schema) -> Iterator[Difference]:
    for what, was, now in (
        ("app", str(old.app_id), str(new.app_id)),
        ("encoder", old.encoder, new.encoder),
        ("currency", old.currency or "none", new.currency or "none"),
        ("rates", _rates(old), _rates(new)),
        ("activity timer", _hours(old.activity_timer), _hours(new.activity_timer)),
    ):
        if was != now:
            yield Difference("", None, what, was, now)


def _of_windows(
    kind: str, index: int, old: Window | None, new: Window | None
) -> Iterator[Difference]:
    for scale in (FINE, COARSE):
        changes = [
            (value, was, now)
            for value in scale
            if (was := _says(old, value)) != (now := _says(new, value))
        ]
        for _, run in groupby(enumerate(changes), key=lambda one: _run(scale, *one)):
            values = [value for _, (value, _, _) in run]
            was, now = (_says(window, values[0]) for window in (old, new))
            yield Difference(kind, index, _span(values), was, now)
    was, now = (_lock(window.lock) if window else NOTHING for window in (old, new))
    if was != now and old and new:
        yield Difference(kind, index, "lock", was, now)


def _run(
    scale: Sequence[Value], place: int, change: tuple[Value, str, str]
) -> tuple[int, str, str]:
    """The same for values that follow each other and changed in the same way."""
    value, was, now = change
    return scale.index(value) - place, was, now


def _says(window: Window | None, value: Value) -> str:
    if window is None or (meaning := window.meanings.get(value)) is None:
        return NOTHING
    return said(meaning)


def said(meaning: Meaning) -> str:
    """What it says, and whether that is since the install, which sums depend on."""
    return f"{meaning}, since the install" if meaning.since_install else str(meaning)


def _span(values: Sequence[Value]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]}–{values[-1]}"


def _lock(lock: Lock | None) -> str:
    if lock is None:
        return "none"
    parts = (
        lock.event and f"on {lock.event}",
        lock.fine is not None and f"at fine value {lock.fine}",
        lock.coarse and f"at {lock.coarse}",
        lock.hours is not None and f"after {_hours(lock.hours)}",
    )
    return " or ".join(str(part) for part in parts if part)


def _rates(schema: Schema) -> str:
    dated = (
        f"{day} {', '.join(f'{name} {worth:g}' for name, worth in sorted(rates.items()))}"
        for day, rates in schema.rates
    )
    return "; ".join(dated) or "none"


def _hours(hours: int | None) -> str:
    return "none" if hours is None else "1 hour" if hours == 1 else f"{hours} hours"
