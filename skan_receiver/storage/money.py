"""What ads cost, and what currencies are worth."""

from datetime import date

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big

# What makes a cost one that replaces another.
COST_KEY = ("account", "ad_network_id", "app_id", "campaign_id", "country", "day")


class Cost(SQLModel, table=True):
    """What one campaign cost on one day of its account, as the network says it.

    An amount is in millionths, since SQLite has no decimals: exact, and as the networks' own APIs
    have it.
    """

    __table_args__ = (
        UniqueConstraint(*COST_KEY, name="uq_cost_key"),
        Index("ix_cost_day", "day"),
    )

    id: int | None = big(primary_key=True, default=None)
    account: str = ""  # whose bill it is, where a network has several of ours
    ad_network_id: str  # lower case
    app_id: int = big()
    campaign_id: str = ""
    country: str = ""
    day: date  # of `zone`
    zone: str  # IANA
    campaign_name: str = ""
    currency: str
    micros: int = big()

    # As the network counts them; None where it does not say.
    impressions: int | None = big(nullable=True, default=None)
    clicks: int | None = big(nullable=True, default=None)
    installs: int | None = big(nullable=True, default=None)


class Rate(SQLModel, table=True):
    """So many units of `currency` for one of `base`, on a day.

    A float: banks publish six to eight digits, of which it keeps fifteen.
    """

    __table_args__ = {"sqlite_with_rowid": False}

    base: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    rate: float
    source: str = ""
