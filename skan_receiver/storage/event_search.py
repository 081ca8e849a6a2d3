"""Finding stored events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from skan_receiver.mmp.event import identity_of
from skan_receiver.mmp.providers import PROVIDERS
from skan_receiver.mmp.providers.generic import OWN
from skan_receiver.storage.columns import table
from skan_receiver.storage.events import StoredEvent
from skan_receiver.storage.newest import SECONDS, Page, Place, page, walk
from skan_receiver.storage.persons import IDENTIFIERS

EVENT = table(StoredEvent)


@dataclass(frozen=True, slots=True)
class Query:
    """Which events; None is: all of them."""

    connection: str | None = None
    provider: str | None = None
    kind: str | None = None
    name: str | None = None
    app_id: int | None = None
    bundle_id: str | None = None
    media_source: str | None = None
    event_id: str | None = None
    since: datetime | None = None  # received
    until: datetime | None = None  # left out itself
    withdrawn: bool | None = None
    identifier: str | None = None  # whole, of any kind


@dataclass(frozen=True, slots=True)
class Story:
    """One event, and the rows that it takes back."""

    row: Row[Any]
    takes_back: Sequence[int]


def find(
    connection: Connection,
    query: Query,
    *,
    after: Place | None = None,
    limit: int = 50,
    seconds: float = SECONDS,
) -> Page:
    """Events, the newest first, and where the next page begins; None on the last.

    It takes about `seconds` at most: what is too rare to be found by then is on later pages.
    """
    statement = select(EVENT).where(*_conditions(query))
    if query.event_id is not None or query.identifier is not None:
        return page(connection, statement, EVENT, after=after, limit=limit)
    return walk(
        connection,
        statement,
        EVENT,
        after=after,
        limit=limit,
        since=query.since,
        until=query.until,
        seconds=seconds,
    )


def story(connection: Connection, event_id: int) -> Story | None:
    """The event in row `event_id`."""
    row = connection.execute(select(EVENT).where(EVENT.c.id == event_id)).one_or_none()
    return None if row is None else Story(row, _taken_back(connection, row))


def _taken_back(connection: Connection, row: Row[Any]) -> list[int]:
    """What it takes back: among what it names, or what is of the same order."""
    if row.withdraws is None and row.order_id is None:
        return []
    named = identity_of(row.provider, row.withdraws or "")
    mine = select(EVENT.c.id).where(
        or_(EVENT.c.identity == named, EVENT.c.order_id == row.order_id),
        EVENT.c.provider == row.provider,
        EVENT.c.withdrawn_by == row.id,
    )
    return list(connection.scalars(mine.order_by(EVENT.c.id)))


def _conditions(query: Query) -> Iterator[ColumnElement[bool]]:
    for name in ("connection", "provider", "kind", "name", "app_id", "bundle_id", "media_source"):
        if (value := getattr(query, name)) is not None:
            yield EVENT.c[name] == value
    if query.event_id is not None:
        # By identity, which has an index: one for each who can have told it.
        tellers = (*PROVIDERS, OWN.name)
        yield EVENT.c.identity.in_([identity_of(teller, query.event_id) for teller in tellers])
    if query.since is not None:
        yield EVENT.c.received_at >= query.since
    if query.until is not None:
        yield EVENT.c.received_at < query.until
    if query.withdrawn is not None:
        yield (
            EVENT.c.withdrawn_by.is_not(None) if query.withdrawn else EVENT.c.withdrawn_by.is_(None)
        )
    if query.identifier is not None:
        yield or_(*(EVENT.c[name] == query.identifier for name in IDENTIFIERS))
