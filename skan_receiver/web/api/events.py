"""`/events`: installs and in-app events of users, told by one's own server, and what is kept.

Who tells needs no more than the scope `events`: it is an app's server that holds such a key. Who
reads sees identifiers masked, whatever its key allows: a key ends up in dashboards and notebooks,
and neither needs to know who somebody is. Deliveries and erasure, which do, work inside.
"""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.errors import Malformed
from skan_receiver.events import Outcome, Told
from skan_receiver.mmp.event import Event
from skan_receiver.mmp.personal import masked
from skan_receiver.mmp.proofs import with_proofs
from skan_receiver.mmp.providers.generic import OWN
from skan_receiver.mmp.providers.provider import KINDS, kind_of
from skan_receiver.mmp.providers.values import LONGEST_ID, LONGEST_TEXT
from skan_receiver.storage import event_search
from skan_receiver.storage.event_rows import COLUMNS, amount
from skan_receiver.storage.event_search import Query
from skan_receiver.web import cursor, metrics
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt, FromRow, Moment
from skan_receiver.web.api.paging import NEXT_OF_SOME, ByPlace
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="events")]

MOST_EVENTS = 1_000
CONNECTION = "api"

Id = Annotated[str, Field(max_length=LONGEST_ID)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Word = Literal["install", "reinstall", "re_engagement", "event", "rejected_install", "refund"]


class Telling(BaseModel):
    """One install or in-app event of one user. What is not known is left out, never made up."""

    model_config = ConfigDict(extra="forbid")

    event_id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)] = Field(
        description="Yours; one that was told before is a copy, and counts once."
    )
    kind: Word = "event"
    name: Id | None = Field(None, description="Of an in-app event; installs need none.")
    at: Moment = Field(description="When it happened; without a zone it is UTC.")
    app_id: BigInt | None = Field(None, description="The App Store id, on iOS.")
    bundle_id: Id | None = Field(None, description="The package's name, on Android.")
    platform: Literal["ios", "android"] | None = None
    installed_at: Moment | None = None

    revenue: Decimal | None = Field(
        None,
        gt=-(10**12),
        lt=10**12,
        description="As text it is exact to the last digit. Below nothing it is a refund.",
    )
    currency: Annotated[str, Field(pattern="^[A-Za-z]{3}$")] | None = None
    order_id: Id | None = Field(None, description="By it a refund finds its purchase.")
    withdraws: Id | None = Field(None, description="The event_id of what this takes back.")

    # Who it was.
    idfa: Id | None = None
    idfv: Id | None = None
    gaid: Id | None = None
    android_id: Id | None = None
    customer_user_id: Id | None = None
    mmp_user_id: Id | None = None
    click_id: Id | None = Field(
        None, description="What a tracking link, or the answer of `POST /touch`, brought along."
    )
    install_referrer: Text | None = Field(
        None, description="In place of click_id: what Google Play's library gave the app."
    )
    ip: Id | None = None
    user_agent: Text | None = None

    # To what ad it is given, if you know.
    is_attributed: bool | None = Field(None, description="False: organic.")
    media_source: Text | None = None
    agency: Text | None = None
    channel: Text | None = None
    campaign_id: Text | None = None
    campaign_name: Text | None = None
    adset_id: Text | None = None
    adset_name: Text | None = None
    ad_id: Text | None = None
    ad_name: Text | None = None
    site_id: Text | None = None
    touch_type: Text | None = None
    touched_at: Moment | None = None
    match_type: Text | None = None
    is_retargeting: bool | None = None
    apple_ads: dict[str, Any] | None = Field(
        None,
        description="What Apple's servers answered for the token of AdServices, as it came: "
        '`{"attribution": true, "campaignId": 542370539, …}`.',
    )
    is_restricted: bool = Field(False, description="Its media source lets it go to nobody else.")

    # What was said of consent: left out is not a yes.
    att: Literal["not_determined", "restricted", "denied", "authorized"] | None = None
    limit_ad_tracking: bool | None = None
    gdpr_applies: bool | None = None
    ad_user_data: bool | None = None
    ad_personalization: bool | None = None
    limited_data_use: bool | None = None
    child_directed: bool | None = None

    # What it ran on.
    country: Annotated[str, Field(pattern="^[A-Za-z]{2}$")] | None = None
    region: Text | None = None
    os_version: Text | None = None
    app_version: Text | None = None
    model: Text | None = None
    language: Text | None = None
    sdk_version: Text | None = None

    def event(self) -> Event:
        """As it is kept. Malformed for what no field's pattern can say."""
        said = self.model_dump(exclude_none=True, exclude={"install_referrer", "apple_ads"})
        plain = {name: _plain(value) for name, value in said.items()}
        return with_proofs(
            OWN.event(plain), referrer=self.install_referrer, apple_ads=self.apple_ads
        )


class Batch(BaseModel):
    """Up to 1,000 events: all of them are kept, or none is and the answer says why."""

    model_config = ConfigDict(extra="forbid")

    events: list[Telling] = Field(min_length=1, max_length=MOST_EVENTS)


