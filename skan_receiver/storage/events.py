"""Installs and in-app events of users: what was told, what became of it, and the touches before it.

User-level. Rows have an end (`retention`), and `events erase` takes a person out of all of them.
"""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, identity_column, utc


def _known(column: str) -> Index:
    """An index of the rows where `column` is set: by it a person is found."""
    where = text(f"{column} IS NOT NULL")
    return Index(f"ix_event_{column}", column, postgresql_where=where, sqlite_where=where)


# What tells of a user, and is not kept as long as the event: docs/events.md. Written out: with
# parameters neither store would use the index.
PERSONAL = (
    *("idfa", "idfv", "gaid", "android_id", "customer_user_id", "mmp_user_id", "click_id"),
    *("ip", "user_agent", "order_id", "region", "os_version", "model", "language"),
)
HAS_PERSON = " OR ".join(f"{column} IS NOT NULL" for column in PERSONAL)
_HAS_PERSON = text(HAS_PERSON)


class StoredEvent(SQLModel, table=True):
    """One event of one user, as `mmp.event.Event` has it."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("identity"),
        *map(_known, ("idfa", "idfv", "gaid", "android_id", "customer_user_id")),
        *map(_known, ("mmp_user_id", "click_id")),
        # By these a refund finds what it takes back, and the other way round.
        *map(_known, ("order_id", "withdraws")),
        Index("ix_event_at", "at"),
        # Of those that still say whose they are: by it they are told to forget it.
        Index(
            "ix_event_personal",
            "received_at",
            postgresql_where=_HAS_PERSON,
            sqlite_where=_HAS_PERSON,
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = big(primary_key=True, default=None)
    identity: bytes = identity_column()
    received_at: datetime = utc(index=True)
    connection: str  # where it came in: the name of an MMP's connection, `api`, or `simulator`
    provider: str
    event_id: str
    kind: str
    name: str
    at: datetime = utc()

    app_id: int | None = big(nullable=True, default=None)
    bundle_id: str | None = None
    platform: str | None = None
    installed_at: datetime | None = utc(nullable=True, default=None)

    # In millionths, as costs are: exact, so that a refund leaves nothing of what it takes back.
    revenue_micros: int | None = big(nullable=True, default=None)
    currency: str | None = None
    order_id: str | None = None

    # Who it was.
    idfa: str | None = None
    idfv: str | None = None
    gaid: str | None = None
    android_id: str | None = None
    customer_user_id: str | None = None
    mmp_user_id: str | None = None
    click_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None

    # To what ad it is given.
    is_attributed: bool | None = None
    media_source: str | None = None
    agency: str | None = None
    channel: str | None = None
    campaign_id: str | None = None
    campaign_name: str | None = None
    adset_id: str | None = None
    adset_name: str | None = None
    ad_id: str | None = None
    ad_name: str | None = None
    site_id: str | None = None
    touch_type: str | None = None
    touched_at: datetime | None = utc(nullable=True, default=None)
    match_type: str | None = None
    is_retargeting: bool | None = None

    # What was said of consent.
    att: str | None = None
    limit_ad_tracking: bool | None = None
    gdpr_applies: bool | None = None
    ad_user_data: bool | None = None
    ad_personalization: bool | None = None
    limited_data_use: bool | None = None
    child_directed: bool | None = None

    country: str | None = None
    region: str | None = None
    os_version: str | None = None
    app_version: str | None = None
    model: str | None = None
    language: str | None = None
    sdk_version: str | None = None

    is_restricted: bool = False
    withdraws: str | None = None
    # The event that took this one back.
    withdrawn_by: int | None = big(nullable=True, default=None)


class EventDecision(SQLModel, table=True):
    """What was decided of one event for one destination, and why: `events explain`."""

    __tablename__ = "event_decision"

    event_id: int = big(primary_key=True)  # the row's
    destination: str = Field(primary_key=True)
    outcome: str  # owed, or held
    reason: str = ""  # why it is held
    withheld: str = Field(default="{}", sa_type=Text)  # JSON: a field -> why it is not sent
    at: datetime = utc()


class Connected(SQLModel, table=True):
    """An MMP that may post to us: `/mmp/<provider>/<token>`, or a network that tells of touches.

    The token is kept as a hash.
    """

    __tablename__ = "mmp_connection"
    __table_args__ = (UniqueConstraint("token_hash"),)

    name: str = Field(primary_key=True)
    provider: str
    token_hash: str
    app_id: int | None = big(nullable=True, default=None)  # of what names no app
    # Of a network: what its touches are given to, and the apps it advertises, as JSON.
    media_source: str | None = None
    apps: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = utc()
    last_event_at: datetime | None = utc(nullable=True, default=None)


class NetworkSource(SQLModel, table=True):
    """What MMPs call the ad network of an id of Apple's: by it both sides are laid together."""

    __tablename__ = "network_source"

    ad_network_id: str = Field(primary_key=True)  # lower case
    media_source: str


class Touch(SQLModel, table=True):
    """A click or view of an ad that its network told us of, or that our tracking link saw."""

    __table_args__ = (
        Index("ix_touch_click_id", "click_id", unique=True),
        Index(
            "ix_touch_idfa",
            "idfa",
            postgresql_where=text("idfa IS NOT NULL"),
            sqlite_where=text("idfa IS NOT NULL"),
        ),
        Index(
            "ix_touch_gaid",
            "gaid",
            postgresql_where=text("gaid IS NOT NULL"),
            sqlite_where=text("gaid IS NOT NULL"),
        ),
        Index("ix_touch_at", "at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = big(primary_key=True, default=None)
    click_id: str  # ours: what the app's server brings back
    at: datetime = utc()
    kind: str  # click, or view
    media_source: str
    app_id: int | None = big(nullable=True, default=None)
    bundle_id: str | None = None
    partner_click_id: str | None = None
    idfa: str | None = None
    gaid: str | None = None
    campaign_id: str | None = None
    campaign_name: str | None = None
    adset_id: str | None = None
    adset_name: str | None = None
    ad_id: str | None = None
    ad_name: str | None = None
    site_id: str | None = None


class Attributed(SQLModel, table=True):
    """To which touch an install of our own was given, why, and which ones lost."""

    __tablename__ = "attribution"
    __table_args__ = (
        # One touch leads to one install.
        Index(
            "ix_attribution_touch_id",
            "touch_id",
            unique=True,
            postgresql_where=text("touch_id IS NOT NULL"),
            sqlite_where=text("touch_id IS NOT NULL"),
        ),
    )

    event_id: int = big(primary_key=True)  # the install's row
    touch_id: int | None = big(nullable=True, default=None)  # None: to none of ours
    media_source: str | None = None
    reason: str
    losers: str = Field(default="[]", sa_type=Text)  # JSON: touches that lost, each with why
    at: datetime = utc()


class Tombstone(SQLModel, table=True):
    """Somebody was erased: a keyed hash of an identifier, from which nobody gets it back.

    What arrives again of the time before is dropped.
    """

    key: bytes = identity_column(primary_key=True)
    erased_at: datetime = utc()


class Policy(SQLModel, table=True):
    """What the owner of the apps has decided where no law and no platform does; the last stands."""

    __tablename__ = "consent_policy"

    id: int | None = big(primary_key=True, default=None)
    allows: bool
    author: str
    reason: str
    at: datetime = utc()
