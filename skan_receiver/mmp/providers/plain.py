"""An event in our own words, one name for each field: what an MMP without published names is
asked to send, and what `POST /api/v1/events` takes (docs/events.md)."""

from dataclasses import fields

from skan_receiver.mmp.event import Event
from skan_receiver.mmp.providers.provider import PARTS, Says

_LEFT_OUT = ("provider", *PARTS)

NAMES = (
    *(field.name for field in fields(Event) if field.name not in _LEFT_OUT),
    *(field.name for kind in PARTS.values() for field in fields(kind)),
)

# Parts may be written as parts, too: `{"person": {"idfa": …}}`.
_PATHS = {field.name: f"{part}.{field.name}" for part, kind in PARTS.items()
          for field in fields(kind)}  # fmt: skip

PLAIN = tuple(
    Says(name, field, "")
    for field in NAMES
    for name in ((field, _PATHS[field]) if field in _PATHS else (field,))
)


def with_macros(macros: dict[str, str]) -> tuple[Says, ...]:
    """Our names, some of them printed with a macro."""
    return tuple(Says(says.name, says.field, macros.get(says.name, "")) for says in PLAIN)
