"""From a preset and what the customer knows to a destination's definition."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from skan_receiver.conversion.problems import did_you_mean
from skan_receiver.delivery.destinations import ANY_KIND
from skan_receiver.delivery.presets.preset import Parameter, Preset
from skan_receiver.delivery.templates import TemplateRefused, translate
from skan_receiver.errors import ConfigurationError

# Where a parameter goes.
_PLACE = re.compile(r"<([a-z][a-z0-9_]*)>")


def fill(
    preset: Preset, name: str, parameters: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The definition of a destination called `name`, and its secrets, which are not in it.

    Raises ConfigurationError with every parameter that is missing, unknown or ill-formed; it
    shows no value, since a secret may be in the wrong place.
    """
    if mistakes := list(_mistakes(preset, parameters)):
        raise ConfigurationError("\n".join(mistakes))
    known = {one.name: parameters.get(one.name, one.default or "") for one in preset.parameters}
    secrets = {one.name: known.pop(one.name) for one in preset.parameters if one.secret}
    head = {"name": name, "kind": preset.kind, "preset": preset.name}
    definition = {**head, **_filled(preset.definition, known)}
    if preset.dialect:
        definition["url"] = _translated(definition["url"], preset.dialect)
    for parameter in preset.parameters:
        if parameter.adds and known[parameter.name] == "yes":
            definition = _with(definition, parameter.adds)
    _check(definition)
    return definition, secrets


def _mistakes(preset: Preset, parameters: Mapping[str, str]) -> Iterator[str]:
    asked = [parameter.name for parameter in preset.parameters]
    for name in parameters:
        if name not in asked:
            near = did_you_mean(name, asked) or f"; it asks for {', '.join(asked) or 'nothing'}"
            yield f"{name}: the preset {preset.name} does not ask for it{near}"
    for parameter in preset.parameters:
        if wrong := _wrong(parameter, parameters.get(parameter.name, parameter.default)):
            yield f"{parameter.name}: {wrong}: {parameter.what}; as in {parameter.example}"


def _wrong(parameter: Parameter, value: str | None) -> str:
    if value is None:
        return "is missing"
    return "" if re.fullmatch(parameter.pattern, value) else "is not what is asked for"


def _filled(node: Any, known: Mapping[str, str]) -> Any:
    """A part of a definition with its places filled in; in a list, commas part the items."""
    if isinstance(node, Mapping):
        return {name: _filled(each, known) for name, each in node.items()}
    if isinstance(node, list):
        return [item for each in node for item in _items(_filled(each, known))]
    if isinstance(node, str):
        return _PLACE.sub(lambda place: known[place[1]], node)
    return node


def _items(filled: Any) -> list[Any]:
    return [item for item in filled.split(",") if item] if isinstance(filled, str) else [filled]


def _translated(url: str, dialect: str) -> str:
    """A vendor's template in our macros; ConfigurationError names what is in the way."""
    try:
        translation = translate(url, dialect, of_users=True)
    except TemplateRefused as refused:
        raise ConfigurationError(f"template: {refused}") from None
    if lacking := (*translation.unknown, *translation.personal):
        names = ", ".join(lacking)
        raise ConfigurationError(f"template: {names}: no macro of ours stands for it; leave it out")
    return translation.text


def _with(definition: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both; objects of one name become one object, with what is added at its end."""
    merged = dict(definition)
    for name, value in more.items():
        before = merged.get(name)
        merged[name] = {**before, **value} if isinstance(before, dict) else value
    return merged


def _check(definition: Mapping[str, Any]) -> None:
    try:
        ANY_KIND.validate_python(definition)
    except ValidationError as error:
        raise ConfigurationError("\n".join(map(_said, error.errors()))) from None


def _said(mistake: Mapping[str, Any]) -> str:
    """A mistake with its place; what comes first there is the kind that was tried."""
    place = ".".join(map(str, mistake["loc"][1:]))
    what = str(mistake["msg"]).removeprefix("Value error, ")
    return f"{place}: {what}" if place else what
