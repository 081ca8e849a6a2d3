"""The ledger: what is owed to whom, every try, and the windows of reports that were made."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, SmallInteger, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import Int64, big, identity_column, utc

# A narrow table: payloads stay with the postback, so that claiming stays cheap.
OWED, LEASED, DONE, DEAD = "owed", "leased", "done", "dead"


class Delivery(SQLModel, table=True):
    """One thing owed to one destination. Its state only ever changes with its claim id.

    `identity` and `stored_id` are those of the row it is about: of `postback`, or of
    `report_window`, as the destination's kind has it.
    """

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
        Index(
            "ix_delivery_dead",
            "destination",
            "settled_at",
            postgresql_where=text("state = 'dead'"),
            sqlite_where=text("state = 'dead'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = big(primary_key=True, default=None)
    identity: bytes = identity_column()
    stored_id: int = big()
    destination: str
    state: str = OWED
    attempts: int = 0  # since it was last owed anew
    refusals: int = Field(default=0, sa_type=SmallInteger)  # of those, the request's own fault
    replays: int = Field(default=0, sa_type=SmallInteger)  # how often it was owed anew
    # When it may be claimed: the next try, or, while leased, the end of the lease.
    next_at: datetime = utc()
    claim_id: str | None = None
    # When an engine was last told of it; it is told again where nothing came of that.
    hinted_at: datetime | None = utc(nullable=True, default=None)
    created_at: datetime = utc()
    settled_at: datetime | None = utc(nullable=True, default=None)
    # The device's address, encrypted, where a relay needs it; erased as the delivery settles.
    sealed_ip: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)


class Attempt(SQLModel, table=True):
    """One try. The answer is cut to 4 kB and the URL masked before they come here."""

    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = big(primary_key=True, default=None)
    delivery_id: int = Field(sa_type=Int64, index=True)
    at: datetime = utc()
    status: int | None = None
    duration_ms: int
    error_class: str = ""  # one word: see DeliveryFailed
    error: str = ""
    answer: str = Field(default="", sa_type=Text)
    url: str


class ReportWindow(SQLModel, table=True):
    """A window of a report as it was sent, so that a retry and a replay say the same."""

    __tablename__ = "report_window"
    __table_args__ = (
        UniqueConstraint("identity"),
        Index("ix_report_window_start", "destination", "start"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = big(primary_key=True, default=None)
    identity: bytes = identity_column()  # of destination, start and revision
    destination: str
    start: datetime = utc()
    end: datetime = utc()
    revision: int = 0
    content_hash: str  # of the rows: a revision that says nothing new is not made
    content: bytes = Field(sa_type=LargeBinary)  # JSON, compressed
    created_at: datetime = utc()
