"""Where results go: what would keep them from arriving."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from sqlalchemy import Connection

from skan_receiver.config import Settings
from skan_receiver.delivery import Entry, registry, vault
from skan_receiver.delivery.presets import PRESETS
from skan_receiver.delivery.search import tallies
from skan_receiver.doctor.finding import Finding, good, warning
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage.deliveries import DEAD


def look_at_destinations(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Each destination: whether it may be sent to, takes what it is sent, and has its secrets."""
    try:
        known = registry.entries(connection)
    except ConfigurationError as error:
        yield warning("destinations", str(error))
        return
    dead = {name: states.get(DEAD, 0) for name, states in tallies(connection).items()}
    for entry in known:
        found = list(_look_at(connection, entry, dead.get(entry.name, 0), settings))
        yield from found or [good(_name(entry), "active")]
    for one, other in combinations([entry for entry in known if _forwards(entry)], 2):
        if _share(one.destination.apps, other.destination.apps) and _share(
            one.destination.ad_networks, other.destination.ad_networks
        ):
            said = f"{one.name} and {other.name} both get an app's postbacks for its MMP: "
            yield warning("destinations", said + "name the apps of each, or they count twice")


def _forwards(entry: Entry) -> bool:
    """Whether it is an MMP that a network forwards to: each app has one."""
    preset = PRESETS.get(entry.destination.preset)
    return preset is not None and preset.role == "network forward" and not entry.paused


def _share(some: Sequence[object], others: Sequence[object]) -> bool:
    """Whether anything passes both filters; an empty one lets everything through."""
    return not some or not others or bool(set(some) & set(others))


def _look_at(
    connection: Connection, entry: Entry, dead: int, settings: Settings
) -> Iterator[Finding]:
    name, destination = entry.name, entry.destination
    if entry.state != "active":
        remedy = f"; see `deliveries list --destination {name}`, then `destinations resume {name}`"
        yield warning(_name(entry), entry.state + (remedy if entry.paused else ""))
    if dead:
        yield warning(_name(entry), f"{dead:,} deliveries were given up: see "
                      f"`deliveries list --destination {name} --state dead`")  # fmt: skip
    kept = {row.name for row in vault.secret_names(connection, name)}
    for secret in sorted(destination.secret_names - kept):
        yield warning(_name(entry), f"has no secret {secret!r}: "
                      f"skan-receiver destinations secret set {name} {secret}")  # fmt: skip
    if destination.needs_ip and not settings.relay_ip:
        yield warning(_name(entry), "wants devices' addresses, which are not kept: SKAN_RELAY_IP=1")


def _name(entry: Entry) -> str:
    return f"destination {entry.name}"
