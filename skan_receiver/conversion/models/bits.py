"""Bits: several small facts side by side in the six bits of a fine value."""

from itertools import accumulate, product
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from skan_receiver.conversion.boxes import TIME, Dimension
from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.models.ladder import Rising
from skan_receiver.conversion.models.revenue import RevenueBuckets
from skan_receiver.conversion.ranges import Range, buckets
from skan_receiver.conversion.written import Count, Name, Written, kind_of

Width = Annotated[int, Field(ge=1, le=6)]


class Bits(Written):
    """One fact. It takes as many bits as its ranges need, or `width` to leave room for more."""

    width: Width | None = Field(None, description="how many bits; left out: as many as needed")

    def dimension(self) -> Dimension:
        raise NotImplementedError

    def ranges(self) -> list[Range]:
        raise NotImplementedError

    def tail_of(self, range_: Range) -> float | None:  # noqa: ARG002
        """The mean that the author states for a range of revenue without a top."""
        return None

    def needed(self) -> int:
        return (len(self.ranges()) - 1).bit_length()


class EventBits(Bits):
    """Whether an event happened, or how often: 0, then from each of `counts` on."""

    event: Name = Field(description="an event of `events`")
    counts: Annotated[list[Annotated[Count, Field(ge=1)]], Rising] = Field(
        [1], min_length=1, max_length=63, description="the count each range begins at"
    )

    def dimension(self) -> Dimension:
        return Dimension("event", self.event)

    def ranges(self) -> list[Range]:
        return buckets(self.counts)


class RevenueBits(RevenueBuckets, Bits):
    """A bucket of revenue."""


class TimeBits(Bits):
    """When the user was last active."""

    time: Literal["hours", "days"] = Field(description="the unit: hours or days since the install")
    edges: Annotated[list[Annotated[Count, Field(ge=1)]], Rising] = Field(
        min_length=1, max_length=63, description="where one range ends and the next begins"
    )

    def dimension(self) -> Dimension:
        return TIME

    def ranges(self) -> list[Range]:
        return buckets([edge * (24 if self.time == "days" else 1) for edge in self.edges])


class FlagBit(Bits):
    """Something the app knows of the user, such as that the MMP has already attributed them."""

    flag: Name = Field(description="a flag of `flags`")

    def dimension(self) -> Dimension:
        return Dimension("flag", self.flag)

    def ranges(self) -> list[Range]:
        return [Range((0.0, 0), (1.0, 0)), Range((1.0, 0), (2.0, 0))]


class Unused(Written):
    """Bits left free, always 0."""

    unused: Width = Field(description="how many bits")


BitField = Annotated[
    Annotated[EventBits, Tag("<event>")]
    | Annotated[RevenueBits, Tag("<revenue>")]
    | Annotated[TimeBits, Tag("<time>")]
    | Annotated[FlagBit, Tag("<flag>")]
    | Annotated[Unused, Tag("<unused>")],
    Discriminator(
        kind_of,
        custom_error_type="no_bits",
        custom_error_message="holds nothing: name an event, revenue, time, flag or unused",
    ),
]


class BitModel(Written):
    """Fields from the lowest bit up."""

    model: Literal["bits"]
    bits: list[BitField] = Field(min_length=1, max_length=6, description="from the lowest bit up")

    def cells(self, place: Place) -> list[Cell]:
        if not self._fit(place):
            return []
        facts = self._facts()
        ranks = product(*(enumerate(field.ranges()) for field, _ in facts))
        return [_cell(facts, chosen) for chosen in ranks]

    def _facts(self) -> list[tuple[Bits, int]]:
        """Every fact with the place of its lowest bit."""
        ends = accumulate(map(width, self.bits), initial=0)
        placed = zip(self.bits, ends, strict=False)
        return [(field, offset) for field, offset in placed if isinstance(field, Bits)]

    def _fit(self, place: Place) -> bool:
        problems = place.problems
        if place.is_coarse:
            problems.error("needs fine values: a coarse value holds no bits", "model")
        for index, field in enumerate(self.bits):
            if isinstance(field, Bits) and field.width and field.needed() > field.width:
                what = f"is {field.width}, and {len(field.ranges())} ranges need {field.needed()}"
                problems.error(f"{what}: widen it, or merge ranges", "bits", index, "width")
        if (total := sum(map(width, self.bits))) > 6:
            problems.error(f"takes {total} bits, and a fine value has 6: merge ranges", "bits")
        dimensions = [f.dimension() if isinstance(f, Bits) else None for f in self.bits]
        for index, dimension in enumerate(dimensions):
            if dimension and dimension in dimensions[:index]:
                what = f"says {dimension.name} a second time: keep one of the two"
                problems.error(what, "bits", index)
        return not problems.failed


def width(field: Bits | Unused) -> int:
    if isinstance(field, Unused):
        return field.unused
    return field.width or field.needed()


def _cell(facts: list[tuple[Bits, int]], ranks: tuple[tuple[int, Range], ...]) -> Cell:
    value, tail = 0, None
    box: dict[Dimension, Range] = {}
    for (field, offset), (rank, range_) in zip(facts, ranks, strict=True):
        value += rank << offset
        box[field.dimension()] = range_
        tail = field.tail_of(range_) or tail
    return Cell(value, box, ("bits",), tail=tail)
