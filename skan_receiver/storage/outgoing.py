"""Where results go, and what fills the campaign fields on the way."""

from datetime import date, datetime

from sqlalchemy import LargeBinary, SmallInteger, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, utc


class StoredDestination(SQLModel, table=True):
    """A destination's definition, and what its deliveries tell of its health."""

    __tablename__ = "destination"

    name: str = Field(primary_key=True)
    kind: str
    definition: str = Field(sa_type=Text)  # JSON, without secrets
    revision: int = 1  # each change of the definition adds one
    # What is settled from then on is owed, by the database's clock.
    since: datetime = utc()
    created_at: datetime = utc()
    changed_at: datetime = utc()

    # A paused one is owed all the same; its rows wait. The reason is empty where a person did it.
    paused: bool = False
    paused_because: str = ""

    # The breaker, and the auto-pause: written when they change, not at every try.
    failing_since: datetime | None = utc(nullable=True, default=None)
    open_until: datetime | None = utc(nullable=True, default=None)
    probes: int = Field(default=0, sa_type=SmallInteger)  # tries in a row while it was open

    # The bucket of a destination with a rate: what was left in it, and when.
    tokens: float | None = Field(default=None, nullable=True)
    tokens_at: datetime | None = utc(nullable=True, default=None)


class Secret(SQLModel, table=True):
    """A secret of one destination, encrypted: the database alone decrypts nothing."""

    destination: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    changed_at: datetime = utc()


class Campaign(SQLModel, table=True):
    """What an ad network calls the ads behind an identifier, for a span of days.

    Identifiers are recycled, so the same one may stand for another campaign next month. An app of
    0 is any app; of `source_identifier` and `skan_campaign_id` one is given, the other empty or 0.
    """

    __table_args__ = (
        UniqueConstraint(
            *("ad_network_id", "app_id", "source_identifier", "skan_campaign_id", "starts_on"),
            name="uq_campaign_key",
        ),
    )

    id: int | None = big(primary_key=True, default=None)
    ad_network_id: str  # lower case
    app_id: int = big(default=0)
    source_identifier: str = ""
    skan_campaign_id: int = big(default=0)
    starts_on: date
    ends_on: date | None = None  # the last day; None: still running

    campaign_id: str = ""
    campaign_name: str = ""
    adset_id: str = ""
    adset_name: str = ""
    ad_id: str = ""
    ad_name: str = ""
    channel: str = ""
    tracker: str = ""
    country: str = ""  # the country it targets
