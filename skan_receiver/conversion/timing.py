"""When the device last applied the schema: no postback says, so it is an interval.

A value is set while its window is open. The window closes at its end, or when the app locks it;
Apple's random delay follows, and then the postback. Going back from an arrival gives

    close  = arrival - delay
    set at = somewhere in the open window before the close

of which every part is documented:
https://developer.apple.com/documentation/storekit/receiving-postbacks-in-multiple-conversion-windows
https://developer.apple.com/documentation/adattributionkit/receiving-postbacks-in-multiple-conversion-windows
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from skan_receiver.conversion.decode import Valued
from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.conversion.meaning import rank
from skan_receiver.conversion.schema import Schema, Window

HOUR = timedelta(hours=1)
NONE = timedelta()


@dataclass(frozen=True, slots=True)
class Interval:
    """The moments from `start` up to `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """How long values can be set before a window closes, and the delay after that, in hours."""

    open: int
    least: int
    most: int


# Days 0-2, 3-7 and 8-35 from the first launch; SKAdNetwork 4 and AdAttributionKit alike.
CLOCKS = (Clock(48, 24, 48), Clock(120, 24, 144), Clock(672, 24, 144))

# Up to SKAdNetwork 3 every rise restarts a timer of 24 hours, so what arrives was set by the last
# rise: 24 hours and a random 0 to 24 before, however long the chain of rises was. A schema's own
# `activity_timer` stops the rises, and by that neither the timer nor the delay after the last one.
# https://developer.apple.com/documentation/storekit/skadnetwork/updateconversionvalue(_:)
TIMER = Clock(0, 24, 48)

# The longest chain of them: the first call starts a timer, and each of the 63 values above 0 can
# restart it in its last moment.
CHAIN = Clock(63 * 24, 24, 48)

# How long after an ad an install is still its doing: 30 days after a click or an ad that StoreKit
# renders. After a view it is 24 hours, in AdAttributionKit up to 7 days where the app says so.
# https://developer.apple.com/documentation/storekit/receiving-ad-attributions-and-postbacks
# https://developer.apple.com/documentation/adattributionkit/configuring-attribution-rules-for-your-app
LOOK_BACK = timedelta(days=30)

# A device without a network, or without our 200, tries again up to nine times within nine days.
RETRIES = timedelta(days=9)

# Nothing that has arrived was set later than this before it.
SOONEST = timedelta(hours=24)


def evaluated(
    version: str, window: int, hour: datetime, *, locked: bool = False, retries: bool = False
) -> Interval:
    """When the value of a postback that arrived in the hour from `hour` on can have been set.

    `version` is SKAdNetwork's, empty for AdAttributionKit. `locked`: the value locks its window
    as it is set (`locks`), so that it was set when the window closed. `retries`: the nine days
    within which a device tries again are counted in; without, every postback is taken to have
    arrived at the first try, as nearly all do.
    """
    clock = TIMER if version in RISING_ONLY else CLOCKS[window]
    earlier = (NONE if locked else clock.open * HOUR) + (RETRIES if retries else NONE)
    return Interval(hour - clock.most * HOUR - earlier, hour + HOUR - clock.least * HOUR)


def installed(version: str, window: int, hour: datetime, *, retries: bool = False) -> Interval:
    """When the install of a postback that arrived in the hour from `hour` on can have happened.

    Windows begin with the first launch, and are taken to begin with the install: Apple waits 60
    days for a launch, but nearly all follow at once. A window may have been locked as it opened.
    Up to SKAdNetwork 3 any number of rises may lie between, so it is an interval of 64 days.
    `version` and `retries` are those of `evaluated`; a re-engagement counts as an install.
    """
    rising = version in RISING_ONLY
    clock = CHAIN if rising else CLOCKS[window]
    opened = 0 if rising else sum(before.open for before in CLOCKS[:window])
    least, most = opened + clock.least, opened + clock.open + clock.most
    earlier = RETRIES if retries else NONE
    return Interval(hour - most * HOUR - earlier, hour + HOUR - least * HOUR)


def advertised(version: str, window: int, hour: datetime) -> Interval:
    """When the ad behind a postback that arrived in the hour from `hour` on can have been shown."""
    install = installed(version, window, hour)
    return Interval(install.start - LOOK_BACK, install.end)


def arrivals(window: int, start: datetime, end: datetime) -> Interval:
    """When values arrive that can have been set between `start` and `end`, retries apart.

    Of any version: the timer of the early ones lies within the clock of window 0.
    """
    clock = CLOCKS[window]
    return Interval(start + (clock.least - 1) * HOUR, end + (clock.most + clock.open) * HOUR)


def locks(postback: Valued, schema: Schema) -> bool:
    """Whether the value that arrived locks its window under `schema`, whoever the user is."""
    window = schema.plan(postback.conversion_type).get(postback.window)
    value = postback.coarse_value if postback.fine_value is None else postback.fine_value
    if window is None or value is None:
        return False
    scale = window.coarse if isinstance(value, str) else window.fine
    cells = [cell for cell in scale.cells if cell.value == value] if scale else []
    return (bool(cells) and all(cell.lock for cell in cells)) or _closes(window, value)


def _closes(window: Window, value: int | str) -> bool:
    lock, meaning = window.lock, window.meanings.get(value)
    if lock is None:
        return False
    wanted = lock.coarse if isinstance(value, str) else lock.fine
    if wanted is not None and rank(value) >= rank(wanted):
        return True
    event = meaning.event(lock.event) if meaning and lock.event else None
    return event is not None and event.min > 0
