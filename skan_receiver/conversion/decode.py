"""Reading a postback's value through a schema."""

from dataclasses import dataclass
from typing import Any, Protocol

from skan_receiver.conversion.meaning import Meaning, Value
from skan_receiver.conversion.schema import Schema

OTHER_APP = "other app"
NO_VALUE = "no value"
NO_WINDOW = "window not in schema"
NO_SUCH_VALUE = "value not in schema"


class Valued(Protocol):
    """What decoding asks of a postback; cells of counts have it too."""

    @property
    def app_id(self) -> int: ...
    @property
    def window(self) -> int: ...
    @property
    def fine_value(self) -> int | None: ...
    @property
    def coarse_value(self) -> str | None: ...
    @property
    def conversion_type(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a postback's value means, or why nobody can say."""

    app_id: int
    window: int
    value: Value | None
    meaning: Meaning | None
    reason: str  # "" where there is a meaning
    schema: str  # the content hash of the schema it was read through

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "app_id": self.app_id,
            "window": self.window,
            "value": self.value,
            "meaning": None if self.meaning is None else self.meaning.as_dict(),
            "words": str(self),
            "reason": self.reason,
            "schema": self.schema,
        }

    def __str__(self) -> str:
        return self.reason if self.meaning is None else str(self.meaning)


def decode(postback: Valued, schema: Schema) -> Decoded:
    """What `postback`'s value means under `schema`.

    A missing value is an answer: it was withheld, or never set, and nothing tells which.
    Apple sends fine or coarse, never both; should both come, the fine one says more.
    """
    value = postback.coarse_value if postback.fine_value is None else postback.fine_value
    meaning, reason = _read(postback, value, schema)
    return Decoded(postback.app_id, postback.window, value, meaning, reason, schema.hash)


def _read(postback: Valued, value: Value | None, schema: Schema) -> tuple[Meaning | None, str]:
    if postback.app_id != schema.app_id:
        return None, OTHER_APP
    if value is None:
        return None, NO_VALUE
    if postback.window not in schema.plan(postback.conversion_type):
        return None, NO_WINDOW
    meaning = schema.meaning(postback.window, value, postback.conversion_type)
    return meaning, "" if meaning else NO_SUCH_VALUE
