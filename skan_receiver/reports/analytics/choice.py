"""Which rows an export holds, and under which names."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Select, func, select

from skan_receiver.config import Settings
from skan_receiver.reports.analytics.columns import COLUMNS, RAW, Column, selected, worded
from skan_receiver.reports.analytics.names import DIALECTS, Dialect
from skan_receiver.storage.predicate import POSTBACK


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows are exported, and how."""

    app: int | None = None
    network: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    names: str | None = None  # a dialect's
    raw: bool = False  # with the bytes

    @property
    def dialect(self) -> Dialect | None:
        """Whose names the columns have; None: ours."""
        return None if self.names is None else DIALECTS[self.names]

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is read."""
        return COLUMNS + RAW if self.raw else COLUMNS

    def where(self, settings: Settings) -> Iterator[ColumnElement[bool]]:
        """One condition for each part of the choice that is made."""
        if self.app is not None:
            yield POSTBACK.c.app_id == self.app
        if self.network is not None:
            yield func.lower(POSTBACK.c.ad_network_id) == self.network.lower()
        if self.since is not None:
            yield POSTBACK.c.received_at >= self.since
        if self.until is not None:
            yield POSTBACK.c.received_at < self.until
        if self.dialect is not None:
            yield self.dialect.only(settings)

    def remembered(self) -> dict[str, Any]:
        """As JSON."""
        times = (None if at is None else at.isoformat() for at in (self.since, self.until))
        return {**asdict(self), **dict(zip(("since", "until"), times, strict=True))}

    def rows(self, settings: Settings, *where: ColumnElement[bool]) -> Select[Any]:
        """Those rows among `where`, with what is read of each."""
        wanted = select(*selected(self.columns, settings))
        return wanted.where(*where, *self.where(settings))

    def shaped(self, rows: pa.Table) -> pa.Table:
        """Rows as they are written."""
        return worded(rows, self.columns) if self.dialect is None else self.dialect.shaped(rows)
