"""What the API says of a postback."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Row

from skan_receiver.protocol import Framework, Verdict
from skan_receiver.storage.meanings import Readings
from skan_receiver.storage.search import Story
from skan_receiver.web.api.paging import NEXT_OF_SOME

MOST_BIGINT = 2**63 - 1


def _utc(moment: datetime) -> datetime:
    """A time without a zone is UTC; leave room at both ends of the calendar."""
    if not 1970 <= moment.year <= 9000:
        raise ValueError("a year between 1970 and 9000, please")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


BigInt = Annotated[int, Field(ge=0, le=MOST_BIGINT)]
Moment = Annotated[datetime, AfterValidator(_utc)]
NetworkId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
VersionText = Annotated[str, Field(pattern=r"^([0-9]+\.[0-9]+)?$", max_length=8)]


class FromRow(BaseModel):
    """Made from a row with the same names."""

    model_config = ConfigDict(from_attributes=True)


class Signed(FromRow):
    """What Apple's signature covers."""

    postback_id: str = Field(description="Apple's transaction id or postback identifier.")
    app_id: int
    ad_network_id: str
    version: str = Field(description="The SKAdNetwork version; empty for AdAttributionKit.")
    window: int = Field(description="Apple's postback-sequence-index: 0, 1 or 2.")
    conversion_type: str | None
    did_win: bool
    campaign_id: int | None
    source_identifier: str | None
    fidelity_type: int | None
    impression_type: str | None
    source_app_id: int | None
    source_domain: str | None
    marketplace_id: str | None


class Unsigned(FromRow):
    """What the device says and nobody signed. Absent is null, never 0."""

    fine_value: int | None
    coarse_value: str | None
    country: str | None
    interaction_type: str | None


class Postback(FromRow):
    """A stored postback."""

    id: int = Field(description="Its number here, for /postbacks/{id}.")
    received_at: datetime = Field(description="When it first arrived.")
    endpoint: str = Field(description="Whose unsigned values these are.")
    framework: Framework
    verdict: Verdict
    key_id: str
    reason: str = Field(description="Why the signature is not good; empty if it is.")
    counted: bool = Field(description="Whether reports count it.")
    collides_with: int | None = Field(description="The postback whose id it shares.")
    supersedes: int | None = Field(description="The row that `reverify` judged anew.")
    signed: Signed
    unsigned: Unsigned
    flags: list[str] = Field(description="Unsigned members out of range, taken as absent.")


class Evidence(BaseModel):
    """All that is needed to verify the signature again, anywhere."""

    body: str = Field(description="The postback as received, base64.")
    signed_message: str = Field(description="The bytes under the signature, base64.")
    key_id: str
    reason: str


class Arrived(FromRow):
    """One delivery of the postback to one of our endpoints."""

    received_at: datetime
    endpoint: str
    kind: str = Field(description="standing, duplicate, conflict or collision.")
    unsigned: Unsigned
    claims: str | None = Field(description="What a forwarder added, as JSON: claims, not facts.")


class Tried(FromRow):
    """One try at a delivery."""

    at: datetime
    status: int | None
    duration_ms: int
    error_class: str = Field(description="In one word; empty where it was taken.")
    error: str
    answer: str = Field(description="The first 4 kB of what was answered, secrets masked.")
    url: str = Field(description="Without its query.")


class Owed(FromRow):
    """What goes, or went, to one destination."""

    id: int
    destination: str
    state: str = Field(description="owed, leased (being sent), done or dead (given up).")
    attempts: int
    next_at: datetime
    settled_at: datetime | None
    tries: list[Tried]


class PostbackStory(Postback):
    """A stored postback and everything that is known of it."""

    ours: bool = Field(description="Of a registered app and ad network.")
    superseded_by: int | None
    evidence: Evidence
    arrived: int = Field(description="How often; at most 16 arrivals are kept.")
    arrivals: list[Arrived]
    collisions: list[Postback] = Field(description="Same id, other signed fields; never counted.")
    deliveries: list[Owed]
    meanings: list[dict[str, Any]] = Field(
        description="The value read through each version of the app's schema that can have been "
        "in force, with its weight; one with the weight 1 is certain."
    )


class Page(BaseModel):
    """Some postbacks, the newest first."""

    postbacks: list[Postback]
    next_cursor: str | None = Field(description=NEXT_OF_SOME)


def postback_of(row: Row[Any]) -> dict[str, Any]:
    """The members of a `Postback`."""
    names = set(Postback.model_fields) - {"signed", "unsigned", "flags"}
    return {
        **{name: getattr(row, name) for name in names},
        "signed": row,
        "unsigned": row,
        "flags": row.flags.split(),
    }


def story_of(story: Story, readings: Readings) -> PostbackStory:
    """Everything."""
    row = story.row
    return PostbackStory.model_validate(
        {
            **postback_of(row),
            "ours": row.ours,
            "superseded_by": story.superseded_by,
            "evidence": {
                "body": base64(row.body),
                "signed_message": base64(row.signed_message),
                "key_id": row.key_id,
                "reason": row.reason,
            },
            "arrived": story.arrived,
            "arrivals": [_with(Arrived, one, unsigned=one) for one in story.arrivals],
            "collisions": [postback_of(other) for other in story.collisions],
            "deliveries": [_with(Owed, owed, tries=tries) for owed, tries in story.deliveries],
            "meanings": [reading.as_dict() for reading in readings],
        }
    )


def base64(content: bytes) -> str:
    """Bytes for JSON."""
    return b64encode(content).decode()


def _with(model: type[FromRow], row: Row[Any], **members: object) -> dict[str, Any]:
    names = set(model.model_fields) - set(members)
    return {**{name: getattr(row, name) for name in names}, **members}
