"""What to say of a mistake that pydantic found: in our words, with the remedy."""

from collections.abc import Iterator

from pydantic_core import ErrorDetails

from skan_receiver.conversion.problems import Path, did_you_mean
from skan_receiver.conversion.written import Written

WORDS = {
    "int_type": "is no whole number",
    "float_type": "is no number",
    "string_type": "is no text: put it in quotes",
    "bool_type": "is neither true nor false",
    "list_type": "is no list: begin each item with a dash",
    "dict_type": "holds no fields: write them below it, indented",
    "model_type": "holds no fields: write them below it, indented",
    "model_attributes_type": "holds no fields: write them below it, indented",
    "string_pattern_mismatch": "is not written as it should be",
    "string_too_short": "is empty: write a name",
}


def remedy(mistake: ErrorDetails, path: Path) -> str:
    """One sentence: what is wrong at `path`, and what to do."""
    kind, context = mistake["type"], mistake.get("ctx", {})
    name = str(path[-1]) if path else "schema"
    if kind == "missing":
        return f"is missing: {_descriptions().get(name, 'add it')}"
    if kind == "extra_forbidden":
        return f"is no field here{did_you_mean(name, _descriptions()) or ': delete it'}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"is not one of {context['expected']}"
    if mistake["input"] is None:
        return "is empty: fill it in, or delete it"
    what = WORDS.get(kind) or mistake["msg"].replace("Input should", "should").lower()
    purpose = _descriptions().get(name)
    return what if ":" in what or purpose is None else f"{what}: {purpose}"


def _descriptions() -> dict[str, str]:
    """What every field of every part of a schema is for, by name."""
    return {
        field.alias or name: field.description or "add it"
        for part in _parts(Written)
        for name, field in part.model_fields.items()
    }


def _parts(part: type[Written]) -> Iterator[type[Written]]:
    for child in part.__subclasses__():
        yield child
        yield from _parts(child)
