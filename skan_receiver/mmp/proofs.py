"""What an app's server passes on of an install, of what the platforms say of its ad."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from skan_receiver.errors import Malformed
from skan_receiver.mmp.apple_ads import attribution_of
from skan_receiver.mmp.event import Attribution, Event
from skan_receiver.mmp.providers.values import person, said
from skan_receiver.mmp.stores import CLICK_ID
from skan_receiver.mmp.touches import says_nothing

MOST_PAIRS = 100


def with_proofs(
    event: Event, *, referrer: str | None = None, apple_ads: Mapping[str, Any] | None = None
) -> Event:
    """The event, with the click id of Play's install referrer and with Apple's answer for the
    token of AdServices. Malformed names the one at fault."""
    if referrer is not None and event.person.click_id is None:
        event = replace(event, person=replace(event.person, click_id=_click_id(referrer)))
    if apple_ads is None:
        return event
    found = attribution_of(apple_ads)
    if not says_nothing(event):
        raise Malformed("either Apple's answer, or media_source and the like, not both",
                        "apple_ads")  # fmt: skip
    return replace(event, attribution=Attribution(**found)) if found else event


def _click_id(referrer: str) -> str | None:
    """Ours in a referrer; of one that is not of our links (`utm_source=google-play&…`) none."""
    try:
        pairs = dict(parse_qsl(referrer, max_num_fields=MOST_PAIRS))
        found = said(pairs.get(CLICK_ID))
        return None if found is None else person(found)
    except ValueError:  # too many, too long, or what no database stores
        return None
