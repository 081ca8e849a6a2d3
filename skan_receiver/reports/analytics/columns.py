"""The columns of an export, in the order in which they stand in a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Label, and_, select

from skan_receiver.config import Settings
from skan_receiver.storage.predicate import POSTBACK, qualifies


class Kind(Enum):
    """What a column holds: its type in Arrow."""

    SMALL = pa.int8()
    BIG = pa.int64()
    YES_NO = pa.bool_()
    MOMENT = pa.timestamp("us", tz="UTC")
    TEXT = pa.string()
    WORD = pa.dictionary(pa.int32(), pa.string())  # text that repeats itself
    BYTES = pa.binary()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is called and what it holds."""

    name: str
    kind: Kind

    @property
    def plain(self) -> pa.DataType:
        """Its type until it is written: words are text, and become few when they are many."""
        return pa.string() if self.kind is Kind.WORD else self.kind.value


def _columns(kind: Kind, names: str) -> Iterator[Column]:
    return (Column(name, kind) for name in names.split())


# To add a column is one word here; where it is no column of `postback`, one line in `_made`.
COLUMNS = (
    *_columns(Kind.BIG, "id"),
    *_columns(Kind.MOMENT, "received_at"),
    *_columns(Kind.WORD, "endpoint"),
    # What we make of it.
    *_columns(Kind.WORD, "verdict key_id reason"),
    *_columns(Kind.YES_NO, "counted superseded collides"),
    # Covered by Apple's signature.
    *_columns(Kind.WORD, "framework version"),
    *_columns(Kind.TEXT, "postback_id"),
    *_columns(Kind.BIG, "app_id"),
    *_columns(Kind.WORD, "ad_network_id"),
    *_columns(Kind.SMALL, "window"),
    *_columns(Kind.BIG, "campaign_id"),
    *_columns(Kind.WORD, "source_identifier conversion_type"),
    *_columns(Kind.YES_NO, "did_win"),
    *_columns(Kind.BIG, "fidelity_type source_app_id"),
    *_columns(Kind.WORD, "source_domain marketplace_id impression_type"),
    # Reported by the device, signed by nobody.
    *_columns(Kind.SMALL, "fine_value"),
    *_columns(Kind.WORD, "coarse_value country interaction_type flags"),
)
RAW = tuple(_columns(Kind.BYTES, "body signed_message"))


def selected(columns: tuple[Column, ...], settings: Settings) -> list[Label[Any]]:
    """The columns as expressions over `postback`."""
    made = _made(settings)
    named = ((column.name, made.get(column.name)) for column in columns)
    return [(POSTBACK.c[name] if made is None else made).label(name) for name, made in named]


def _made(settings: Settings) -> dict[str, ColumnElement[bool]]:
    # `predicate.counts`, of many rows: to look for each row's successor takes PostgreSQL longer
    # than all the rest, since it looks in every month.
    later = POSTBACK.alias("later")
    replaced = select(later.c.supersedes).where(later.c.supersedes.is_not(None))
    superseded = POSTBACK.c.id.in_(replaced)
    return {
        "counted": and_(qualifies(settings), ~superseded),
        "superseded": superseded,
        "collides": POSTBACK.c.collides_with.is_not(None),
    }


def worded(rows: pa.Table, columns: tuple[Column, ...]) -> pa.Table:
    """Rows with their words numbered, as they are written."""
    arrays = [
        rows[column.name].dictionary_encode() if column.kind is Kind.WORD else rows[column.name]
        for column in columns
    ]
    return pa.Table.from_arrays(arrays, names=[column.name for column in columns])
