"""Which postbacks a report looks at."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Table

# One, any of several, or (None) all of them.
Numbers = int | tuple[int, ...] | None
Texts = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look at; None is: all of them."""

    app_id: Numbers = None
    ad_network_id: Texts = None
    framework: Texts = None
    version: Texts = None
    window: Numbers = None
    verdict: Texts = None
    counted: bool | None = None

    @property
    def app(self) -> int | None:
        """The app, where it is one: its schemas alone are read."""
        return self.app_id if isinstance(self.app_id, int) else None

    def conditions(self, of: Table) -> Iterator[ColumnElement[bool]]:
        """One for each filter that is set, on a table that has columns of these names."""
        for name, value in self.given():
            column = of.c[name]
            yield column.in_(value) if isinstance(value, tuple) else column == value

    def given(self) -> Iterator[tuple[str, Any]]:
        """The filters that are set. Ids of networks compare without case: they are lower here, as
        in the counts."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            yield field.name, _lower(value) if field.name == "ad_network_id" else value


def _lower(ids: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return ids.lower() if isinstance(ids, str) else tuple(map(str.lower, ids))
