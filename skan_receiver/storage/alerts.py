"""What is not well, as rules found it: open alerts, what was changed of the rules, and who is told.

Of a rule and a subject one alert is open at a time. What is to be told waits in `alert_notice`, a
row for each channel, until the channel took it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Index, LargeBinary, Row, SmallInteger, Text, func, select, text
from sqlmodel import Field, SQLModel

from skan_receiver.storage.columns import big, table, utc

ONLY = 1  # the one row of `alert_check`
MOST_ROWS = 500  # of a list of what was

WARNING, CRITICAL = "warning", "critical"
SEVERITIES = (CRITICAL, WARNING)

OPENED, REMINDER, RESOLVED = "opened", "reminder", "resolved"

_OPEN = text("resolved_at IS NULL")


class Alert(SQLModel, table=True):
    """Something a rule found, from when it was first found to when it had been well for a while."""

    __table_args__ = (
        Index(
            "ix_alert_open",
            *("rule", "subject"),
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index("ix_alert_resolved_at", "resolved_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = big(primary_key=True, default=None)
    rule: str
    subject: str  # what it is about, in the rule's own way: a destination, "app network"
    severity: str
    message: str = Field(sa_type=Text)
    value: float | None = None  # the number that was too large
    since: datetime = utc()
    seen_at: datetime = utc()  # when it was last found so
    fine: int = Field(default=0, sa_type=SmallInteger)  # how often since then it was not
    told_at: datetime | None = utc(nullable=True, default=None)
    resolved_at: datetime | None = utc(nullable=True, default=None)


class AlertSetting(SQLModel, table=True):
    """What somebody changed of a rule; of others the defaults hold."""

    __tablename__ = "alert_setting"

    rule: str = Field(primary_key=True)
    threshold: str = Field("{}", sa_type=Text)  # JSON: limits by name
    is_off: bool = False


class AlertChannel(SQLModel, table=True):
    """Who is told, and how. An address may hold a token: it is sealed."""

    __tablename__ = "alert_channel"

    name: str = Field(primary_key=True)
    kind: str
    definition: str = Field("{}", sa_type=Text)  # JSON, without secrets
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    rules: str = ""  # names separated by spaces; empty: all
    created_at: datetime = utc()
    last_error: str = Field("", sa_type=Text)
    told_at: datetime | None = utc(nullable=True, default=None)


class AlertNotice(SQLModel, table=True):
    """Something a channel is still to be told."""

    __tablename__ = "alert_notice"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = big(primary_key=True, default=None)
    alert_id: int = big(index=True)
    channel: str
    kind: str
    tries: int = Field(default=0, sa_type=SmallInteger)
    next_at: datetime = utc()
    created_at: datetime = utc()


class AlertCheck(SQLModel, table=True):
    """Whose turn it is to look, one process at a time; and when it was last looked."""

    __tablename__ = "alert_check"

    id: int = Field(primary_key=True, sa_type=SmallInteger)
    holder: str = ""
    until: datetime = utc()
    checked_at: datetime | None = utc(nullable=True, default=None)


ALERT, SETTING, CHANNEL = table(Alert), table(AlertSetting), table(AlertChannel)
NOTICE, CHECK = table(AlertNotice), table(AlertCheck)


def open_alerts(connection: Connection) -> Sequence[Row[Any]]:
    """What is not well now: the critical first, then the longest standing."""
    still = select(ALERT).where(ALERT.c.resolved_at.is_(None))
    return connection.execute(still.order_by(ALERT.c.severity, ALERT.c.since, ALERT.c.id)).all()


def past_alerts(
    connection: Connection, *, before: int | None = None, limit: int = 50
) -> Sequence[Row[Any]]:
    """What was not well, and is; the newest first."""
    was = select(ALERT).where(ALERT.c.resolved_at.is_not(None)).order_by(ALERT.c.id.desc())
    if before is not None:
        was = was.where(ALERT.c.id < before)
    return connection.execute(was.limit(limit)).all()


def open_by_rule(connection: Connection) -> dict[str, int]:
    """How many are open of each rule that has any."""
    counted = select(ALERT.c.rule, func.count()).where(ALERT.c.resolved_at.is_(None))
    return dict(tuple(row) for row in connection.execute(counted.group_by(ALERT.c.rule)))


def checked_at(connection: Connection) -> datetime | None:
    """When it was last looked; None: never."""
    return connection.scalar(select(CHECK.c.checked_at).where(CHECK.c.id == ONLY))