class Became(BaseModel):
    """What became of one event."""

    event_id: str
    outcome: Literal["stored", "duplicate", "dropped"] = Field(
        description="duplicate: told before. dropped: of somebody who was erased since."
    )
    id: int | None = Field(description="Its number here, for /events/{id}.")


class Results(BaseModel):
    """What became of each event, in order."""

    results: list[Became]


class Wanted(ByPlace):
    """Which events. What is left out does not narrow. None is found by who it is of: addresses
    of requests are logged on their way."""

    connection: Id | None = Field(None, description="Where it came in; `api` for this API.")
    provider: Id | None = Field(None, description="`own` for this API.")
    kind: Word | None = None
    name: Id | None = None
    app_id: BigInt | None = None
    bundle_id: Id | None = None
    media_source: Text | None = None
    event_id: Id | None = None
    since: Moment | None = Field(None, description="When it was received.")
    until: Moment | None = Field(None, description="Left out itself.")
    withdrawn: bool | None = Field(None, description="Whether it was taken back.")


class Numbered(BaseModel):
    """An event by its number here."""

    id: BigInt


class Kept(FromRow):
    """A stored event, identifiers masked."""

    id: int
    received_at: datetime
    connection: str
    provider: str
    event_id: str
    kind: Word
    name: str
    at: datetime
    app_id: int | None
    bundle_id: str | None
    platform: str | None
    installed_at: datetime | None
    revenue: Decimal | None = Field(description="Text, exact. Below nothing in a refund.")
    currency: str | None
    order_id: str | None
    person: dict[str, str] = Field(description="The first letters of each identifier there is.")
    attribution: dict[str, Any]
    signals: dict[str, Any] = Field(description="What was said of consent; null: nothing.")
    device: dict[str, Any]
    is_restricted: bool
    withdraws: str | None = Field(description="The event_id of what it takes back.")
    withdrawn_by: int | None = Field(description="Number of the event that took it back.")


class KeptStory(Kept):
    """A stored event, and what it took back."""

    takes_back: list[int] = Field(description="Numbers of events.")


class EventPage(BaseModel):
    """Some events, the newest first."""

    events: list[Kept]
    next_cursor: str | None = Field(description=NEXT_OF_SOME)


@bp.post("/events", tags=TAGS, responses={200: Results, **documented(400, 413, 415, 422)})
def tell_events(body: Batch) -> Response:
    """Tell of installs and in-app events. Answered when they are durable; send again what was
    not answered: copies count once. Wants the scope `events`."""
    now = datetime.now(UTC)
    told: list[Told] = []
    faults: list[Fault] = []
    for place, one in enumerate(body.events):
        try:
            told.append(Told(now, CONNECTION, one.event()))
        except Malformed as fault:
            where = f"events.{place}.{fault.member or ''}".rstrip(".")
            faults.append(Fault(where=where, what=fault.reason))
    if faults:
        return problem(422, "; ".join(f"{one.where}: {one.what}" for one in faults), errors=faults)
    results = services().intake(told)
    for outcome, n in Counter(result.outcome for result in results).items():
        metrics.told(OWN.name, outcome, n)
    became = [
        Became(event_id=one.event_id, outcome=_word(result.outcome), id=result.stored_id)
        for one, result in zip(body.events, results, strict=True)
    ]
    return answer(Results(results=became))


@bp.get("/events", tags=TAGS, responses={200: EventPage, **documented(422)})
def list_events(query: Wanted) -> Response:
    """Stored events, the newest first, identifiers masked."""
    said = query.model_dump(exclude={"limit", "cursor", "kind"})
    asked = Query(**said, kind=query.kind and kind_of(query.kind).value)
    with services().store.read() as connection:
        rows, place = event_search.find(connection, asked, after=query.after, limit=query.limit)
    page = EventPage(
        events=[Kept.model_validate(_told(row)) for row in rows],
        next_cursor=cursor.written(place) if place else None,
    )
    return answer(page)


@bp.get("/events/<int:id>", tags=TAGS, responses={200: KeptStory, **documented(304, 404, 422)})
def show_event(path: Numbered) -> Response:
    """One event, identifiers masked. Who was sent it: /events/{id}/decisions."""
    with services().store.read() as connection:
        story = event_search.story(connection, path.id)
    if story is None:
        raise NotFound(f"There is no event {path.id}.")
    told = {**_told(story.row), "takes_back": story.takes_back}
    return answer(KeptStory.model_validate(told))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _word(outcome: Outcome) -> Any:
    return outcome.value


def _told(row: Any) -> dict[str, Any]:
    named = {name: value for name in COLUMNS["person"] if (value := getattr(row, name))}
    parts = {part: {name: getattr(row, name) for name in names} for part, names in COLUMNS.items()}
    return {
        **{name: getattr(row, name) for name in Kept.model_fields if hasattr(row, name)},
        **parts,
        "person": {name: masked(value) for name, value in named.items()},
        "kind": KINDS[row.kind],
        "revenue": amount(row.revenue_micros),
    }
