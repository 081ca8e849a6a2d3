"""What rules found, as alerts: opened once, told again every day, and ended when all has been well
for a while, so that what comes and goes is one alert and not a dozen."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from skan_receiver.alerting.rule import Finding
from skan_receiver.storage.alerts import (
    ALERT,
    CHANNEL,
    NOTICE,
    OPENED,
    REMINDER,
    RESOLVED,
    open_alerts,
)

# An alert ends once it was not found so often in a row, for so long.
FINE_TIMES = 2
FINE_FOR = timedelta(minutes=30)
REMIND_AFTER = timedelta(hours=24)
KEPT_FOR = timedelta(days=400)


def note(
    connection: Connection,
    found: Mapping[str, Sequence[Finding]],
    off: Sequence[str],
    now: datetime,
) -> None:
    """Write down what the rules found, and what is to be told of it.

    `found` has every rule that was asked; what one says nothing of that was asked is well. Of rules
    that are `off`, alerts end without a word. Those of a rule that failed stay as they are.
    """
    connection.execute(delete(ALERT).where(ALERT.c.resolved_at < now - KEPT_FOR))
    there = {(row.rule, row.subject): row for row in open_alerts(connection)}
    for rule, findings in found.items():
        for finding in findings:
            row = there.pop((rule, finding.subject), None)
            _open(connection, rule, finding, now) if row is None else _again(
                connection, row, finding, now
            )
    for (rule, _), row in there.items():
        if rule in off:
            _end(connection, row, now)
        elif rule in found:
            _fine(connection, row, now)


def _open(connection: Connection, rule: str, finding: Finding, now: datetime) -> None:
    row = {**_said(finding), "rule": rule, "subject": finding.subject}
    times = {"since": now, "seen_at": now, "told_at": now, "fine": 0}
    made = connection.execute(ALERT.insert().values(row | times).returning(ALERT.c.id))
    _tell(connection, made.scalar_one(), rule, OPENED, now)


def _again(connection: Connection, row: Row[Any], finding: Finding, now: datetime) -> None:
    remind = row.told_at is None or row.told_at <= now - REMIND_AFTER
    told = {"told_at": now} if remind else {}
    _set(connection, row, **_said(finding), seen_at=now, fine=0, **told)
    if remind:
        _tell(connection, row.id, row.rule, REMINDER, now)


def _fine(connection: Connection, row: Row[Any], now: datetime) -> None:
    fine = min(row.fine + 1, 1000)
    if fine < FINE_TIMES or row.seen_at > now - FINE_FOR:
        _set(connection, row, fine=fine)
        return
    _end(connection, row, now)
    _tell(connection, row.id, row.rule, RESOLVED, now)


def _end(connection: Connection, row: Row[Any], now: datetime) -> None:
    _set(connection, row, resolved_at=now)


def _set(connection: Connection, row: Row[Any], **values: Any) -> None:
    connection.execute(update(ALERT).where(ALERT.c.id == row.id).values(**values))


def _said(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in ("message", "value", "severity")}


def _tell(connection: Connection, alert_id: int, rule: str, kind: str, now: datetime) -> None:
    """Owe it to each channel that wants it; a reminder of what it was not told is none."""
    connection.execute(
        delete(NOTICE).where(NOTICE.c.alert_id == alert_id, NOTICE.c.kind == REMINDER)
    )
    row = {"alert_id": alert_id, "kind": kind, "tries": 0, "next_at": now, "created_at": now}
    rows = [{**row, "channel": name} for name in _listening(connection, rule)]
    if rows:
        connection.execute(NOTICE.insert(), rows)


def _listening(connection: Connection, rule: str) -> Iterator[str]:
    for row in connection.execute(select(CHANNEL.c.name, CHANNEL.c.rules).order_by(CHANNEL.c.name)):
        if not row.rules or rule in row.rules.split():
            yield row.name
