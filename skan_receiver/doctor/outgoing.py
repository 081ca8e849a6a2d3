"""Where results go: what would keep them from arriving."""

from collections.abc import Iterator

from sqlalchemy import Connection

from skan_receiver.config import Settings
from skan_receiver.delivery import Entry, registry, vault
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
