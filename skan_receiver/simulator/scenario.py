"""What the world is like: a scenario, read from YAML and checked."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from skan_receiver.conversion import Schema, load_schema
from skan_receiver.errors import ConfigurationError

# How postbacks can be laid out, and how rows name that: SKAdNetwork's versions, then the other.
LAYOUTS = ("1.0", "2.0", "2.1", "2.2", "3.0", "4.0", "adattributionkit")
WINDOWED = LAYOUTS.index("4.0")  # from here on: three windows and coarse values

Share = Annotated[float, Field(ge=0, le=1)]
Weights = Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)]
ItemId = Annotated[int, Field(gt=0, lt=2**63)]


class Part(BaseModel):
    """A part of a scenario: nothing unknown, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Revenue(Part):
    """Amounts are log-normal: half of them are below the median."""

    median: float = Field(gt=0)
    sigma: float = Field(1.0, ge=0, le=3)


class Event(Part):
    """What users do: some of them (`share`), once after a while, or so often on an active day."""

    share: Share = 1.0
    median_hours: float | None = Field(None, gt=0)
    per_active_day: float | None = Field(None, gt=0, le=1000)
    revenue: Revenue | None = None

    @model_validator(mode="after")
    def _once_or_often(self) -> Self:
        if (self.median_hours is None) == (self.per_active_day is None):
            raise ValueError("give median_hours (once) or per_active_day (often)")
        return self


class Behaviour(Part):
    """A kind of user. On day d after the install, `day_1 * d ** -decay` of them are active."""

    day_1: Share = 0.3
    decay: float = Field(0.7, ge=0)
    events: dict[str, Event]


class Network(Part):
    """An ad network; `ours`: its registered URL is this server, by way of `forwarder` or not."""

    id: str = Field(pattern="^[a-z0-9.-]+$")
    ours: bool = True
    forwarder: str | None = Field(None, pattern="^[a-z0-9][a-z0-9-]*$")
    # Of the account that ads are paid from, where somebody makes up costs.
    currency: str = Field("USD", pattern="^[A-Z]{3}$")
    zone: str = "UTC"


class InForce(Part):
    """A schema, published on a date or on the n-th day of the scenario (its first hour, UTC)."""

    since: date | None = None
    day: int | None = Field(None, ge=0)
    file: Path

    @model_validator(mode="after")
    def _when(self) -> Self:
        if (self.since is None) == (self.day is None):
            raise ValueError("give since (a date) or day (of the scenario, the first is 0)")
        return self

    def begins(self, start: date) -> date:
        """Its first day, in a scenario that starts on `start`."""
        return start + timedelta(days=self.day or 0) if self.since is None else self.since


class App(Part):
    """An advertised app. Phones fetch schemas when opened: each up to so many hours ago."""

    id: ItemId
    schemas: tuple[InForce, ...] = Field(min_length=1)
    fetch_lag_hours: float = Field(24.0, ge=0)
    developer_copies: bool = True


class Campaign(Part):
    """What a network runs for an app."""

    app: int
    network: str
    name: str = ""  # what the network calls it
    source: str = Field(pattern="^[0-9]{4}$")  # the source identifier; before 4.0 its last two
    price: float = Field(0.0, ge=0)  # of an install, about
    daily: float = Field(ge=0)  # installs
    re_engagements: float = Field(0.0, ge=0)  # a day, AdAttributionKit only
    redownloads: Share = 0.1
    clicks: Share = 0.8  # the rest are view-through
    countries: Weights = {"US": 1.0}
    publishers: Annotated[dict[int | str, float], Field(min_length=1)]  # item ids, and web sites
    behaviour: str


class Apple(Part):
    """Apple's parameters. The documented windows and delays are none: they are as documented."""

    mix: dict[str, float] = {"3.0": 0.1, "4.0": 0.5, "adattributionkit": 0.4}
    # Installs that share a day, app, source identifier and publisher, for tier 1, 2 and 3.
    # Apple does not publish its numbers.
    tiers: tuple[int, int, int] = (5, 15, 30)
    # How many networks lost each conversion: number -> share; the rest had no losers.
    losers: dict[Annotated[int, Field(ge=1, le=5)], Share] = {}
    # Sent again although we had answered 200.
    duplicates: Share = 0.0

    @model_validator(mode="after")
    def _known(self) -> Self:
        if unknown := self.mix.keys() - set(LAYOUTS):
            raise ValueError(f"mix: {min(unknown)!r} is none of {', '.join(LAYOUTS)}")
        if sum(self.losers.values()) > 1:
            raise ValueError("losers: the shares are more than 1 together")
        if list(self.tiers) != sorted(self.tiers):
            raise ValueError("tiers: write the smallest crowd first")
        return self


