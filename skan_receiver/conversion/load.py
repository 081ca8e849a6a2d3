"""Reading schemas from files."""

from collections.abc import Iterable
from pathlib import Path

from skan_receiver.conversion.compiled import compiled
from skan_receiver.conversion.doubts import doubts
from skan_receiver.conversion.problems import Problem, Problems
from skan_receiver.conversion.schema import Schema
from skan_receiver.conversion.shape import shaped
from skan_receiver.conversion.source import Source, read
from skan_receiver.conversion.vocabulary import check_vocabulary
from skan_receiver.errors import SchemaError


def load_schema(given: Path | str, *, name: str | None = None) -> Schema:
    """Read the schema at a path, or in a text of more than one line.

    Raises SchemaError with every mistake as `file:line: field: what and the remedy`; `name` is
    the file's name there. Warnings do not keep a schema from loading: see `check`.
    """
    schema, problems = _read(given, name, doubting=False)
    if schema is None:
        raise SchemaError(errors(problems))
    return schema


def check(given: Path | str, *, name: str | None = None) -> tuple[Problem, ...]:
    """Every mistake and every warning of a schema, in the order of its lines. Never raises."""
    return examine_schema(given, name=name)[1]


def examine_schema(
    given: Path | str, *, name: str | None = None
) -> tuple[Schema | None, tuple[Problem, ...]]:
    """The schema, None where it has mistakes, with all its mistakes and warnings."""
    return _read(given, name, doubting=True)


def load_folder(folder: Path | str) -> dict[int, Schema]:
    """Every schema directly in `folder` (`*.yaml`, `*.yml`), by app id.

    Raises SchemaError with the mistakes of all files.
    """
    schemas: dict[int, Schema] = {}
    mistakes: list[Problem] = []
    for path in _files(Path(folder)):
        schema, problems = _read(path, None, doubting=False)
        mistakes += errors(problems)
        if schema is None:
            continue
        if (other := schemas.setdefault(schema.app_id, schema)) is not schema:
            what = f"{schema.app_id} has a schema already, in {other.source}: keep one of them"
            mistakes.append(Problem(schema.source, 1, ("app",), what))
    if mistakes:
        raise SchemaError(mistakes)
    return schemas


def errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if not problem.warning]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))


def _read(
    given: Path | str, name: str | None, *, doubting: bool
) -> tuple[Schema | None, tuple[Problem, ...]]:
    source = _source(given, name)
    problems = Problems(source, found=source.problems)
    schema = None if source.data is None and source.problems else _compile(source, problems)
    if schema is not None and doubting and not source.partial:
        doubts(schema, problems)
    found = tuple(sorted(problems.found, key=lambda problem: problem.line))
    return None if errors(found) else schema, found


def _compile(source: Source, problems: Problems) -> Schema | None:
    check_vocabulary(source.data, problems)
    if (document := shaped(source, problems)) is None:
        return None
    return compiled(document, source.data, problems)


def _source(given: Path | str, name: str | None) -> Source:
    if isinstance(given, str) and "\n" in given:
        return read(given, name or "schema")
    path = Path(given)
    shown = name or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        return Source(shown, problems=[Problem(shown, 1, (), f"cannot be read: {why}")])
    return read(text, shown)
