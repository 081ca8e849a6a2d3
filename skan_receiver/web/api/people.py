"""`/users`, `/keys`, `/audit`: who may do and see what, and who changed what. Scope `admin`."""

import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal

from flask import url_for
from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.storage import access, apikeys, audit
from skan_receiver.storage.access import AccessError, Permit
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt, FromRow, NetworkId
from skan_receiver.web.api.paging import NEXT, ByName, ByNumber
from skan_receiver.web.api.problems import documented, problem
from skan_receiver.web.services import base_url, services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="people")]

Role = Literal["viewer", "editor", "admin"]
Scope = Literal["read", "write", "replay", "events", "admin", "partner"]

# Printable, and no slash: it is part of an address.
NAME = r"^[^\s/\\\x00-\x1f\x7f-\x9f]([^/\\\x00-\x1f\x7f-\x9f]{0,198}[^\s/\\\x00-\x1f\x7f-\x9f])?$"


class Named(BaseModel):
    """A user by name."""

    name: str = Field(max_length=200)


class Permitted(BaseModel):
    """What somebody may do, and see."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    apps: list[BigInt] = Field([], max_length=1000, description="Those they see; none: all.")
    networks: list[NetworkId] = Field([], max_length=1000)

    def permit(self) -> Permit:
        """As it is stored; AccessError."""
        return Permit(self.role, tuple(self.apps), tuple(self.networks))


class NewUser(Permitted):
    """Somebody who is to sign in."""

    name: str = Field(pattern=NAME, max_length=200)


class User(BaseModel):
    """Somebody who may sign in."""

    name: str
    role: str
    apps: list[int]
    networks: list[str]
    has_password: bool
    issuer: str | None = Field(description="Their provider of OpenID Connect, once they used it.")
    created_at: datetime


class Users(BaseModel):
    """Some users, by name."""

    users: list[User]
    next_cursor: str | None = Field(description=NEXT)


class Link(BaseModel):
    """A link to choose a password by: good once, for 24 hours, and told only now."""

    name: str
    link: str


class NewKey(BaseModel):
    """A key for a program."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    scopes: list[Scope] = Field(min_length=1, max_length=6)
    partner: str | None = Field(None, min_length=1, max_length=200)
    days: int | None = Field(None, ge=1, le=3650, description="How long it works.")


class Key(FromRow):
    """A key, without the key."""

    id: int
    name: str
    prefix: str
    scopes: str
    partner: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class Keys(BaseModel):
    """Some of the keys that ever were, the oldest first."""

    keys: list[Key]
    next_cursor: str | None = Field(description=NEXT)


class Made(BaseModel):
    """A new key: told only now."""

    key: str


class NumberedKey(BaseModel):
    """A key by its number."""

    id: BigInt


class Entry(BaseModel):
    """A change, and who made it."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    hash: str = Field(description="Covers the entry, and the hash of the one before it.")


class Entries(BaseModel):
    """Changes, the newest first."""

    entries: list[Entry]
    next_cursor: str | None = Field(description=NEXT)


@bp.get("/users", tags=TAGS, responses={200: Users, **documented(422)})
def list_users(query: ByName) -> Response:
    """Who may sign in."""
    found = access.users(services().store, after=query.after, limit=query.limit + 1)
    rows, more = query.cut(found)
    return answer(Users(users=[_user(row) for row in rows], next_cursor=more))


@bp.post("/users", tags=TAGS, responses={201: Link, **documented(400, 409, 415, 422)})
def add_user(body: NewUser) -> Response:
    """Add a user; the link is for them to choose a password by."""
    try:
        permit = body.permit()
    except AccessError as error:
        return problem(422, str(error))
    try:
        token = access.add_user(services().store, body.name, datetime.now(UTC), permit)
    except AccessError as error:
        return problem(409, str(error))
    return _linked(body.name, token, 201)


@bp.put("/users/<name>", tags=TAGS, responses={204: None, **documented(400, 404, 409, 415, 422)})
def change_user(path: Named, body: Permitted) -> Response:
    """Say anew what they may do and see, from their next request on. One admin has to stay."""
    _known(path.name)
    try:
        permit = body.permit()
    except AccessError as error:
        return problem(422, str(error))
    try:
        access.change_user(services().store, path.name, permit)
    except AccessError as error:
        return problem(409, str(error))
    return Response(status=HTTPStatus.NO_CONTENT)


@bp.delete("/users/<name>", tags=TAGS, responses={204: None, **documented(404, 409, 422)})
def remove_user(path: Named) -> Response:
    """Remove a user; whoever is signed in by that name is out. One admin has to stay."""
    _known(path.name)
    try:
        access.remove_user(services().store, path.name)
    except AccessError as error:
        return problem(409, str(error))
    return Response(status=HTTPStatus.NO_CONTENT)


@bp.post("/users/<name>/link", tags=TAGS, responses={200: Link, **documented(404, 422)})
def link_user(path: Named) -> Response:
    """Another link, for who lost the link or forgot the password."""
    _known(path.name)
    return _linked(path.name, access.new_link(services().store, path.name, datetime.now(UTC)))


@bp.get("/keys", tags=TAGS, responses={200: Keys, **documented(422)})
def list_keys(query: ByNumber) -> Response:
    """The keys there ever were; the keys themselves are not kept."""
    found = apikeys.keys(services().store, after=query.number or 0, limit=query.limit + 1)
    rows, more = query.cut(found)
    return answer(Keys(keys=[Key.model_validate(row) for row in rows], next_cursor=more))


@bp.post("/keys", tags=TAGS, responses={201: Made, **documented(400, 415, 422)})
def create_key(body: NewKey) -> Response:
    """Make a key."""
    now = datetime.now(UTC)
    try:
        key = apikeys.create_key(
            services().store,
            body.name,
            body.scopes,
            now,
            partner=body.partner,
            expires_at=now + timedelta(days=body.days) if body.days else None,
        )
    except AccessError as error:
        return problem(422, str(error))
    made = answer(Made(key=key))
    made.status_code = 201
    return made


@bp.delete("/keys/<int:id>", tags=TAGS, responses={204: None, **documented(404, 422)})
def revoke_key(path: NumberedKey) -> Response:
    """End a key at once, in every process."""
    if not apikeys.revoke_key(services().store, path.id, datetime.now(UTC)):
        raise NotFound(f"There is no key {path.id}, or it was revoked before.")
    return Response(status=HTTPStatus.NO_CONTENT)


@bp.get("/audit", tags=TAGS, responses={200: Entries, **documented(422)})
def list_audit(query: ByNumber) -> Response:
    """Who changed what, by page, API or command line."""
    with services().store.read() as connection:
        found = audit.entries(connection, before=query.number, limit=query.limit + 1)
    rows, more = query.cut(found, "number")
    told = [Entry(**{**row._mapping, "detail": json.loads(row.detail)}) for row in rows]
    return answer(Entries(entries=told, next_cursor=more))


def _user(row: Any) -> User:
    return User(
        name=row.name,
        role=row.role,
        apps=[int(app) for app in row.apps.split()],
        networks=row.networks.split(),
        has_password=row.password_hash is not None,
        issuer=row.issuer,
        created_at=row.created_at,
    )


def _known(name: str) -> None:
    if "\0" in name or name not in {row.name for row in access.users(services().store)}:
        raise NotFound(f"There is no user {name!r}.")


def _linked(name: str, token: str, status: int = 200) -> Response:
    told = answer(Link(name=name, link=f"{base_url()}{url_for('login.link', token=token)}"))
    told.status_code = status
    return told