class Adversary(Part):
    """What is sent beside, as shares of all that arrives. Off by default."""

    invalid: Share = 0.0  # signatures that do not match
    replayed: Share = 0.0  # genuine ones, again and again
    changed: Share = 0.0  # genuine ones with another value, which nobody signs
    foreign: Share = 0.0  # well signed, for apps and networks that are not in the scenario
    broken: Share = 0.0  # no JSON, or a wrong type


class Scenario(Part):
    """A world, day by day."""

    name: str
    start: date
    days: int = Field(ge=1, le=3650)
    currency: str | None = None  # of all revenue; by default each schema's
    weekend: float = Field(1.0, ge=0)  # installs on Saturday and Sunday, relative to other days
    networks: tuple[Network, ...] = Field(min_length=1)
    apps: tuple[App, ...] = Field(min_length=1)
    campaigns: tuple[Campaign, ...] = Field(min_length=1)
    behaviours: dict[str, Behaviour]
    apple: Apple = Apple()
    adversary: Adversary = Adversary()

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        apps, networks = {app.id for app in self.apps}, {network.id for network in self.networks}
        for n, campaign in enumerate(self.campaigns):
            for what, name, known in (
                ("app", campaign.app, apps),
                ("network", campaign.network, networks),
                ("behaviour", campaign.behaviour, self.behaviours),
            ):
                if name not in known:
                    raise ValueError(f"campaigns.{n}.{what}: {name!r} is not defined")
            for publisher in campaign.publishers:
                if isinstance(publisher, str) and not re.fullmatch(r"[a-z0-9.-]+", publisher):
                    raise ValueError(f"campaigns.{n}.publishers: {publisher!r} is no web site")
        return self

    @cached_property
    def events(self) -> tuple[str, ...]:
        """Every event's name; rows say its place here."""
        return tuple(dict.fromkeys(e for b in self.behaviours.values() for e in b.events))

    @cached_property
    def publishers(self) -> tuple[int | str, ...]:
        """Every publisher, apps and web sites; rows say its place here."""
        return tuple(dict.fromkeys(p for c in self.campaigns for p in c.publishers))

    @cached_property
    def countries(self) -> tuple[str, ...]:
        """Every country; rows say its place here."""
        return tuple(dict.fromkeys(code for c in self.campaigns for code in c.countries))

    def app(self, campaign: Campaign) -> App:
        return next(app for app in self.apps if app.id == campaign.app)

    def network(self, campaign: Campaign) -> Network:
        return next(network for network in self.networks if network.id == campaign.network)


Schemas = Mapping[int, tuple[tuple[date, Schema], ...]]


def load_scenario(path: Path) -> Scenario:
    """Read the scenario at `path`; ConfigurationError names each part that is wrong."""
    try:
        data: Any = YAML(typ="safe").load(path)
        scenario = Scenario.model_validate(data)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from None
    except YAMLError as error:
        raise ConfigurationError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {'; '.join(_faults(error))}") from None
    return scenario


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        yield f"{'.'.join(map(str, fault['loc'])) or 'scenario'}: {fault['msg']}"


def load_schemas(scenario: Scenario, folder: Path) -> Schemas:
    """Each app's schemas with their first day, in order; files are named from `folder` on."""
    found: dict[int, tuple[tuple[date, Schema], ...]] = {}
    for app in scenario.apps:
        versions = [
            (one.begins(scenario.start), load_schema(folder / one.file)) for one in app.schemas
        ]
        for _, schema in versions:
            if schema.app_id != app.id:
                raise ConfigurationError(f"{schema.source}: is for {schema.app_id}, not {app.id}")
        found[app.id] = tuple(sorted(versions, key=lambda version: version[0]))
    return found
