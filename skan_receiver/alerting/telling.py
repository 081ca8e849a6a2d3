"""What waits to be told, sent: all that is due of a channel in one message."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, delete, select, update

from skan_receiver.alerting import book
from skan_receiver.alerting.channels import KINDS
from skan_receiver.alerting.channels.kind import Wires
from skan_receiver.alerting.notice import TEST, Notice, Told
from skan_receiver.config import Settings
from skan_receiver.delivery import Vault
from skan_receiver.errors import ConfigurationError, DeliveryFailed
from skan_receiver.storage import Store
from skan_receiver.storage.alerts import ALERT, CHANNEL, MOST_ROWS, NOTICE, WARNING

log = structlog.get_logger("alerts")

# After a try that failed: the next one in a minute, then in two, four, … up to an hour.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
# Who could not be told in that time is told by what is open then.
KEPT_FOR = timedelta(days=3)


def tell(store: Store, wires: Wires, now: datetime, stop: threading.Event) -> int:
    """Send what is due; how many channels took theirs. One that does not keeps no other waiting."""
    told = 0
    with store.read() as connection:
        due = _due(connection, now)
    for name, rows in due.items():
        if not stop.is_set():
            told += _sent(store, wires, name, rows, now)
    return told


def test(store: Store, wires: Wires, name: str) -> None:
    """Send a channel a message that says it is a test; UnknownChannel, DeliveryFailed."""
    now = datetime.now(UTC)
    with store.read() as connection:
        row = book.find(connection, name)
    told = Told(
        state=TEST,
        rule=TEST,
        subject=name,
        severity=WARNING,
        message="This is a test of the channel; all may be well.",
        since=now,
    )
    notice = Notice(f"alerts_test_{int(now.timestamp())}", now, [told], _link(wires.settings))
    try:
        _send(wires, row, notice)
    except DeliveryFailed as failure:
        _note(store, name, str(failure))
        raise
    _note(store, name, "")


def _due(connection: Connection, now: datetime) -> dict[str, list[Row[Any]]]:
    waiting = (
        select(NOTICE, *(ALERT.c[name] for name in _OF_ALERT), ALERT.c.resolved_at)
        .join_from(NOTICE, ALERT, ALERT.c.id == NOTICE.c.alert_id)
        .where(NOTICE.c.next_at <= now)
        .order_by(NOTICE.c.id)
        .limit(MOST_ROWS)
    )
    due: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(waiting):
        due[row.channel].append(row)
    return due


_OF_ALERT = ("rule", "subject", "severity", "message", "value", "since")


def _sent(store: Store, wires: Wires, name: str, rows: Sequence[Row[Any]], now: datetime) -> bool:
    told = [_told(row) for row in rows]
    id_ = f"alerts_{rows[0].id}_{rows[-1].id}"
    error = ""
    try:
        with store.read() as connection:
            channel = book.find(connection, name)
        _send(wires, channel, Notice(id_, now, told, _link(wires.settings)))
    except (DeliveryFailed, book.UnknownChannel) as failure:
        error = str(failure)
        log.warning("not told", channel=name, alerts=len(told), error=error)
    except Exception as bug:
        # Of ours: it keeps no other channel waiting.
        error = f"we broke: {type(bug).__name__}"
        log.exception("not told", channel=name, alerts=len(told))
    store.write(lambda connection: _settle(connection, name, rows, error, now))
    return not error


def _told(row: Row[Any]) -> Told:
    said = {name: getattr(row, name) for name in _OF_ALERT}
    # An alert that has ended meanwhile was opened all the same: each is told as it was.
    resolved = row.resolved_at if row.kind == "resolved" else None
    return Told(state=row.kind, **said, resolved_at=resolved)


def _send(wires: Wires, row: Row[Any], notice: Notice) -> None:
    kind = KINDS.get(row.kind)
    if kind is None:
        raise DeliveryFailed(f"this release knows no channel of the kind {row.kind!r}")
    try:
        address = book.opened(row, Vault(wires.settings.vault_keys))
    except ConfigurationError as error:
        raise DeliveryFailed(str(error), kind="secret") from None
    kind.send(wires, address, notice)


def _settle(
    connection: Connection, name: str, rows: Sequence[Row[Any]], error: str, now: datetime
) -> None:
    ids = [row.id for row in rows]
    these = NOTICE.c.id.in_(ids)
    old = NOTICE.c.created_at < now - KEPT_FOR
    connection.execute(delete(NOTICE).where(these & old if error else these))
    for row in rows if error else ():
        wait = min(FIRST_WAIT * 2 ** min(row.tries, 10), LONGEST_WAIT)
        later = update(NOTICE).where(NOTICE.c.id == row.id)
        connection.execute(later.values(tries=row.tries + 1, next_at=now + wait))
    told = {} if error else {"told_at": now}
    mine = update(CHANNEL).where(CHANNEL.c.name == name)
    connection.execute(mine.values(last_error=error, **told))


def _note(store: Store, name: str, error: str) -> None:
    mine = update(CHANNEL).where(CHANNEL.c.name == name).values(last_error=error)
    store.write(lambda connection: connection.execute(mine))


def _link(settings: Settings) -> str:
    return f"{settings.public_url.rstrip('/')}/alerts" if settings.public_url else ""
