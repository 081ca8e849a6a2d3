"""What a partner calls an event, and which of them it gets."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

ANY = "*"
CURRENCY = r"^[A-Z]{3}$"


class Mapped(BaseModel):
    """An event by its name at the teller, and how the partner is told of it.

    In short: `purchase`, or `purchase=Purchase`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)  # `*`: every one that has no line of its own
    to: str = Field("", max_length=200)  # empty: the same name
    # None: as the destination says.
    revenue: bool | None = None
    first_only: bool | None = None
    # In `currency`, both included.
    min_value: Decimal | None = None
    max_value: Decimal | None = None
    # Told in this one, by the rates of the event's day; empty: in its own.
    currency: str = Field("", pattern=rf"{CURRENCY}|^$")

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, said: Any) -> Any:
        if not isinstance(said, str):
            return said
        name, _, to = said.partition("=")
        return {"name": name.strip(), "to": to.strip()}

    @model_validator(mode="after")
    def _makes_sense(self) -> "Mapped":
        if self.has_range and not self.currency:
            raise ValueError("currency: say in which `min_value` and `max_value` are: EUR, USD, …")
        if None not in (self.min_value, self.max_value) and self.min_value > self.max_value:  # type: ignore[operator]  # neither is None
            raise ValueError("min_value: is above max_value")
        if self.name == ANY and self.to:
            raise ValueError("to: `*` is sent under each event's own name; leave out")
        return self

    @property
    def has_range(self) -> bool:
        """Whether what it is worth decides."""
        return self.min_value is not None or self.max_value is not None

    def takes(self, value: Decimal) -> bool:
        """Whether a value in `currency` is in its range."""
        return (self.min_value is None or value >= self.min_value) and (
            self.max_value is None or value <= self.max_value
        )


def by_name(mapped: tuple[Mapped, ...]) -> Mapping[str, Mapped]:
    """The lines of a mapping by the teller's names; ValueError where two are of one event."""
    found: dict[str, Mapped] = {}
    for one in mapped:
        if one.name in found:
            raise ValueError(f"{one.name!r} has two lines; leave one out")
        found[one.name] = one
    return found
