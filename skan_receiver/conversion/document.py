"""A schema file as its author writes it."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from skan_receiver.conversion.models import Model
from skan_receiver.conversion.written import FINE_SCHEMA, Coarse, Money, Name, Written


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("is no day: write it as 2026-01-31") from None


Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="three capital letters")]
Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Index = Literal[0, 1, 2]


def spans(given: Any) -> frozenset[int]:
    """Fine values: 5, "0-9", or a list of such."""
    items = given if isinstance(given, list) else [given]
    return frozenset(value for item in items for value in _span(item))


def _span(item: Any) -> range:
    first, dash, last = str(item).partition("-")
    if isinstance(item, bool) or not first.strip().isdecimal():
        raise ValueError("is no range of fine values: write 5, 0-9, or a list of such")
    low, high = int(first), int(last if dash and last.strip().isdecimal() else first)
    if (dash and not last.strip().isdecimal()) or not 0 <= low <= high <= 63:
        raise ValueError("is no range of fine values: write it rising, within 0-63")
    return range(low, high + 1)


_ITEMS = [FINE_SCHEMA, {"type": "string", "pattern": "^[0-9]+-[0-9]+$"}]
Spans = Annotated[
    frozenset[int],
    PlainValidator(spans),
    WithJsonSchema({"anyOf": [*_ITEMS, {"type": "array", "items": {"anyOf": _ITEMS}}]}),
]


class WrittenEvent(Written):
    revenue: Literal["iap", "ad"] | None = Field(None, description="what its revenue counts as")


class WrittenLock(Written):
    """When the app locks the window: as soon as one of these comes true."""

    event: Name | None = Field(None, description="once this event happened")
    fine: int | None = Field(None, ge=0, le=63, description="once the fine value is this or higher")
    coarse: Coarse | None = Field(None, description="once the coarse value is this or higher")
    hours: Annotated[int, Field(ge=0, le=840)] | None = Field(
        None, description="at the first activity so many hours after the install"
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("locks on nothing: name an event, a fine or coarse value, or hours")
        return self


class WrittenWindow(Written):
    """One of Apple's three windows: days 0-2, 3-7, 8-35."""

    fine: Model | None = Field(None, description="fine values: window 0 only")
    coarse: Model | None = Field(None, description="coarse values")
    coarse_for_fine: dict[Coarse, Spans] | None = Field(
        None, description="which coarse value goes with which fine ones: window 0 only"
    )
    lock: WrittenLock | None = Field(None, description="when the app locks the window")
    counts: Literal["in_window", "since_install"] = Field(
        "in_window", description="whether events and revenue before the window count too"
    )


# The keys of JSON objects are texts, those of YAML can be numbers.
Windows = Annotated[
    dict[Index, WrittenWindow],
    Field(
        min_length=1,
        description="windows 0, 1, 2",
        json_schema_extra={"propertyNames": {"enum": ["0", "1", "2"]}},
    ),
]


class WrittenPlan(Written):
    windows: Windows


class Document(Written):
    """A conversion schema: what the values of one app's postbacks mean."""

    app: int = Field(ge=1, lt=2**63, description="the app's id in the App Store")
    name: str = Field("", max_length=200, description="the app's name, for people")
    encoder: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)] = Field(
        "own", description="who sets the values on the phone: own, or an MMP such as appsflyer"
    )
    currency: Currency | None = Field(
        None, description="three capital letters, such as USD; it is that of every amount"
    )
    rates: dict[Day, dict[Currency, Annotated[Money, Field(gt=0)]]] = Field(
        {}, description="from this day on, what one unit of a currency is in the schema's"
    )
    events: dict[Name, WrittenEvent | None] = Field(
        {}, description="every event the schema speaks of"
    )
    flags: list[Name] = Field([], description="what else the app knows of a user")
    activity_timer: Annotated[int, Field(ge=1, le=1440)] | None = Field(
        None, description="SKAdNetwork up to 3: hours after the install at which updates stop"
    )
    windows: Windows
    re_engagement: WrittenPlan | None = Field(
        None, alias="re-engagement", description="other windows for re-engagements"
    )
