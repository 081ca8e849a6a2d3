"""What an app's schema versions say of revenue, as scales that an estimate can be made by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skan_receiver.conversion import Schema
from skan_receiver.conversion.schema import Window
from skan_receiver.errors import ConfigurationError, SchemaError
from skan_receiver.estimation import Scale
from skan_receiver.storage.meanings import UNREADABLE
from skan_receiver.storage.schemas import Version, read

INSTALL, RE_ENGAGEMENT = "install", "re-engagement"

NO_REVENUE = "its values tell no revenue"


class Inestimable(Exception):
    """Why there is no estimate, in words for a report."""


@dataclass(frozen=True, slots=True)
class Scales:
    """What the values of a window are worth in one currency, by each of several versions."""

    currency: str
    kind: str
    each: tuple[Scale, ...]

    @property
    def is_fine(self) -> bool:
        """Whether its values are the 64 fine ones; else low, medium and high."""
        return len(self.each[0]) > len(COARSE)


COARSE = ("low", "medium", "high")


def compiled(versions: Sequence[Version]) -> list[Schema]:
    """The schemas of some versions. Raises Inestimable."""
    try:
        return [read(version.text) for version in versions]
    except SchemaError:
        raise Inestimable(UNREADABLE) from None


def plans(schemas: Sequence[Schema]) -> tuple[str, ...]:
    """The plans to be read apart: re-engagements have one of their own, or none."""
    apart = any(RE_ENGAGEMENT in schema.plans for schema in schemas)
    return (INSTALL, RE_ENGAGEMENT) if apart else (INSTALL,)


def currencies(schemas: Sequence[Schema], window: int) -> list[str]:
    """Those in which some version tells revenue of a window."""
    return sorted(
        {
            revenue.currency
            for schema in schemas
            for plan in plans((schema,))
            if (of := schema.plan(plan).get(window)) is not None
            for meaning in of.meanings.values()
            for revenue in meaning.revenue
        }
    )


def scales_of(
    schemas: Sequence[Schema], numbers: Sequence[int], window: int, plan: str, currency: str
) -> Scales:
    """One for each version. Raises Inestimable, naming the version at fault by its number."""
    kinds = [kinds_of(schema.plan(plan).get(window), currency) for schema in schemas]
    size = max((_size(schema.plan(plan).get(window)) for schema in schemas), default=0)
    each = []
    for schema, number, of in zip(schemas, numbers, kinds, strict=True):
        known = schema.plan(plan).get(window)
        if known is not None and _size(known) != size:
            raise Inestimable("some versions of its schema have fine values, and some have not")
        try:
            each.append(_sum([Scale.of(schema, window, k, conversion_type=plan) for k in of], size))
        except ConfigurationError:
            raise Inestimable(f"version {number} of its schema states no `tail`") from None
    return Scales(currency, ", ".join(dict.fromkeys(k for of in kinds for k in of)), tuple(each))


def kinds_of(window: Window | None, currency: str) -> tuple[str, ...]:
    """All revenue together where values tell that, else the kinds they tell, to be added up."""
    told = dict.fromkeys(_kinds(window, currency))
    return ("total",) if "total" in told else tuple(told)


def _kinds(window: Window | None, currency: str) -> Iterator[str]:
    for meaning in window.meanings.values() if window else ():
        yield from (revenue.kind for revenue in meaning.revenue if revenue.currency == currency)


def _size(window: Window | None) -> int:
    """0 where there is no such window: then any."""
    return 0 if window is None else len(COARSE) if window.fine is None else 64


def _sum(parts: Sequence[Scale], size: int) -> Scale:
    """Worth nothing where there are none. A mean that one part states needs the others' middles."""
    import numpy as np

    if not parts:
        # Three values are the coarse ones.
        level = np.arange(size) if size == len(COARSE) else np.zeros(size)
        return Scale.of_bounds(np.zeros(size), np.zeros(size), level=level)
    if len(parts) == 1:
        return parts[0]
    unstated = np.all([np.isnan(part.mean) for part in parts], axis=0)
    middle = np.sum([part.middle for part in parts], axis=0)
    return Scale.of_bounds(
        np.sum([part.lower for part in parts], axis=0),
        np.sum([part.upper for part in parts], axis=0),
        mean=np.where(unstated, np.nan, middle),
        level=np.max([part.level for part in parts], axis=0),
    )
