"""Where the next page begins, as a text that callers need not read."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

from skan_receiver.storage.newest import Place

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def written(place: Place) -> str:
    """The cursor of a place."""
    text = f"{(place.received_at - EPOCH) // MICROSECOND}.{place.id}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str) -> Place:
    """The place of a cursor. Raises ValueError for one that we did not write."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        at, id_ = map(int, text.split("."))
        place = Place(EPOCH + at * MICROSECOND, id_)
    except (ValueError, OverflowError):
        raise ValueError("this is no cursor of ours") from None
    if written(place) != cursor or not 0 <= id_ < 2**63:
        raise ValueError("this is no cursor of ours")
    return place
