"""A schema file as plain data, with the line every part of it was written on."""

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from skan_receiver.conversion.problems import Path, Problem

# A schema of 64 rules is about 10 KB. The limits keep a hostile file from costing more than
# it is worth: aliases that multiply, and nesting that exhausts the stack.
MOST_CHARACTERS = 512 * 1024
MOST_NODES = 50_000
DEEPEST = 24


@dataclass(slots=True)
class Source:
    """What a file holds. `lines` are those of keys and items, 1-based."""

    name: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    # Where items of a list stood before others were left out. An item's key is its list's path
    # in the file and its index now.
    moved: dict[Path, Path] = field(default_factory=dict)
    partial: bool = False  # whether anything was left out

    def origin(self, path: Path) -> Path:
        """The path in the file of what is at `path` in the data that was read on."""
        origin: Path = ()
        for step in path:
            origin = self.moved.get((*origin, step), (*origin, step))
        return origin

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest part around it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str, name: str) -> Source:
    """Read YAML into plain data; what is wrong with the YAML itself is among the problems."""
    source = Source(name)
    if len(text) > MOST_CHARACTERS:
        source.problems.append(Problem(name, 1, (), "is larger than 512 KiB: no schema needs that"))
        return source
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
        source.data = None if root is None else _Reader(yaml, source).read(root, ())
    except RecursionError:
        source.problems.append(Problem(name, 1, (), "is nested too deeply to be a schema"))
    except YAMLError as error:
        source.problems.append(_syntax(error, name))
    return source


def _syntax(error: YAMLError, name: str) -> Problem:
    if not isinstance(error, MarkedYAMLError):
        return Problem(name, 1, (), f"is not YAML: {str(error).splitlines()[0]}")
    mark = error.problem_mark or error.context_mark
    what = (error.problem or error.context or "cannot be read").strip()
    return Problem(name, mark.line + 1 if mark else 1, (), f"is not YAML here: {what}")


class _Reader:
    """Turns nodes into data, counting them."""

    def __init__(self, yaml: YAML, source: Source) -> None:
        self._construct = yaml.constructor.construct_object
        self._source = source
        self._left = MOST_NODES

    def read(self, node: Node, path: Path) -> Any:
        self._left -= 1
        if self._left < 0 or len(path) > DEEPEST:
            raise RecursionError
        self._source.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: Node) -> Any:
        """A number, a truth or nothing where it is written as one; all else, days too, is text."""
        if node.tag == "tag:yaml.org,2002:timestamp":
            return str(node.value)
        try:
            return self._construct(node)
        except ValueError:
            return str(node.value)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str | int, Any]:
        data: dict[str | int, Any] = {}
        for key_node, value in node.value:
            key = self._key(key_node)
            at, line = (*path, key), key_node.start_mark.line + 1
            if key in data:
                what = f"is written twice, first on line {self._source.line(at)}: keep one of them"
                self._source.problems.append(Problem(self._source.name, line, at, what))
                continue
            self._source.lines[at] = line
            data[key] = self.read(value, at)
        return data

    def _key(self, node: Node) -> str | int:
        """Whole numbers (of values and windows) are keys too; all else is text, days included."""
        key = self._scalar(node) if isinstance(node, ScalarNode) else str(node.value)
        return key if isinstance(key, int) and not isinstance(key, bool) else str(node.value)
