"""What a named expression is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import ibis

from skan_receiver.reports.analytics.meanings import Meanings
from skan_receiver.reports.analytics.postbacks import DIMENSIONS, dimension


@dataclass(frozen=True)
class Tables:
    """What expressions are over: postbacks, and what their values mean."""

    postbacks: ibis.Table
    meanings: Meanings

    def small(self, name: str) -> ibis.Table:
        """One of the tables of meanings, brought to the engine."""
        return ibis.memtable(self.meanings.table(name))

    @cached_property
    def counted(self) -> ibis.Table:
        """What counts, and won."""
        return self.postbacks.filter(self.postbacks.counted, self.postbacks.did_win)

    @cached_property
    def valued(self) -> ibis.Table:
        """What could carry a value: SKAdNetwork 1.0 knows none."""
        return self.counted.filter(self.counted.version != "1.0")

    @cached_property
    def installs(self) -> ibis.Table:
        """DESIGN, "install": the winning download that the first window reports."""
        counted = self.counted
        return counted.filter(counted.window == 0, counted.conversion_type == "download")


By = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """A named table over postbacks, which every engine computes alike."""

    title: str
    usually: By  # what it is split by when nothing is said
    measures: By  # the columns after those
    make: Callable[[Tables, By], ibis.Table]

    def over(self, tables: Tables, by: By) -> ibis.Table:
        """Its rows, in order. Whatever it is split by is a column of them."""
        made = self.make(tables, by).select(*by, *self.measures)
        keys = [*by, *(name for name in self.measures if name in KEYS)]
        return made.order_by([ibis.asc(name, nulls_first=True) for name in keys]) if keys else made


# Measures that say what a row is about.
KEYS = ("digits", "source", "value", "event", "currency", "schema_version", "reason")


def grouped(of: ibis.Table, by: By, *also: ibis.Value, **measures: ibis.Value) -> ibis.Table:
    """`of` in groups: dimensions by name, other keys as they are."""
    keys = [dimension(of, name).name(name) for name in by]
    return of.group_by([*keys, *also]).agg(**measures) if keys or also else of.agg(**measures)


def share(part: ibis.Value, whole: ibis.Value) -> ibis.Value:
    """A part of a whole; absent where there is no whole."""
    return (part.cast("float64") / whole.nullif(0).cast("float64")).round(6)


__all__ = ["DIMENSIONS", "KEYS", "By", "Expression", "Tables", "grouped", "share"]
