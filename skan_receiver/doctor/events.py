"""Events of users: what is set up and what is still to do, in the order in which people do it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from skan_receiver.config import Settings
from skan_receiver.delivery.destinations import EventDestination
from skan_receiver.delivery.registry import readable
from skan_receiver.doctor.finding import Finding, good, warning
from skan_receiver.storage import ApiKey, Connected, Delivery, StoredEvent
from skan_receiver.storage.columns import table
from skan_receiver.storage.consent import standing
from skan_receiver.storage.deliveries import DONE
from skan_receiver.storage.event_rows import event_of
from skan_receiver.storage.networks import PROVIDER as NETWORK
from skan_receiver.storage.sources import sources

CONNECTED, EVENT, DELIVERY = table(Connected), table(StoredEvent), table(Delivery)
KEY = table(ApiKey)

# Of how many deliveries it is looked whether one arrived, the newest ones.
RECENT = 100_000
# Of how many events it is looked whether somebody is told of them.
LATEST = 500

Destinations = Sequence[EventDestination]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to set up. `command` does it; where it is done, `said` tells how it is."""

    what: str
    is_done: bool
    said: str
    command: str


def steps(connection: Connection, settings: Settings) -> list[Step]:
    """The list."""
    entries, _ = readable(connection)
    known = [one.destination for one in entries]
    destinations = [one for one in known if isinstance(one, EventDestination)]
    return [
        _told(connection),
        _came(connection),
        _destinations(destinations),
        _mapped(connection, destinations),
        _counted_once(destinations),
        _delivered(connection, destinations),
        _consent(connection),
        _retention(settings),
        _named(connection),
    ]


def look_at_events(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """What is still to do; nothing, where nobody has begun to use events."""
    found = steps(connection, settings)
    if not any(step.is_done for step in found[:3]):
        return
    todo = [step for step in found if not step.is_done]
    for step in todo:
        yield warning("events", f"{step.what}: {step.said}: {step.command}")
    if not todo:
        yield good("events", "all is set up")


def _told(connection: Connection) -> Step:
    named = select(CONNECTED.c.name).where(CONNECTED.c.provider != NETWORK)
    names = list(connection.scalars(named.order_by(CONNECTED.c.name)))
    keys = select(KEY.c.scopes).where(KEY.c.revoked_at.is_(None))
    if any("events" in scopes.split() for scopes in connection.scalars(keys)):
        names.append("an app's server, by a key")
    return Step(
        "Somebody tells us of events",
        bool(names),
        ", ".join(names) or "no MMP is connected, and no key has the scope events",
        "skan-receiver events connect appsflyer  (or: keys create shop-server --scope events)",
    )


def _came(connection: Connection) -> Step:
    last = connection.scalar(select(func.max(EVENT.c.received_at)))
    said = "none yet" if last is None else f"the last one at {last:%Y-%m-%d %H:%M} UTC"
    return Step(
        "The first event has come", last is not None, said, "skan-receiver events connections"
    )


def _destinations(destinations: Destinations) -> Step:
    names = ", ".join(one.name for one in destinations)
    return Step(
        "A destination gets events",
        bool(destinations),
        names or "none does",
        "skan-receiver destinations presets, then: destinations add NAME --preset …",
    )


def _mapped(connection: Connection, destinations: Destinations) -> Step:
    newest = select(EVENT).order_by(EVENT.c.id.desc()).limit(LATEST)
    came = [event_of(row) for row in connection.execute(newest)]
    deaf = [one.name for one in destinations if not any(map(one.told_as, came))]
    names = ", ".join(sorted({event.name for event in came})[:5])
    said = "each is told what is what"
    if not came:
        said = "nothing has come to be told"
    elif deaf:
        said = f"{deaf[0]} is told nothing of what came: {names}"
    return Step(
        "Events are mapped to what partners call them",
        bool(destinations and came) and not deaf,
        said if destinations else "no destination gets events",
        "skan-receiver destinations export, change `events:` and `installs:`, destinations import",
    )


def _counted_once(destinations: Destinations) -> Step:
    silent = [one.name for one in destinations if one.already_sent_by_mmp]
    said = "no MMP sends them to the same partners"
    if silent:
        said = f"{', '.join(silent)}: the MMP sends them, so nothing is sent from here"
    return Step(
        "It is said whether an MMP sends the same to the partner",
        bool(destinations),
        said if destinations else "no destination gets events",
        "skan-receiver destinations export, answer `already_sent_by_mmp:`, destinations import",
    )


def _delivered(connection: Connection, destinations: Destinations) -> Step:
    names = [one.name for one in destinations if not one.already_sent_by_mmp]
    newest = connection.scalar(select(func.max(DELIVERY.c.id))) or 0
    done = select(DELIVERY.c.destination).where(
        DELIVERY.c.id > newest - RECENT, DELIVERY.c.destination.in_(names), DELIVERY.c.state == DONE
    )
    found = set(connection.scalars(done.distinct())) if names else set()
    missing = [name for name in names if name not in found]
    return Step(
        "A delivery was taken",
        bool(destinations) and not missing,
        f"{missing[0]} has taken none yet" if missing else "each destination takes what it is sent"
        if destinations else "no destination gets events",
        f"skan-receiver destinations test {missing[0] if missing else 'NAME'} --send",
    )  # fmt: skip


def _consent(connection: Connection) -> Step:
    policy = standing(connection)
    said = {None: "none is recorded: it is as if it denied", True: "it allows", False: "it denies"}
    return Step(
        "A policy of consent is recorded, for where no law decides",
        policy is not None,
        said[policy],
        "skan-receiver events policy allow --reason … --author …  (or: deny)",
    )


def _retention(settings: Settings) -> Step:
    days = f"who it was {settings.person_days} days, events {settings.event_days}"
    decided = {"person_days", "event_days"} & settings.model_fields_set
    return Step(
        "It is decided how long users' data is kept",
        bool(decided),
        days if decided else f"{days}: nobody has said so",
        "SKAN_PERSON_DAYS=90 SKAN_EVENT_DAYS=730  (in the environment or in .env)",
    )


def _named(connection: Connection) -> Step:
    known = len(set(sources(connection).values()))
    return Step(
        "Media sources are named, so that nothing is counted twice",
        known > 0,
        f"{known} of them: see `report overlap`" if known else "none is",
        'skan-receiver events sources map "Facebook Ads" v9wttpbfk9.skadnetwork',
    )
