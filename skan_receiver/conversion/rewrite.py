"""Changing a schema file without losing what its author wrote around the fields."""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from io import StringIO
from itertools import takewhile
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.util import load_yaml_guess_indent

from skan_receiver.conversion.source import read
from skan_receiver.errors import SchemaError


def rewrite(text: str, data: Mapping[str, Any]) -> str:
    """`text` with the contents of `data`: comments, order and layout stay where they can.

    `data` is a whole schema as plain data, such as `content(text)` with changes. It is not
    checked here. Fields of `data` that `text` lacks are added at the end of their part.
    """
    _, indent, offset = load_yaml_guess_indent(text)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000  # never fold what the author wrote on one line
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=2, sequence=indent or 4, offset=2 if offset is None else offset)
    document = yaml.load(text)
    written = StringIO()
    yaml.dump(_merged(document, data, content(text)), written)
    changed = written.getvalue()
    return changed if _says(changed, data) else _plainly(text, data)


def _says(text: str, data: Mapping[str, Any]) -> bool:
    try:
        return content(text) == data
    except SchemaError:
        return False


def _plainly(text: str, data: Mapping[str, Any]) -> str:
    """Where ruamel.yaml puts a comment so that the file breaks, only those at the top stay."""
    lines = text.splitlines(keepends=True)
    head = "".join(takewhile(lambda line: line.startswith(("#", "\n")), lines))
    written = StringIO()
    YAML(typ="safe", pure=True).dump(dict(data), written)
    return head + written.getvalue()


def content(text: str) -> dict[str, Any]:
    """The plain data of a schema file."""
    source = read(text, "schema")
    if source.problems or not isinstance(source.data, dict):
        raise SchemaError(source.problems or ["schema: holds no fields"])
    return source.data


def _merged(node: Any, new: Any, old: Any) -> Any:
    """`node`, which says `old`, made to say `new`: touching only what differs."""
    if new == old and type(new) is type(old):
        return node
    if not new or not old:
        return new  # an emptied part has no place left for comments
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return _mapping(node, new, old)
    if isinstance(new, list) and isinstance(old, list):
        return _sequence(node, new, old)
    return new


def _mapping(node: Any, new: Mapping[Any, Any], old: Mapping[Any, Any]) -> Any:
    keys = {_plain_key(key): key for key in node}
    for gone in old.keys() - new.keys():
        del node[keys[gone]]
    for key, value in new.items():
        if key in old:
            node[keys[key]] = _merged(node[keys[key]], value, old[key])
        else:
            node[key] = _like(node, value)
    return node


def _plain_key(key: Any) -> Any:
    """As `content` has it: days are text."""
    return key if isinstance(key, int) else str(key)


def _sequence(node: Any, new: Sequence[Any], old: Sequence[Any]) -> Any:
    """Items that stay keep their comments, wherever others come and go."""
    matcher = SequenceMatcher(None, [_name(i) for i in old], [_name(i) for i in new], False)
    for _, start, end, new_start, new_end in reversed(matcher.get_opcodes()):
        paired = min(end - start, new_end - new_start)
        for at in reversed(range(start + paired, end)):
            del node[at]
        for step in range(paired, new_end - new_start):
            beside = node[start + step - 1] if start + step else (node or [None])[0]
            node.insert(start + step, _like(beside, new[new_start + step]))
        for step in range(paired):
            at = start + step
            node[at] = _merged(node[at], new[new_start + step], old[at])
    return node


def _like(beside: Any, value: Any) -> Any:
    """A new part, written on one line where the one beside it is."""
    if not isinstance(value, Mapping) or not isinstance(beside, CommentedMap):
        return value
    part = CommentedMap(value)
    if beside.fa.flow_style():
        part.fa.set_flow_style()
    return part


def _name(item: Any) -> str:
    """What an item of a list is known by: a rule by its value, a condition by its event."""
    if not isinstance(item, Mapping):
        return repr(item)
    names = ("value", "event", "revenue", "time", "flag", "model")
    return next((f"{name}: {item[name]}" for name in names if name in item), repr(item))
