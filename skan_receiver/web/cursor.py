"""Where the next page begins, as a text that callers need not read."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

from skan_receiver.storage.newest import Place

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def written(place: Place) -> str:
    """The cursor of a place."""
    return of_name(f"{(place.received_at - EPOCH) // MICROSECOND}.{place.id}")


def read(cursor: str) -> Place:
    """The place of a cursor. Raises ValueError for one that we did not write."""
    try:
        at, id_ = map(int, name_in(cursor).split("."))
        place = Place(EPOCH + at * MICROSECOND, id_)
    except (ValueError, OverflowError):
        raise _not_ours() from None
    if written(place) != cursor or not 0 <= id_ < 2**63:
        raise _not_ours()
    return place


def of_name(name: str) -> str:
    """The cursor of a list that goes by name: the last one that was told."""
    return urlsafe_b64encode(name.encode()).decode().rstrip("=")


def name_in(cursor: str) -> str:
    """The name of a cursor. Raises ValueError for one that we did not write."""
    try:
        name = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise _not_ours() from None
    if of_name(name) != cursor or "\0" in name:
        raise _not_ours()
    return name


def of_number(number: int) -> str:
    """The same, of a list that goes by number."""
    return of_name(str(number))


def number_in(cursor: str) -> int:
    """The number of a cursor. Raises ValueError for one that we did not write."""
    text = name_in(cursor)
    if not (text.isascii() and text.isdigit()) or not 0 <= int(text) < 2**63:
        raise _not_ours()
    return int(text)


def _not_ours() -> ValueError:
    return ValueError("this is no cursor of ours")
