"""A destination as somebody wrote it, checked before it is saved: all mistakes, with remedies."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from skan_receiver.config import Settings
from skan_receiver.conversion.problems import did_you_mean
from skan_receiver.delivery.addresses import check_url
from skan_receiver.delivery.destinations import ANY_KIND, KINDS, Destination
from skan_receiver.delivery.names import Resolver, look_up
from skan_receiver.delivery.templates import TemplateRefused
from skan_receiver.errors import ConfigurationError, DeliveryFailed

Path = tuple[int | str, ...]

REMEDIES = {
    "missing": "is missing",
    "string_pattern_mismatch": "{input!r} is in no form this takes: see docs/destinations.md",
    "model_type": "must be a destination: name, kind, url, …",
    "union_tag_invalid": "must be one of {kinds}",
    "tuple_type": "must be a list, as in [{input}]",
}


class Mistakes(ConfigurationError):
    """What is wrong with a destination: pairs of the field's path and what is wrong with it."""

    def __init__(self, mistakes: Sequence[tuple[Path, str]]) -> None:
        super().__init__("\n".join(f"{named(path)}: {what}" for path, what in mistakes))
        self.mistakes = tuple(mistakes)


def checked(written: Any, settings: Settings, resolve: Resolver = look_up) -> Destination:
    """The destination that `written` describes; Mistakes has every one there is.

    Addresses that nothing may be sent to are refused here already. They are looked at again at
    each delivery: a name may point elsewhere by then.
    """
    try:
        destination = ANY_KIND.validate_python(written)
    except ValidationError as error:
        raise Mistakes([_mistake(fault) for fault in error.errors()]) from None
    if mistakes := list(_forbidden(destination, settings, resolve)):
        raise Mistakes(mistakes)
    return destination


def named(path: Path) -> str:
    """A field as people write it."""
    return ".".join(map(str, path)) or "destination"


def _forbidden(
    destination: Destination, settings: Settings, resolve: Resolver
) -> Sequence[tuple[Path, str]]:
    found = []
    for framework, head in destination.heads.items():
        try:
            check_url(f"{head}/", allow_private=settings.private_destinations, resolve=resolve)
        except DeliveryFailed as failure:
            found.append((("url", framework) if framework else ("url",), str(failure)))
    return found


def _mistake(fault: Mapping[str, Any]) -> tuple[Path, str]:
    # What comes first is the kind by which it was read.
    location: Path = fault["loc"]
    if location and location[0] in KINDS:
        location = location[1:]
    if fault["type"] == "union_tag_invalid":
        location = ("kind",)
    refused = fault.get("ctx", {}).get("error")
    if isinstance(refused, TemplateRefused) and refused.where:
        return tuple(refused.where.split(".")), f"{refused.part}: {refused.what}"
    what = _what(fault)
    if not location and (field := what.partition(": ")[0]) in _fields():
        return (field,), what.partition(": ")[2]
    return location, what


def _what(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        near = did_you_mean(str(fault["loc"][-1]), _fields())
        near = near or f"; there are {', '.join(_fields())}"
        return f"no destination of this kind has this{near}"
    if remedy := REMEDIES.get(fault["type"]):
        return remedy.format(input=fault["input"], kinds=", ".join(KINDS))
    what = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return what[:1].lower() + what[1:]


def _fields() -> list[str]:
    return sorted({field for kind in KINDS.values() for field in kind.model_fields})
