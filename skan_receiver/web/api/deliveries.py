"""`/deliveries`: what was sent, what waits, and sending it again."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import registry, replay
from skan_receiver.delivery.destinations.destination import NAME
from skan_receiver.delivery.facts import delivery_name
from skan_receiver.delivery.registry import UnknownDestination
from skan_receiver.delivery.replay import Which
from skan_receiver.delivery.search import MOST_ROWS, Query, find, story
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED
from skan_receiver.web import cursor
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt, FromRow, Moment, NetworkId, Tried
from skan_receiver.web.api.paging import NEXT_OF_SOME, ByNumber
from skan_receiver.web.api.problems import documented, problem
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="deliveries")]


class State(StrEnum):
    """Where a delivery is on its way."""

    OWED = OWED
    LEASED = LEASED
    DONE = DONE
    DEAD = DEAD


class Settled(StrEnum):
    """What can be replayed."""

    DONE = DONE
    DEAD = DEAD


class Wanted(ByNumber):
    """Which deliveries. What is left out does not narrow."""

    destination: str | None = Field(None, pattern=NAME)
    state: State | None = None
    postback: BigInt | None = Field(None, description="A postback's number here.")
    since: Moment | None = Field(None, description="When it was owed.")
    until: Moment | None = Field(None, description="Left out itself.")
    limit: int = Field(50, ge=1, le=MOST_ROWS)


class Numbered(BaseModel):
    """A delivery by its number."""

    id: BigInt


class Delivery(FromRow):
    """One thing owed to one destination."""

    id: int
    name: str = Field(description="What the receiver is told as `webhook-id`.")
    destination: str
    postback: int = Field(description="Number of the postback, or of the report's window.")
    state: State
    attempts: int = Field(description="Since it was last owed anew.")
    replays: int
    next_at: datetime = Field(description="When it is due, or its lease ends.")
    created_at: datetime
    settled_at: datetime | None


class DeliveryStory(Delivery):
    """A delivery with every try; tries are kept for 30 days."""

    tries: list[Tried]


class DeliveryPage(BaseModel):
    """Some deliveries, the newest first."""

    deliveries: list[Delivery]
    next_cursor: str | None = Field(description=NEXT_OF_SOME)


class Replayed(BaseModel):
    """What is to be owed anew."""

    model_config = ConfigDict(extra="forbid")

    ids: list[BigInt] = Field([], max_length=10_000)
    destination: str | None = Field(None, pattern=NAME)
    states: list[Settled] = Field([Settled.DEAD], min_length=1)
    since: Moment | None = Field(None, description="First owed from then on; missed: arrived.")
    until: Moment | None = None
    app_id: BigInt | None = None
    ad_network_id: NetworkId | None = None
    window: int | None = Field(None, ge=0, le=2)
    missed: bool = Field(
        False, description="Instead: what arrived then and was never owed to the destination."
    )
    dry_run: bool = Field(True, description="Only count.")

    def which(self) -> Which:
        """As the ledger is asked."""
        said = self.model_dump(exclude={"missed", "dry_run", "ids", "states"})
        return Which(tuple(self.ids), states=tuple(self.states), **said)


class Count(BaseModel):
    """How many."""

    deliveries: int
    dry_run: bool


@bp.get("/deliveries", tags=TAGS, responses={200: DeliveryPage, **documented(422)})
def list_deliveries(query: Wanted) -> Response:
    """Deliveries, the newest first."""
    asked = Query(query.destination, query.state, query.postback, query.since, query.until)
    with services().store.read() as connection:
        page = find(connection, asked, before=query.number, limit=query.limit)
    told = [Delivery(**_told(row)) for row in page.rows]
    more = None if page.before is None else cursor.of_number(page.before)
    return answer(DeliveryPage(deliveries=told, next_cursor=more))


@bp.get(
    "/deliveries/<int:id>", tags=TAGS, responses={200: DeliveryStory, **documented(304, 404, 422)}
)
def show_delivery(path: Numbered) -> Response:
    """One delivery, with every try."""
    with services().store.read() as connection:
        found = story(connection, path.id)
    if found is None:
        raise NotFound(f"There is no delivery {path.id}.")
    tries = [Tried.model_validate(row) for row in found.attempts]
    return answer(DeliveryStory(**_told(found.row), tries=tries))


@bp.post("/deliveries/replay", tags=TAGS, responses={200: Count, **documented(400, 404, 415, 422)})
def replay_deliveries(body: Replayed) -> Response:
    """Owe deliveries anew: those named, or all that is left by what narrows. Each keeps its
    name, and says that it is a replay. Unless told otherwise they are only counted."""
    if not body.ids and body.destination is None:
        return problem(422, "ids, destination: name one of them")
    if body.missed:
        return _missed(body)
    with services().store.read() as connection:
        try:
            if body.destination is not None:
                registry.known(connection, body.destination)
        except UnknownDestination as error:
            raise NotFound(str(error)) from None
        counted = replay.count(connection, body.which())
    owed = counted if body.dry_run else replay.again(services().store, body.which())
    return answer(Count(deliveries=owed, dry_run=body.dry_run))


def _missed(body: Replayed) -> Response:
    if body.destination is None or body.since is None or body.until is None:
        return problem(422, "missed: wants destination, since and until")
    if body.ids or {"states", "app_id", "ad_network_id", "window"} & body.model_fields_set:
        return problem(422, "missed: goes by the destination's own filters, and no others")
    with services().store.read() as connection:
        try:
            entry = registry.find(connection, body.destination)
        except UnknownDestination as error:
            raise NotFound(str(error)) from None
    owed = replay.missed(
        services().store, services().settings, entry, body.since, body.until, dry_run=body.dry_run
    )
    return answer(Count(deliveries=owed, dry_run=body.dry_run))


def _told(row: Any) -> dict[str, Any]:
    told = dict(row._mapping)
    return {
        **told,
        "name": delivery_name(row.identity, row.destination),
        "postback": told.pop("stored_id"),
    }
