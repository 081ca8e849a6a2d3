"""Who may look, and what is ours."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, utc


class User(SQLModel, table=True):
    """Someone who signs in: by a one-time link, a password, or a provider of OpenID Connect."""

    __tablename__ = "account"  # USER is a word of SQL's own
    __table_args__ = (Index("uq_account_issuer_subject", "issuer", "subject", unique=True),)

    id: int | None = big(primary_key=True, default=None)
    name: str = Field(unique=True)
    role: str = "admin"  # viewer, editor, admin
    # What they see, ids separated by spaces; empty: everything.
    apps: str = ""
    networks: str = ""
    password_hash: str | None = None
    # SHA-256 of the link's token: whoever reads the database cannot use it.
    link_hash: str | None = None
    link_expires_at: datetime | None = utc(nullable=True, default=None)
    # What a provider calls them: for ever, whatever becomes of their name and address there.
    issuer: str | None = None
    subject: str | None = None
    # Changed at every change of password, which ends all sessions.
    session_salt: str
    created_at: datetime = utc()


class Guess(SQLModel, table=True):
    """A password that was tried, and was not right, or not yet found to be."""

    __tablename__ = "guess"
    __table_args__ = (Index("ix_guess_source_at", "source", "at"),)

    id: int | None = big(primary_key=True, default=None)
    # A digest: what a source is called, and how long that is, is for strangers to choose.
    source: bytes = Field(sa_type=LargeBinary(16))
    at: datetime = utc()


class ApiKey(SQLModel, table=True):
    """A key with scopes. The key has 256 random bits, so a plain SHA-256 keeps it safe."""

    __tablename__ = "api_key"

    id: int | None = big(primary_key=True, default=None)
    name: str
    prefix: str  # the first letters, to recognise a key by
    key_hash: str = Field(unique=True)
    scopes: str  # separated by spaces
    partner: str | None = None  # a partner's key sees that partner's postbacks only
    created_at: datetime = utc()
    expires_at: datetime | None = utc(nullable=True, default=None)
    revoked_at: datetime | None = utc(nullable=True, default=None)
    last_used_at: datetime | None = utc(nullable=True, default=None)


class Registered(SQLModel, table=True):
    """An app or ad network of ours. Until there is one of a kind, all of that kind are ours."""

    kind: str = Field(primary_key=True)  # "app", "ad-network"
    value: str = Field(
        primary_key=True
    )  # the app's id in digits, or the network's id in lower case
    name: str = ""


class NetworkName(SQLModel, table=True):
    """What people here call an ad network, before what the list that we ship says."""

    __tablename__ = "network_name"

    ad_network_id: str = Field(primary_key=True)  # lower case
    name: str


class IdempotentCall(SQLModel, table=True):
    """What a call with an `Idempotency-Key` was answered, for whoever sends it again."""

    __tablename__ = "idempotent_call"

    key_id: int = big(primary_key=True)  # the API key: others' calls are their own
    name: str = Field(primary_key=True)  # the header's value
    fingerprint: str  # of method, path and body: the same name for something else is a mistake
    status: int | None = None  # None while it is being answered
    headers: str = "{}"  # JSON
    body: bytes = b""
    created_at: datetime = utc()
