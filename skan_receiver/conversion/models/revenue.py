"""Revenue in buckets."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from skan_receiver.conversion.boxes import Dimension
from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.meaning import Value
from skan_receiver.conversion.models.ladder import Ladder, Rising
from skan_receiver.conversion.problems import Path
from skan_receiver.conversion.ranges import Range, buckets
from skan_receiver.conversion.written import Money, RevenueKind, Written


class Steps(Written):
    """Equal buckets: `count` edges, `step` apart, the first at `start`."""

    start: Annotated[Money, Field(gt=0)] = Field(description="the first edge")
    step: Annotated[Money, Field(gt=0)] = Field(description="from one edge to the next")
    count: int = Field(ge=1, le=63, description="how many edges")

    def edges(self) -> list[float]:
        return [round(self.start + self.step * index, 6) for index in range(self.count)]


class Tail(Written):
    """What the top bucket, which has no end, is worth on average: for sums, never for bounds."""

    mean: Money | None = Field(None, description="in the schema's currency")
    factor: float | None = Field(None, ge=1, le=1000, description="times the last edge")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.mean is None) == (self.factor is None):
            raise ValueError("states no rule, or two: write either mean or factor")
        return self

    def of(self, edge: float) -> float:
        return self.mean if self.mean is not None else edge * (self.factor or 1)


class RevenueBuckets(Written):
    """Buckets of revenue, wherever they are used. The lowest one is below the first edge."""

    revenue: RevenueKind = Field(description="iap, ad or total (both together)")
    edges: Annotated[list[Money], Rising] | None = Field(
        None, min_length=1, max_length=63, description="where one bucket ends and the next begins"
    )
    steps: Steps | None = Field(None, description="equal buckets, instead of `edges`")
    bounds: Literal["[)", "(]"] = Field(
        "[)", description='"[)": an edge is in the bucket above it; "(]": in the one below'
    )
    tail: Tail | None = Field(None, description="what the top bucket is worth on average")

    @model_validator(mode="after")
    def _edges_once(self) -> Self:
        if (self.edges is None) == (self.steps is None):
            raise ValueError("has no edges, or has them twice: write either edges or steps")
        if self.all_edges()[0] == 0 and self.bounds == "[)":
            raise ValueError('has an edge at 0, and nothing below: drop it, or write bounds "(]"')
        if self.tail and self.tail.mean is not None and self.tail.mean < self.all_edges()[-1]:
            raise ValueError("has a tail mean below its last edge, where the top bucket begins")
        return self

    def all_edges(self) -> list[float]:
        return self.steps.edges() if self.steps else self.edges or []

    def ranges(self) -> list[Range]:
        return buckets(self.all_edges(), upper_included=self.bounds == "(]")

    def dimension(self) -> Dimension:
        return Dimension("revenue", self.revenue)

    def tail_of(self, range_: Range) -> float | None:
        return self.tail.of(range_.min) if self.tail and range_.max is None else None


class RevenueModel(RevenueBuckets, Ladder):
    """Revenue in buckets, one value each."""

    model: Literal["revenue"]

    def cells(self, place: Place) -> list[Cell]:
        at, ranges = ("edges" if self.edges else "steps"), self.ranges()
        values = self.rungs(len(ranges), place, at)
        rungs = enumerate(zip(values, ranges, strict=False))
        return [
            self._cell(value, range_, (at, max(0, rung - 1))) for rung, (value, range_) in rungs
        ]

    def _cell(self, value: Value, range_: Range, at: Path) -> Cell:
        return Cell(value, {self.dimension(): range_}, at, tail=self.tail_of(range_))
