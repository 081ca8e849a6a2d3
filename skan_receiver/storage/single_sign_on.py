"""Users for whom a provider of OpenID Connect vouches."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, update

from skan_receiver.storage import audit
from skan_receiver.storage.access import ACCOUNT, Account, Permit, find_account, new_account
from skan_receiver.storage.store import Store


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as their provider says."""

    issuer: str
    subject: str  # the provider's own name for them, which never becomes another's
    email: str = ""  # empty: it vouches for no address

    @property
    def columns(self) -> dict[str, str]:
        """As a row has it."""
        return {"issuer": self.issuer, "subject": self.subject}


def sign_in(store: Store, identity: Identity, role: str, now: datetime) -> Account | None:
    """The user that this is; None: nobody whom we let in.

    1. Whoever came before is known by issuer and subject: names and addresses change hands.
    2. Whoever was added under the address that the provider vouches for is that user from now on.
    3. Anybody else with such an address becomes a user with `role`, where there is one.
    """

    def work(connection: Connection) -> Account | None:
        return (
            find_account(connection, _is(identity))
            or _added_before(connection, identity)
            or _newcomer(connection, identity, role, now)
        )

    return store.write(work)


def _added_before(connection: Connection, identity: Identity) -> Account | None:
    unclaimed = _named(identity.email) & ACCOUNT.c.subject.is_(None)
    account = find_account(connection, unclaimed) if identity.email else None
    if account is None:
        return None
    known = update(ACCOUNT).where(ACCOUNT.c.id == account.id).values(**identity.columns)
    connection.execute(known)
    _note(connection, "user.identify", account.name, identity)
    return account


def _newcomer(
    connection: Connection, identity: Identity, role: str, now: datetime
) -> Account | None:
    taken = find_account(connection, _named(identity.email))
    if not role or not identity.email or taken:
        return None
    row = new_account(identity.email, Permit(role), now) | identity.columns
    connection.execute(insert(ACCOUNT), row)
    _note(connection, "user.add", identity.email, identity)
    return find_account(connection, _is(identity))


def _note(connection: Connection, action: str, name: str, identity: Identity) -> None:
    detail = {"subject": identity.subject}
    audit.record(connection, f"provider {identity.issuer}", action, name, detail)


def _is(identity: Identity) -> ColumnElement[bool]:
    return (ACCOUNT.c.issuer == identity.issuer) & (ACCOUNT.c.subject == identity.subject)


def _named(email: str) -> ColumnElement[bool]:
    return func.lower(ACCOUNT.c.name) == email.lower()
