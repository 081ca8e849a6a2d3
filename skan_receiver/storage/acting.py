"""Who is doing what: told around a verb, and written down in the verb's own transaction.

A verb such as `registry.add` knows no people. Whoever calls it for somebody says so, and the first
thing the verb writes brings the entry of the audit log along: both are kept, or neither.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

Append = Callable[[Connection], None]


@dataclass(slots=True)
class _Entry:
    append: Append
    is_written: bool = False


_entry: ContextVar[_Entry | None] = ContextVar("entry", default=None)


@contextmanager
def noting(append: Append) -> Iterator[None]:
    """What is written first in here appends its entry in the same transaction.

    Where nothing is written, or it is refused, there is nothing to tell.
    """
    token = _entry.set(_Entry(append))
    try:
        yield
    finally:
        _entry.reset(token)


def noted(work: Callable[[Connection], T]) -> tuple[Callable[[Connection], T], Callable[[], None]]:
    """`work` with the entry that is due, and what to call once it is kept."""
    entry = _entry.get()
    if entry is None or entry.is_written:
        return work, _nothing

    @wraps(work)
    def with_entry(connection: Connection) -> T:
        done = work(connection)
        entry.append(connection)
        return done

    def kept() -> None:
        entry.is_written = True

    return with_entry, kept


def _nothing() -> None:
    return None
