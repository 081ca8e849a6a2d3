"""The owner's policy: what was decided where no law and no platform does. The last stands."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table
from skan_receiver.storage.events import Policy
from skan_receiver.storage.store import Store

POLICY = table(Policy)


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody decided, why and when."""

    allows: bool
    author: str
    reason: str
    at: datetime


def policies(connection: Connection) -> list[Decided]:
    """All of them, the one that stands first."""
    columns = (POLICY.c.allows, POLICY.c.author, POLICY.c.reason, POLICY.c.at)
    rows = connection.execute(select(*columns).order_by(POLICY.c.id.desc()))
    return [Decided(**row) for row in rows.mappings()]


def standing(connection: Connection) -> bool | None:
    """Whether the policy that stands allows; None where none is recorded."""
    return connection.scalar(select(POLICY.c.allows).order_by(POLICY.c.id.desc()).limit(1))


def record(store: Store, *, allows: bool, author: str, reason: str) -> Decided:
    """A policy for the events from now on. What is held already stays so; what is still owed is
    looked at again as it is sent, and goes no further than the policy that stands lets it."""
    for name, said in (("author", author), ("reason", reason)):
        if not said.strip():
            raise ConfigurationError(f"{name}: is empty: who is asked later needs an answer")

    def work(connection: Connection) -> Decided:
        made = Decided(allows, author.strip(), reason.strip(), clock(connection))
        row = {"allows": made.allows, "author": made.author, "reason": made.reason, "at": made.at}
        connection.execute(POLICY.insert(), row)
        return made

    return store.write(work)
