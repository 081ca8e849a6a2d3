"""A destination as somebody types it, and what is to be said of it before it is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from skan_receiver.config import Settings
from skan_receiver.delivery import Entry, documents
from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.presets import Preset, fill
from skan_receiver.delivery.save import Mistakes, checked, named
from skan_receiver.delivery.trial import Trial
from skan_receiver.errors import ConfigurationError

BEGINNINGS: Mapping[str, str] = {
    "relay": "name: partner\nkind: relay\nurl: https://partner.example/postbacks\n",
    "decoded": (
        "name: results\nkind: decoded\nurl: https://partner.example/results\npartner: acme\n"
        'ad_networks: [example.adattributionkit]\nbody:\n  id: "{postback_id}"\n'
        '  value: "{fine_value}"\n'
    ),
    "report": (
        "name: daily\nkind: report\nurl: https://partner.example/reports\npartner: own\n"
        "report: results\n"
    ),
    "event": (
        "name: events\nkind: event\n"
        'url: "https://partner.example/events?event={event_name}&idfa={idfa}"\n'
        "method: GET\npartner: acme\nmedia_sources: [acme_int]\ninstalls: install\n"
        "# Does an MMP send these events to the partner too? Each would count twice.\n"
        "already_sent_by_mmp: false\n"
    ),
}


@dataclass(frozen=True, slots=True)
class DestinationForm:
    """The definition as text, what it is, and what is wrong with it."""

    text: str
    revision: int | None = None
    destination: Destination | None = None
    mistakes: Sequence[tuple[str, str]] = ()  # the field, and what is wrong with it
    trial: Trial | None = None
    refused: str = ""  # why nothing could be sent

    @classmethod
    def of(
        cls, text: str, settings: Settings, *, name: str | None = None, revision: int | None = None
    ) -> "DestinationForm":
        """Read the text; with `name`, it keeps that one."""
        form = cls(text.replace("\r\n", "\n"), revision)
        try:
            written = YAML(typ="safe", pure=True).load(form.text)
        except (YAMLError, RecursionError) as error:
            return replace(form, mistakes=[("text", f"is no YAML: {_first_line(error)}")])
        if name is not None and isinstance(written, dict) and written.get("name") != name:
            what = f"stays {name}: deliveries are kept by name. Add another destination instead"
            return replace(form, mistakes=[("name", what)])
        try:
            return replace(form, destination=checked(written, settings))
        except Mistakes as error:
            return replace(form, mistakes=[(named(path), what) for path, what in error.mistakes])

    @classmethod
    def of_entry(cls, entry: Entry) -> "DestinationForm":
        """A stored one, as it is written."""
        said = documents.described_as(entry)
        said.pop(documents.PAUSED, None)
        return cls(documents.as_yaml(said), entry.revision, entry.destination)


@dataclass(frozen=True, slots=True)
class PresetForm:
    """What a preset asks for, as it was typed."""

    preset: Preset
    typed: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, Any] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    destination: Destination | None = None
    trial: Trial | None = None
    refused: str = ""

    @classmethod
    def of(cls, preset: Preset, typed: Mapping[str, str], settings: Settings) -> "PresetForm":
        """Read the form."""
        form = cls(preset, typed)
        given = {
            one.name: value
            for one in preset.parameters
            if (value := typed.get(one.name, "").strip())
        }
        try:
            definition, secrets = fill(preset, typed.get("name", "").strip(), given)
        except ConfigurationError as error:
            return replace(form, wrong=_by_field(str(error)))
        form = replace(form, definition=definition, secrets=secrets)
        try:
            return replace(form, destination=checked(definition, settings))
        except Mistakes as error:
            wrong = {str(path[0]) if path else "name": what for path, what in error.mistakes}
            return replace(form, wrong=wrong)

    @property
    def shown(self) -> Mapping[str, str]:
        """What goes back into the fields: no secret does."""
        secret = {one.name for one in self.preset.parameters if one.secret}
        return {name: text for name, text in self.typed.items() if name not in secret}


def _by_field(said: str) -> dict[str, str]:
    """Lines of `field: what is wrong`."""
    found: dict[str, str] = {}
    for line in said.splitlines():
        name, _, what = line.partition(": ")
        found.setdefault(name, what)
    return found


def _first_line(error: Exception) -> str:
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    where = f" on line {mark.line + 1}" if mark else ""
    return f"{problem or str(error).splitlines()[0]}{where}"
