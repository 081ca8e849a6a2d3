"""Channels as rows: who is told, with the address sealed."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from skan_receiver.alerting.channels import KINDS
from skan_receiver.alerting.channels.kind import Address
from skan_receiver.alerting.channels.webhook import signer
from skan_receiver.alerting.rules import RULES
from skan_receiver.config import Settings
from skan_receiver.delivery import Vault
from skan_receiver.delivery.addresses import check_url, target
from skan_receiver.delivery.names import Resolver, look_up
from skan_receiver.errors import ConfigurationError, DeliveryFailed, SkanError
from skan_receiver.storage import Store
from skan_receiver.storage.alerts import CHANNEL, NOTICE
from skan_receiver.storage.upsert import put

NAME = r"^[a-z0-9][a-z0-9_.-]{0,62}$"
MAILBOX = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9.-]{1,253}", re.IGNORECASE | re.ASCII)
MOST_TO = 50
LONGEST = 2000


class UnknownChannel(SkanError):
    """There is no channel of this name."""


class ChannelRefused(SkanError):
    """A channel that makes no sense: pairs of a field and what is wrong with it."""

    def __init__(self, mistakes: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {what}" for name, what in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A channel as somebody describes it. An address left out is what it was."""

    name: str
    kind: str
    url: str = ""
    secret: str = ""
    to: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # none: all


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel as it is stored, without what is sealed."""

    name: str
    kind: str
    where: str  # a host, or mailboxes
    is_signed: bool
    rules: tuple[str, ...]
    created_at: datetime
    told_at: datetime | None
    last_error: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def channels(connection: Connection) -> list[Channel]:
    """All of them, by name."""
    return [_channel(row) for row in connection.execute(select(CHANNEL).order_by(CHANNEL.c.name))]


def find(connection: Connection, name: str) -> Row[Any]:
    """Its row; UnknownChannel."""
    row = connection.execute(select(CHANNEL).where(CHANNEL.c.name == name)).first()
    if row is None:
        raise UnknownChannel(f"there is no channel {name!r}")
    return row


def show(connection: Connection, name: str) -> Channel:
    """One channel; UnknownChannel."""
    return _channel(find(connection, name))


def opened(row: Row[Any], vault: Vault) -> Address:
    """Where it leads; ConfigurationError where no key of ours sealed it."""
    said: Mapping[str, str] = json.loads(vault.open(row.sealed)) if row.sealed else {}
    to = tuple(json.loads(row.definition).get("to", ()))
    return Address(said.get("url", ""), said.get("secret", ""), to)


def _had(row: Row[Any], vault: Vault) -> Address:
    """Where it led; nothing where the key that sealed it is gone: it has to be said anew."""
    try:
        return opened(row, vault)
    except ConfigurationError:
        return Address()


def put_channel(
    store: Store, settings: Settings, wanted: Wanted, resolve: Resolver = look_up
) -> Channel:
    """Add a channel, or say anew what it is; ChannelRefused has all mistakes."""
    vault = Vault(settings.vault_keys)
    with store.read() as connection:
        before = connection.execute(select(CHANNEL).where(CHANNEL.c.name == wanted.name)).first()
    same = before is not None and before.kind == wanted.kind
    had = _had(before, vault) if before is not None and same else Address()
    address = Address(wanted.url or had.url, wanted.secret or had.secret, wanted.to or had.to)
    if mistakes := list(_mistakes(settings, wanted, address, resolve)):
        raise ChannelRefused(mistakes)
    row = _row(wanted, address, vault)
    if before is not None:
        row["created_at"] = before.created_at

    def work(connection: Connection) -> Channel:
        put(connection, CHANNEL, [row], ("name",))
        return show(connection, wanted.name)

    return store.write(work)


def remove_channel(store: Store, name: str) -> None:
    """Tell it nothing more; UnknownChannel."""

    def work(connection: Connection) -> None:
        if not connection.execute(delete(CHANNEL).where(CHANNEL.c.name == name)).rowcount:
            raise UnknownChannel(f"there is no channel {name!r}")
        connection.execute(delete(NOTICE).where(NOTICE.c.channel == name))

    store.write(work)


def _row(wanted: Wanted, address: Address, vault: Vault) -> dict[str, Any]:
    kind = KINDS[wanted.kind]
    secrets = {n: getattr(address, n) for n in ("url", "secret") if n in (*kind.needs, *kind.may)}
    secrets = {name: value for name, value in secrets.items() if value}
    plain: dict[str, Any] = {"to": address.to} if "to" in kind.needs else {}
    if "url" in secrets:
        plain = {"host": target(secrets["url"]).host, "signed": "secret" in secrets}
    return {
        "name": wanted.name,
        "kind": wanted.kind,
        "definition": json.dumps(plain),
        "sealed": vault.seal(json.dumps(secrets)) if secrets else None,
        "rules": " ".join(dict.fromkeys(wanted.rules)),
        "created_at": datetime.now(UTC),
        "last_error": "",
    }


def _mistakes(
    settings: Settings, wanted: Wanted, address: Address, resolve: Resolver
) -> Iterator[tuple[str, str]]:
    if not re.fullmatch(NAME, wanted.name):
        yield "name", "small letters, digits, '-', '_' and '.', as in on-call"
    for rule in wanted.rules:
        if rule not in RULES:
            yield "rules", f"there is no rule {rule!r}; there are {', '.join(RULES)}"
    if (kind := KINDS.get(wanted.kind)) is None:
        yield "kind", f"must be one of {', '.join(KINDS)}"
        return
    for field in ("url", "secret", "to"):
        if getattr(wanted, field) and field not in (*kind.needs, *kind.may):
            yield field, f"{kind.title} has none; leave out"
        elif field in kind.needs and not getattr(address, field):
            yield field, "is missing"
    if "url" in kind.needs and address.url:
        yield from _of_url(settings, address.url, resolve)
    if "secret" in kind.may and address.secret:
        yield from _of_secret(address.secret)
    yield from _of_mailboxes(address.to)


def _of_url(settings: Settings, url: str, resolve: Resolver) -> Iterator[tuple[str, str]]:
    if len(url) > LONGEST:
        yield "url", f"at most {LONGEST} characters"
        return
    try:
        check_url(url, allow_private=settings.private_destinations, resolve=resolve)
    except DeliveryFailed as failure:
        yield "url", str(failure)


def _of_secret(secret: str) -> Iterator[tuple[str, str]]:
    try:
        signer(secret)
    except DeliveryFailed as failure:
        yield "secret", str(failure)


def _of_mailboxes(to: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(to) > MOST_TO:
        yield "to", f"at most {MOST_TO} addresses"
    for one in to:
        if not MAILBOX.fullmatch(one):
            yield "to", f"{one[:100]!r} is no address, as in ana@example.com"


def _channel(row: Row[Any]) -> Channel:
    said = json.loads(row.definition)
    return Channel(
        name=row.name,
        kind=row.kind,
        where=said.get("host") or ", ".join(said.get("to", ())),
        is_signed=bool(said.get("signed")),
        rules=tuple(row.rules.split()),
        created_at=row.created_at,
        told_at=row.told_at,
        last_error=row.last_error,
    )
