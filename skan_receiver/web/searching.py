"""The search form of /postbacks: what was typed, what it asks, and the way to the next page."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

from skan_receiver.errors import SkanError
from skan_receiver.protocol import Framework, Verdict, parse
from skan_receiver.storage.newest import Place
from skan_receiver.storage.search import Query
from skan_receiver.web import cursor
from skan_receiver.web.access import limits

NUMBERS = ("app_id", "window", "fine_value")
CHOICES = {
    "framework": [framework.value for framework in Framework],
    "verdict": [verdict.value for verdict in Verdict],
    "version": ["4.0", "3.0", "2.2", "2.1", "2.0", "1.0"],
    "window": ["0", "1", "2"],
    "counted": ["yes", "no"],
    "coarse_value": ["low", "medium", "high"],
}
TIMES = ("since", "until")
FIELDS = ("id", "app_id", "ad_network_id", "source_identifier", "fine_value", *TIMES, *CHOICES)


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for. What makes no sense is said beside its field, not dropped."""

    typed: Mapping[str, str]
    query: Query
    after: Place | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> "Search":
        """Read the form."""
        typed = {name: text for name in FIELDS if (text := arguments.get(name, "").strip())}
        values: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for name, text in typed.items():
            try:
                values[name] = value_of(name, text)
            except ValueError as error:
                wrong[name] = str(error)
        apps, networks = limits()
        query = Query(**values, apps=apps, networks=networks)  # type: ignore[arg-type]
        return cls(typed, query, _place(arguments), wrong)

    @property
    def choices(self) -> Mapping[str, list[str]]:
        """What the fields with a list offer."""
        return CHOICES

    def url(self, **more: str) -> str:
        """This search again, with `more`."""
        return "/postbacks?" + urlencode({**self.typed, **more})


def value_of(name: str, text: str) -> object:
    """A filter as it was typed. ValueError says what to type instead."""
    if name in CHOICES and text not in CHOICES[name]:
        raise ValueError(f"one of: {', '.join(CHOICES[name])}")
    if name in NUMBERS:
        # int() would take "1_0" and other scripts' digits.
        if not (text.isascii() and text.isdigit() and int(text) < 2**63):
            raise ValueError("a number, as in 525463029")
        return int(text)
    if name in TIMES:
        return moment_of(text)
    if name == "id" and text.startswith(("{", "eyJ")):
        return id_in(text)
    if "\0" in text:
        raise ValueError("a text")
    return text == "yes" if name == "counted" else text


def moment_of(text: str) -> datetime:
    """A time as a form has it; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a time, UTC, as in 2026-11-30T08:00") from None
    if not 1970 <= moment.year <= 9000:
        raise ValueError("a year between 1970 and 9000")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def id_in(text: str) -> str:
    """The id in a postback that somebody pasted: Apple's JSON, or the JWS within."""
    body = text if text.startswith("{") else json.dumps({"jws-string": text})
    try:
        return parse(body.encode()).id
    except SkanError:
        pass
    # Not whole, or of a forwarder; the id is there all the same.
    if found := re.search(r'"(?:transaction-id|postback-identifier)"\s*:\s*"([^"]{1,200})"', text):
        return found[1]
    raise ValueError("no id is in this text: paste the whole postback, or its id")


def _place(arguments: Mapping[str, str]) -> Place | None:
    """A bookmark of another release begins at the top."""
    with suppress(ValueError):
        return cursor.read(arguments["cursor"]) if "cursor" in arguments else None
    return None
