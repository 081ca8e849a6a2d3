"""Postbacks, their arrivals, and what we could not read.

Rows of `postback` are added, never edited, but for the unsigned values: those are replaced when
the same postback arrives from someone closer to Apple (docs/decisions.md, "Which values stand").
"""

from datetime import datetime

from sqlalchemy import FetchedValue, Index, LargeBinary, SmallInteger, Text, text
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import Int64, big, identity_column, utc


def _rare(column: str) -> Index:
    """An index of the few rows where `column` is set."""
    where = text(f"{column} IS NOT NULL")
    return Index(f"ix_postback_{column}", column, postgresql_where=where, sqlite_where=where)


# What no key vouches for, and what is dropped one day. Written out: with parameters neither store
# would use the index below.
UNVOUCHED = "postback.verdict NOT IN ('valid', 'development')"
_UNVOUCHED = text("verdict NOT IN ('valid', 'development')")

# As above: what a development key vouches for, every arrival but the one whose values stand, and
# what forwarders added. Few of many, and looked for by reports alone.
DEVELOPMENT = "postback.verdict = 'development'"
_DEVELOPMENT = text("verdict = 'development'")
AGAIN = "arrival.kind <> 'standing'"
_AGAIN = text("kind <> 'standing'")
CLAIMED = "arrival.claims IS NOT NULL"
_CLAIMED = text("claims IS NOT NULL")


class StoredPostback(SQLModel, table=True):
    """One postback per identity, and one row per collision. Partitioned by month on PostgreSQL."""

    __tablename__ = "postback"
    __table_args__ = (
        # Rare links, looked up from the other end.
        _rare("collides_with"),
        _rare("supersedes"),
        # Few of many, as long as nobody floods us.
        Index(
            "ix_postback_unvouched",
            "received_at",
            postgresql_where=_UNVOUCHED,
            sqlite_where=_UNVOUCHED,
        ),
        Index(
            "ix_postback_development",
            "received_at",
            postgresql_where=_DEVELOPMENT,
            sqlite_where=_DEVELOPMENT,
        ),
        {"sqlite_autoincrement": True},  # an id is never given twice
    )

    id: int | None = big(primary_key=True, default=None)
    identity: bytes = identity_column()
    received_at: datetime = utc(index=True)

    # Evidence: any count can be proved again from these.
    body: bytes = Field(sa_type=LargeBinary)
    signed_message: bytes = Field(sa_type=LargeBinary)
    verdict: str
    key_id: str
    reason: str

    # Covered by Apple's signature.
    framework: str
    version: str
    postback_id: str
    app_id: int = big()
    ad_network_id: str
    window: int = Field(sa_type=SmallInteger)
    campaign_id: int | None = big(nullable=True, default=None)
    source_identifier: str | None = None
    conversion_type: str | None = None
    did_win: bool
    fidelity_type: int | None = big(nullable=True, default=None)
    source_app_id: int | None = big(nullable=True, default=None)
    source_domain: str | None = None
    marketplace_id: str | None = None
    impression_type: str | None = None

    # Reported by the device, signed by nobody. Absent is absent: NULL, never 0.
    fine_value: int | None = Field(default=None, sa_type=SmallInteger, nullable=True)
    coarse_value: str | None = None
    country: str | None = None
    interaction_type: str | None = None
    flags: str = ""  # members whose value was out of range, separated by spaces
    endpoint: str  # whose values these are

    # The row this one shares its identity with, but not its signed fields: never counted.
    collides_with: int | None = Field(default=None, sa_type=Int64, nullable=True)
    # The row this one replaces, since another key judged it: `reverify`.
    supersedes: int | None = Field(default=None, sa_type=Int64, nullable=True)


class Seen(SQLModel, table=True):
    """Every postback we hold, by a 16-byte key. Signatures never expire, so neither does this.

    A narrow table of its own: in a wide one, keeping random keys unique costs more than
    verifying the signature.
    """

    # The verdict is part of the key, so that nobody can keep a valid postback out by
    # sending an invalid one first.
    key: bytes = identity_column(primary_key=True)
    stored_id: int = big()
    arrivals: int = 1

    __table_args__ = {"sqlite_with_rowid": False}


class Arrival(SQLModel, table=True):
    """One delivery of a postback to one of our endpoints; at most 16 are kept of each."""

    __table_args__ = (
        Index(
            "ix_arrival_again",
            *("kind", "received_at", "stored_id"),
            postgresql_where=_AGAIN,
            sqlite_where=_AGAIN,
        ),
        Index(
            "ix_arrival_claims",
            *("received_at", "stored_id"),
            postgresql_where=_CLAIMED,
            sqlite_where=_CLAIMED,
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = big(primary_key=True, default=None)
    identity: bytes = identity_column()
    stored_id: int = big(index=True)
    received_at: datetime = utc()
    endpoint: str
    kind: str  # standing, duplicate, conflict, collision
    fine_value: int | None = Field(default=None, sa_type=SmallInteger, nullable=True)
    coarse_value: str | None = None
    country: str | None = None
    interaction_type: str | None = None
    # The bytes, where they are not the postback's own.
    body: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    # What a forwarder added, as JSON: claims, never facts.
    claims: str | None = Field(default=None, sa_type=Text, nullable=True)


class Fresh(SQLModel, table=True):
    """A change not yet counted: the queue of record between `ingest` and `settle`.

    It carries the unsigned values it speaks of, so that replacing them is two more rows
    (one back, one forth) and the order in which rows are settled does not matter.
    """

    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = big(primary_key=True, default=None)
    identity: bytes = identity_column()
    stored_id: int = big()
    delta: int = Field(sa_type=SmallInteger)  # +1 counts, -1 takes back
    fine_value: int | None = Field(default=None, sa_type=SmallInteger, nullable=True)
    coarse_value: str | None = None
    country: str | None = None
    # When it came, by the database's clock: a destination is owed what came after its start.
    at: datetime = utc(sa_column_kwargs={"server_default": FetchedValue()})
    # The device's address, encrypted, for relays that need it.
    sealed_ip: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)


class Quarantined(SQLModel, table=True):
    """A body we cannot read (yet), as bytes, with the reason; `reread` tries again."""

    __tablename__ = "quarantine"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = big(primary_key=True, default=None)
    received_at: datetime = utc(index=True)
    endpoint: str
    reason: str
    member: str | None = None
    body: bytes = Field(sa_type=LargeBinary)
    verbatim: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    claims: str | None = Field(default=None, sa_type=Text, nullable=True)


class Usage(SQLModel, table=True):
    """How much is kept of what nobody vouches for, so that a flood finds a cap."""

    kind: str = Field(primary_key=True)  # "invalid", "quarantine", "quarantine-mmp"
    rows: int = big(default=0)
    bytes: int = big(default=0)
