"""Whether a schema speaks only of events, flags and money that it has introduced."""

from collections.abc import Iterator
from typing import Any

from skan_receiver.conversion.problems import Path, Problems, did_you_mean


def check_vocabulary(data: Any, problems: Problems) -> None:
    """Note every event, flag and amount of revenue without a declaration, where it is used."""
    if not isinstance(data, dict):
        return
    events, flags = _names(data.get("events")), _names(data.get("flags"))
    for path, field, value in _uses(data, ()):
        if field == "event" and isinstance(value, str) and value not in events:
            problems.note(_unknown(value, "event", events), path)
        if field == "flag" and isinstance(value, str) and value not in flags:
            problems.note(_unknown(value, "flag", flags), path)
    _check_currency(data, problems)


def _check_currency(data: Any, problems: Problems) -> None:
    """One currency serves the whole file, so one line says that it is missing."""
    uses = [
        path for path, field, _ in _uses(data, ()) if field == "revenue" and path[0] != "events"
    ]
    if uses and "currency" not in data:
        problems.note("is in no currency: add `currency: USD`, or yours, at the top", uses[0])


def _names(declared: Any) -> list[str]:
    return list(map(str, declared)) if isinstance(declared, dict | list) else []


def _unknown(name: str, kind: str, known: list[str]) -> str:
    near = did_you_mean(name, known) or f": add it to `{kind}s` at the top"
    return f"{name} is no {kind} of this schema{near}"


def _uses(part: Any, path: Path) -> Iterator[tuple[Path, str | int, Any]]:
    if isinstance(part, list):
        part = dict(enumerate(part))
    for step, value in part.items() if isinstance(part, dict) else ():
        yield (*path, step), step, value
        yield from _uses(value, (*path, step))
