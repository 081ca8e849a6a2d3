"""What somebody typed into the schema editor, and what is to be said of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from skan_receiver.conversion import Encoded, Problem, Schema, User, UserEvent, encode
from skan_receiver.conversion.board import Place, faults_by_cell
from skan_receiver.conversion.building import (
    Rule,
    Unbuildable,
    with_model,
    with_rule,
    without_value,
)
from skan_receiver.conversion.load import examine_schema
from skan_receiver.conversion.meaning import COARSE
from skan_receiver.conversion.rewrite import content
from skan_receiver.conversion.rollout import rollout_hours
from skan_receiver.errors import SchemaError
from skan_receiver.web.schema_parts import amount_of, parts_of
from skan_receiver.web.searching import moment_of

MOST_EVENTS = 200
AN_EVENT = re.compile(r"(\S+)\s+(\d{1,4}(?:\.\d+)?)h?(?:\s+(-?\d{1,9}(?:\.\d{1,6})?))?")


@dataclass(frozen=True, slots=True)
class SchemaForm:
    """The editor's fields. What cannot be read is in `wrong`, by field, and stays as typed."""

    app_id: int
    text: str
    base: int = 0
    typed: Mapping[str, str] = field(default_factory=dict)
    do: str = ""
    effective_from: datetime | None = None
    rollout_hours: int = 0
    note: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)
    # What is made of the text.
    schema: Schema | None = field(init=False)
    problems: Sequence[Problem] = field(init=False)
    sent: Sequence[Encoded] = ()

    def __post_init__(self) -> None:
        schema, problems = examine_schema(f"{self.text}\n", name="schema")
        if schema is not None and schema.app_id != self.app_id:
            what = f"{schema.app_id} is another app; this is the schema of {self.app_id}"
            schema, problems = None, (Problem("schema", 1, ("app",), what), *problems)
        object.__setattr__(self, "schema", schema)
        object.__setattr__(self, "problems", problems)

    @classmethod
    def of(cls, typed: Mapping[str, str], app_id: int, now: datetime) -> "SchemaForm":
        """Read the form."""
        wrong: dict[str, str] = {}
        since = _moment(typed.get("effective_from", "").strip(), wrong)
        hours = _rollout(typed.get("rollout", "").strip(), wrong)
        base = typed.get("base", "0")
        # Browsers send lines as HTTP has them.
        text = typed.get("text", "").replace("\r\n", "\n")
        form = cls(
            app_id,
            text,
            int(base) if base.isdecimal() and len(base) < 10 else 0,
            {name: value for name, value in typed.items() if name != "text"},
            typed.get("do", ""),
            since,
            hours,
            typed.get("note", "").strip()[:1000],
            wrong,
        )
        return form._tried(now) if form.typed.get("user", "").strip() else form

    @property
    def mistakes(self) -> list[Problem]:
        """What keeps it from being published."""
        return [problem for problem in self.problems if not problem.warning]

    @property
    def faults(self) -> Mapping[Place, Sequence[Problem]]:
        """Mistakes and warnings by the value they are about."""
        try:
            return faults_by_cell(self.problems, content(f"{self.text}\n"))
        except SchemaError:
            return {}

    def built(self, typed: Mapping[str, str]) -> "SchemaForm":
        """With the text changed as a button of the form says, or why not."""
        try:
            if self.do == "model":
                window, parts = _window(typed.get("model_window", "0")), parts_of(typed)
                model = typed.get("model", "")
                return self._with(with_model(f"{self.text}\n", window, model, parts))
            if self.do in ("cell", "no_cell"):
                return self._with(self._by_cell(typed))
        except (Unbuildable, ValueError) as error:
            name = "model" if self.do == "model" else "cell"
            return replace(self, wrong={**self.wrong, name: str(error)})
        except SchemaError:
            what = "the text cannot be read: mend its mistakes first"
            name = "model" if self.do == "model" else "cell"
            return replace(self, wrong={**self.wrong, name: what})
        return self

    def _by_cell(self, typed: Mapping[str, str]) -> str:
        window, value = _window(typed.get("cell_window", "0")), _value(typed.get("value", ""))
        text = f"{self.text}\n"
        if self.do == "no_cell":
            return without_value(text, window, value)
        return with_rule(text, window, _rule(value, typed))

    def _with(self, text: str) -> "SchemaForm":
        return replace(self, text=text.rstrip("\n") + "\n")

    def _tried(self, now: datetime) -> "SchemaForm":
        """With what the phone of the user typed would send."""
        if self.schema is None:
            return self
        try:
            user = User(_events(self.typed["user"], self.schema), installed=now.date())
        except ValueError as error:
            return replace(self, wrong={**self.wrong, "user": str(error)})
        return replace(self, sent=encode(user, self.schema))


def _moment(text: str, wrong: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        return moment_of(text)
    except ValueError as error:
        wrong["effective_from"] = str(error)
        return None


def _rollout(text: str, wrong: dict[str, str]) -> int:
    try:
        return rollout_hours(text or "0")
    except ValueError as error:
        wrong["rollout"] = str(error)
        return 0


def _window(text: str) -> int:
    if text not in ("0", "1", "2"):
        raise ValueError("window: 0, 1 or 2")
    return int(text)


def _value(text: str) -> int | str:
    text = text.strip()
    if text in COARSE:
        return text
    if text.isascii() and text.isdigit() and int(text) < 64:
        return int(text)
    raise ValueError("value: 0 to 63, low, medium or high")


def _rule(value: int | str, typed: Mapping[str, str]) -> Rule:
    times = typed.get("at_least", "").strip() or "1"
    if not (times.isascii() and times.isdigit() and 0 < int(times) < 10_000):
        raise ValueError("at least: how often, 1 or more")
    return Rule(
        value,
        typed.get("label", "").strip(),
        typed.get("coarse", "") if isinstance(value, int) else "",
        typed.get("event", "").strip(),
        int(times),
        typed.get("revenue", ""),
        _bound("revenue from", typed.get("from_amount", "")),
        _bound("revenue to", typed.get("to_amount", "")),
    )


def _bound(name: str, text: str) -> float | None:
    return amount_of(name, text) if text.strip() else None


def _events(text: str, schema: Schema) -> tuple[UserEvent, ...]:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_EVENTS:
        raise ValueError(f"at most {MOST_EVENTS} events")
    return tuple(_event(line.strip(), number, schema) for number, line in enumerate(lines, 1))


def _event(line: str, number: int, schema: Schema) -> UserEvent:
    if (found := AN_EVENT.fullmatch(line)) is None:
        raise ValueError(f"line {number}: an event, hours since the install, and revenue if any")
    name, hours, revenue = found.groups()
    if name not in schema.events:
        raise ValueError(f"line {number}: the schema has no event {name}")
    return UserEvent(name, float(hours), float(revenue or 0))
