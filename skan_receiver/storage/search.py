"""Finding stored postbacks, and all that is known of one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from skan_receiver.config import Settings
from skan_receiver.protocol import identities
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import Attempt, Delivery
from skan_receiver.storage.newest import MOST_ROWS, SECONDS, Page, Place, page, walk
from skan_receiver.storage.postbacks import Arrival, Quarantined, Seen, StoredPostback
from skan_receiver.storage.predicate import counts, ours, superseded

POSTBACK, SEEN, ARRIVAL = table(StoredPostback), table(Seen), table(Arrival)
QUARANTINE = table(Quarantined)
DELIVERY, ATTEMPT = table(Delivery), table(Attempt)

# What Apple's signature covers, and what only the device says, in the order they are told.
SIGNED = (
    *("postback_id", "app_id", "ad_network_id", "version", "window", "conversion_type"),
    *("did_win", "campaign_id", "source_identifier", "fidelity_type", "impression_type"),
    *("source_app_id", "source_domain", "marketplace_id"),
)
UNSIGNED = ("fine_value", "coarse_value", "country", "interaction_type")

# What is compared as it is; Apple's id and the network's are not.
EQUAL = (
    *("app_id", "framework", "version", "window", "verdict"),
    *("fine_value", "coarse_value", "source_identifier"),
)


@dataclass(frozen=True, slots=True)
class Query:
    """Which postbacks; None is: all of them."""

    id: str | None = None  # Apple's: a transaction id or postback identifier, in either case
    app_id: int | None = None
    ad_network_id: str | None = None
    framework: str | None = None
    version: str | None = None
    window: int | None = None
    verdict: str | None = None
    since: datetime | None = None
    until: datetime | None = None  # left out itself
    counted: bool | None = None
    fine_value: int | None = None
    coarse_value: str | None = None
    source_identifier: str | None = None
    # What whoever asks may see; None: everything.
    apps: tuple[int, ...] | None = None
    networks: tuple[str, ...] | None = None  # lower case

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return any(getattr(self, field.name) is not None for field in fields(self))


@dataclass(frozen=True, slots=True)
class Story:
    """One postback and everything that is known of it."""

    row: Row[Any]  # with `counted`, `ours` and `superseded`
    arrivals: Sequence[Row[Any]]
    arrived: int  # how often; of the arrivals at most 16 are kept
    collisions: Sequence[Row[Any]]  # others with its identity but not its signed fields
    superseded_by: int | None
    deliveries: Sequence[tuple[Row[Any], Sequence[Row[Any]]]]  # each with its attempts


def find(
    connection: Connection,
    settings: Settings,
    query: Query,
    *,
    after: Place | None = None,
    limit: int = 50,
    seconds: float = SECONDS,
) -> Page:
    """Postbacks, the newest first, and where the next page begins; None on the last.

    It takes about `seconds` at most: what is too rare to be found by then is on later pages, and
    the place is a pause.
    """
    statement = _brief(settings).where(*_conditions(connection, settings, query))
    if query.id is not None or not query:
        return page(connection, statement, POSTBACK, after=after, limit=limit)
    return walk(
        connection,
        statement,
        POSTBACK,
        after=after,
        limit=limit,
        since=query.since,
        until=query.until,
        seconds=seconds,
    )


def story(connection: Connection, settings: Settings, stored_id: int) -> Story | None:
    """All that is known of the postback in row `stored_id`."""
    row = connection.execute(
        select(
            POSTBACK,
            counts(settings).label("counted"),
            ours().label("ours"),
            superseded().label("superseded"),
        ).where(POSTBACK.c.id == stored_id)
    ).one_or_none()
    if row is None:
        return None
    return Story(
        row=row,
        arrivals=_of(connection, ARRIVAL, stored_id),
        arrived=connection.scalar(select(SEEN.c.arrivals).where(SEEN.c.key == row.identity)) or 1,
        collisions=_collisions(connection, settings, row),
        superseded_by=connection.scalar(
            select(POSTBACK.c.id).where(POSTBACK.c.supersedes == stored_id)
        ),
        deliveries=_deliveries(connection, row),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """What there is to find anything in."""

    since: datetime  # the first arrival
    latest: datetime
    quarantined: int


def kept(connection: Connection) -> Kept | None:
    """From when on postbacks are kept; None where there is none."""
    first, last = (
        connection.scalar(select(one(POSTBACK.c.received_at))) for one in (func.min, func.max)
    )
    if first is None or last is None:
        return None
    return Kept(first, last, connection.scalar(select(func.count()).select_from(QUARANTINE)) or 0)


def _brief(settings: Settings) -> Select[Any]:
    # The bytes stay where they are until one postback is looked at.
    columns = (column for column in POSTBACK.c if column.name not in {"body", "signed_message"})
    return select(*columns, counts(settings).label("counted"))


def _conditions(
    connection: Connection, settings: Settings, query: Query
) -> Iterator[ColumnElement[bool]]:
    if query.id is not None:
        yield _named(connection, query.id)
    for name in EQUAL:
        if (value := getattr(query, name)) is not None:
            yield POSTBACK.c[name] == value
    if query.apps is not None:
        yield POSTBACK.c.app_id.in_(query.apps)
    if query.networks is not None:
        yield func.lower(POSTBACK.c.ad_network_id).in_(query.networks)
    if query.ad_network_id is not None:
        yield func.lower(POSTBACK.c.ad_network_id) == query.ad_network_id.lower()
    if query.since is not None:
        yield POSTBACK.c.received_at >= query.since
    if query.until is not None:
        yield POSTBACK.c.received_at < query.until
    if query.counted is not None:
        yield counts(settings) if query.counted else ~counts(settings)


def _named(connection: Connection, postback_id: str) -> ColumnElement[bool]:
    """By Apple's id: through the keys it can have, so that no index of texts is needed."""
    keys = select(SEEN.c.stored_id).where(SEEN.c.key.in_(identities(postback_id)))
    ids = connection.scalars(keys).all()
    # Collisions have the same id, and a key of their own.
    return or_(POSTBACK.c.id.in_(ids), POSTBACK.c.collides_with.in_(ids))


def _of(connection: Connection, of: Any, stored_id: int) -> Sequence[Row[Any]]:
    return connection.execute(select(of).where(of.c.stored_id == stored_id).order_by(of.c.id)).all()


def _collisions(connection: Connection, settings: Settings, row: Row[Any]) -> Sequence[Row[Any]]:
    first = row.collides_with or row.id
    return connection.execute(
        _brief(settings)
        .where(or_(POSTBACK.c.collides_with == first, POSTBACK.c.id == first))
        .where(POSTBACK.c.id != row.id)
        .order_by(POSTBACK.c.id)
        .limit(MOST_ROWS)
    ).all()


def _deliveries(connection: Connection, row: Row[Any]) -> list[tuple[Row[Any], Sequence[Row[Any]]]]:
    owed = connection.execute(
        select(DELIVERY)
        .where(DELIVERY.c.identity == row.identity, DELIVERY.c.stored_id == row.id)
        .order_by(DELIVERY.c.id)
    ).all()
    return [
        (
            delivery,
            connection.execute(
                select(ATTEMPT)
                .where(ATTEMPT.c.delivery_id == delivery.id)
                .order_by(ATTEMPT.c.id)
                .limit(MOST_ROWS)
            ).all(),
        )
        for delivery in owed
    ]
