"""The ledger: what is owed to whom, and every try."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import Int64, big, identity_column, utc

# A narrow table: payloads stay with the postback, so that claiming stays cheap.
OWED, LEASED, DONE, DEAD = "owed", "leased", "done", "dead"


class Delivery(SQLModel, table=True):
    """One thing owed to one destination. Its state only ever changes with its claim id."""

    __table_args__ = (
        UniqueConstraint("identity", "stored_id", "destination"),
        # Only rows that may become due are looked through.
        Index(
            "ix_delivery_due",
            "destination",
            "next_at",
            postgresql_where=text("state IN ('owed', 'leased')"),
            sqlite_where=text("state IN ('owed', 'leased')"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = big(primary_key=True, default=None)
    identity: bytes = identity_column()
    stored_id: int = big()
    destination: str
    state: str = OWED
    attempts: int = 0
    # When it may be claimed: the next try, or, while leased, the end of the lease.
    next_at: datetime = utc()
    claim_id: str | None = None
    created_at: datetime = utc()
    settled_at: datetime | None = utc(nullable=True, default=None)


class Attempt(SQLModel, table=True):
    """One try. The answer is cut to 4 kB and the URL masked before they come here."""

    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = big(primary_key=True, default=None)
    delivery_id: int = Field(sa_type=Int64, index=True)
    at: datetime = utc()
    status: int | None = None
    duration_ms: int
    error: str = ""
    answer: str = Field(default="", sa_type=Text)
    url: str
