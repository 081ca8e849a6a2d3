"""The parts a schema file is written from: bounds and conditions."""

from functools import partial
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from skan_receiver.conversion.boxes import TIME, Box, Dimension
from skan_receiver.conversion.meaning import COARSE, FINE, Value
from skan_receiver.conversion.ranges import AFTER, BEFORE, ENDLESS, NOTHING, Cut, Range, whole


class Written(BaseModel):
    """A part of a schema file. Unknown fields are mistakes, and "5" is not 5."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def value_of(given: Any) -> Value:
    """A fine value or the name of a coarse one."""
    if type(given) in (int, str) and given in (*FINE, *COARSE):
        return given  # type: ignore[no-any-return]
    raise ValueError("is no value: write a fine value from 0 to 63, or low, medium or high")


FINE_SCHEMA = {"type": "integer", "minimum": 0, "maximum": 63}
WrittenValue = Annotated[
    Value,
    PlainValidator(value_of),
    WithJsonSchema({"anyOf": [FINE_SCHEMA, {"enum": [*COARSE]}]}),
]
Coarse = Literal["low", "medium", "high"]
RevenueKind = Literal["iap", "ad", "total"]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10**9)]

Number = TypeVar("Number", bound=float)


class Bounds(Written, Generic[Number]):
    """A range whose bounds say whether they belong to it."""

    at_least: Number | None = Field(None, description="this number or more")
    more_than: Number | None = Field(None, description="more than this number")
    at_most: Number | None = Field(None, description="this number or less")
    less_than: Number | None = Field(None, description="less than this number")
    exactly: Number | None = Field(None, description="this number and no other")

    @model_validator(mode="after")
    def _one_range(self) -> Self:
        if self.at_least is not None and self.more_than is not None:
            raise ValueError("has two lower bounds: keep at_least or more_than")
        if self.at_most is not None and self.less_than is not None:
            raise ValueError("has two upper bounds: keep at_most or less_than")
        if self.exactly is not None and len(self._bounds()) > 1:
            raise ValueError("has exactly and another bound: keep one of them")
        if self.range().empty:
            raise ValueError("holds no number: its lower bound is not below its upper bound")
        return self

    def _bounds(self) -> set[str]:
        names = ("at_least", "more_than", "at_most", "less_than", "exactly")
        return {name for name in names if getattr(self, name) is not None}

    def range(self) -> Range:
        return Range(self._start(), self._end())

    def _start(self) -> Cut:
        if self.more_than is not None:
            return float(self.more_than), AFTER
        least = self.at_least if self.exactly is None else self.exactly
        return NOTHING if least is None else (float(least), BEFORE)

    def _end(self) -> Cut:
        if self.less_than is not None:
            return float(self.less_than), BEFORE
        most = self.at_most if self.exactly is None else self.exactly
        return ENDLESS if most is None else (float(most), AFTER)


class Amounts(Bounds[Money]):
    """A range of money, at least one bound said."""

    @model_validator(mode="after")
    def _said(self) -> Self:
        if not self._bounds():
            raise ValueError("says no bound: add at_least, more_than, at_most or less_than")
        return self


class EventCondition(Bounds[Count]):
    """How often an event happened; without bounds: at least once."""

    event: Name = Field(description="an event of `events`")
    revenue: Amounts | None = Field(None, description="what this event alone brought in")

    def range(self) -> Range:
        written = whole(super().range())
        return written if self._bounds() else Range((1.0, BEFORE))

    def box(self) -> Box:
        box = {Dimension("event", self.event): self.range()}
        if self.revenue is not None:
            box[Dimension("event revenue", self.event)] = self.revenue.range()
        return box


class RevenueCondition(Amounts):
    """How much was earned, in the schema's currency."""

    revenue: RevenueKind = Field(description="iap, ad or total (both together)")

    def box(self) -> Box:
        return {Dimension("revenue", self.revenue): self.range()}


class TimeCondition(Amounts):
    """How long after the install the user was last active."""

    time: Literal["hours", "days"] = Field(description="the unit: hours or days since the install")

    def box(self) -> Box:
        size = 24 if self.time == "days" else 1
        range_ = self.range()
        return {TIME: Range(_times(range_.start, size), _times(range_.end, size))}


def _times(cut: Cut, size: int) -> Cut:
    return cut[0] * size, cut[1]


class FlagCondition(Written):
    """Something the app knows of the user, such as that the MMP has already attributed them."""

    flag: Name = Field(description="a flag of `flags`")
    is_set: bool = Field(True, description="false: the flag is not set")

    def box(self) -> Box:
        start = float(self.is_set)
        return {Dimension("flag", self.flag): Range((start, BEFORE), (start + 1, BEFORE))}


def kind_of(part: Any) -> str | None:
    """What a condition or a field of bits speaks of: the first of these fields that it has."""
    has = part.__contains__ if isinstance(part, dict) else partial(hasattr, part)
    return next((f"<{kind}>" for kind in KINDS if has(kind)), None)


KINDS = ("event", "time", "flag", "unused", "revenue")  # events can have a `revenue` as well

Condition = Annotated[
    Annotated[EventCondition, Tag("<event>")]
    | Annotated[RevenueCondition, Tag("<revenue>")]
    | Annotated[TimeCondition, Tag("<time>")]
    | Annotated[FlagCondition, Tag("<flag>")],
    Discriminator(
        kind_of,
        custom_error_type="no_condition",
        custom_error_message="is no condition: name an event, revenue, time or flag",
    ),
]
