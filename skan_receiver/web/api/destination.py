"""A destination as the API tells of it."""

from datetime import datetime
from typing import Any

from flask import g
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from skan_receiver.delivery import Entry, documents, vault
from skan_receiver.delivery.destinations.destination import NAME

HIDDEN = "•••"


class Named(BaseModel):
    """A destination by its name."""

    name: str = Field(pattern=NAME)


class Destination(BaseModel):
    """A destination, and how it is doing."""

    name: str
    kind: str
    state: str = Field(description="In a few words: active, paused, failing.")
    paused: bool
    paused_because: str = Field(description="Empty where a person paused it.")
    since: datetime = Field(description="It is owed what arrives from then on.")
    failing_since: datetime | None
    revision: int = Field(description="Each change adds one; the ETag.")
    definition: dict[str, Any] = Field(
        description="As it was written. URLs and headers are masked for a key that may only read."
    )
    secrets: list[str] = Field(description="By name; nobody can read them back.")
    deliveries: dict[str, int] = Field(
        description="How many are owed, leased (being sent) and dead (given up)."
    )


def told_of(connection: Connection, entry: Entry, counts: dict[str, dict[str, int]]) -> Destination:
    """What there is to tell of it; `counts` are those of all destinations."""
    return Destination(
        name=entry.name,
        kind=entry.destination.kind,
        state=entry.state,
        paused=entry.paused,
        paused_because=entry.paused_because,
        since=entry.since,
        failing_since=entry.failing_since,
        revision=entry.revision,
        definition=_definition(entry),
        secrets=[row.name for row in vault.secret_names(connection, entry.name)],
        deliveries=counts.get(entry.name, {}),
    )


def _definition(entry: Entry) -> dict[str, Any]:
    """As it was written; a key written into a URL or a header is not for everybody."""
    said = documents.described_as(entry)
    said.pop(documents.PAUSED, None)
    if g.grant.allows("write"):
        return said
    if "url" in said:
        urls = entry.destination.masked
        each = isinstance(said["url"], dict)
        said["url"] = dict(zip(said["url"], urls, strict=True)) if each else urls[0]
    if "headers" in said:
        said["headers"] = dict.fromkeys(said["headers"], HIDDEN)
    return said
