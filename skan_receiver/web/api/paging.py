"""Lists in pages: how many, where to begin, and where the next one does."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from skan_receiver.storage import newest
from skan_receiver.storage.newest import Place
from skan_receiver.web import cursor

MOST_ROWS = 1_000
LONGEST_CURSOR = 1_200  # of a name of 200 characters, whatever they are

BEFORE = "`next_cursor` of the page before."
NEXT = "Send it as `cursor` for more; null: no more."


# The same, of what is looked for a bounded time.
NEXT_OF_SOME = "Send it as `cursor` for more, also where a page is not full; null: no more."


def _of_name(text: str) -> str:
    cursor.name_in(text)
    return text


def _of_number(text: str) -> str:
    cursor.number_in(text)
    return text


def _of_place(text: str) -> str:
    cursor.read(text)
    return text


_Cursor = Field(None, max_length=LONGEST_CURSOR, description=BEFORE)


class Paged(BaseModel):
    """How much of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=MOST_ROWS)


class ByName(Paged):
    """A page of a list that goes by name."""

    cursor: Annotated[str, AfterValidator(_of_name)] | None = _Cursor

    @property
    def after(self) -> str:
        """The name that the page before ended with; empty for the first."""
        return cursor.name_in(self.cursor) if self.cursor else ""

    def cut(self, rows: Sequence[Any]) -> tuple[Sequence[Any], str | None]:
        """Of rows that were asked for with one more: those of this page, and the next cursor."""
        some = rows[: self.limit]
        return some, cursor.of_name(some[-1].name) if len(rows) > self.limit else None


class ByNumber(Paged):
    """A page of a list that goes by number."""

    cursor: Annotated[str, AfterValidator(_of_number)] | None = _Cursor

    @property
    def number(self) -> int | None:
        """The number that the page before ended with; None for the first."""
        return cursor.number_in(self.cursor) if self.cursor else None

    def cut(self, rows: Sequence[Any], name: str = "id") -> tuple[Sequence[Any], str | None]:
        """As above; `name` is the column of the number."""
        some = rows[: self.limit]
        last = getattr(some[-1], name) if len(rows) > self.limit else None
        return some, None if last is None else cursor.of_number(last)


class ByPlace(Paged):
    """A page of a list that goes back in time."""

    limit: int = Field(50, ge=1, le=newest.MOST_ROWS)
    cursor: Annotated[str, AfterValidator(_of_place)] | None = Field(
        None, max_length=100, description=BEFORE
    )

    @property
    def after(self) -> Place | None:
        """Where the page before ended; None for the first."""
        return cursor.read(self.cursor) if self.cursor else None
