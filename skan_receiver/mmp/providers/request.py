"""A request of an MMP, taken apart: events, Apple's postbacks among them, and what is neither."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from skan_receiver.errors import Malformed
from skan_receiver.mmp.event import Event, Platform
from skan_receiver.mmp.providers.apple import AppleRow, apple_row, is_apples
from skan_receiver.mmp.providers.members import (
    LARGEST_EVENT,
    Members,
    Query,
    flat,
    objects,
    written,
)
from skan_receiver.mmp.providers.provider import Provider


@dataclass(frozen=True, slots=True)
class Unread:
    """One thing that could not be read, as bytes that `take` reads when it can."""

    body: bytes
    fault: Malformed


@dataclass(slots=True)
class Taken:
    """What a request held."""

    events: list[Event] = field(default_factory=list)
    apples: list[AppleRow] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def take(
    provider: Provider,
    query: Query,
    body: bytes,
    *,
    app_id: int | None = None,
    store_ip: bool = False,
) -> Taken:
    """Take a request apart; never raises. One event of many that cannot be read is alone in it.

    `app_id` is of which app an event is that names none.
    """
    taken = Taken()
    query = list(query)
    try:
        found = objects(query, body)
    except Malformed as fault:
        taken.unread.append(Unread(body or written(dict(query)), fault))
        return taken
    for one in found:
        try:
            _take(taken, provider, one, app_id, store_ip=store_ip, sized=len(body) > LARGEST_EVENT)
        except Malformed as fault:
            taken.unread.append(Unread(_kept(one, body), fault))
        except Exception as fault:  # a mistake of ours must not lose the others
            ours = Malformed(f"could not be read: {type(fault).__name__}")
            taken.unread.append(Unread(_kept(one, body), ours))
    return taken


def _kept(one: Any, body: bytes) -> bytes:
    """An object as bytes; all that came with it where it is too deep to be written again."""
    try:
        return written(one)
    except RecursionError:
        return body


def _take(
    taken: Taken, provider: Provider, one: Any, app_id: int | None, *, store_ip: bool, sized: bool
) -> None:
    if sized and len(written(one)) > LARGEST_EVENT:
        raise Malformed(f"an event has at most {LARGEST_EVENT} bytes")
    members = flat(one, provider.opened)
    if is_apples(provider.name, members):
        taken.apples.append(_apples(provider, members, store_ip=store_ip))
    else:
        taken.events.append(_of_app(provider.event(members), app_id))


def _apples(provider: Provider, members: Members, *, store_ip: bool) -> AppleRow:
    """A postback of Apple's names nobody, and nobody is named beside it."""
    return apple_row(provider.name, provider.nameless(members), store_ip=store_ip)


def _of_app(event: Event, app_id: int | None) -> Event:
    """Of the app that its connection is of, where it names none."""
    names_one = event.app_id is not None or event.bundle_id is not None
    if app_id is None or names_one or event.platform is Platform.ANDROID:
        return event
    return replace(event, app_id=app_id, platform=Platform.IOS)


def rows_of(data: bytes) -> Iterator[bytes]:
    """Each event of a file as a body of its own; one that is not even text is one body."""
    try:
        yield from map(written, objects((), data))
    except Malformed:
        yield data
