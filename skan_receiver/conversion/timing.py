"""When the device last applied the schema: no postback says, so it is an interval.

A value is set while its window is open. The window closes at its end, or when the app locks it;
Apple's random delay follows, and then the postback. Going back from an arrival gives

    close  = arrival - delay
    set at = somewhere in the open window before the close

of which every part is documented:
https://developer.apple.com/documentation/storekit/receiving-postbacks-in-multiple-conversion-windows
https://developer.apple.com/documentation/adattributionkit/receiving-postbacks-in-multiple-conversion-windows
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from skan_receiver.conversion.decode import Valued
from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.conversion.meaning import rank
from skan_receiver.conversion.schema import Schema, Window

HOUR = timedelta(hours=1)
NONE = timedelta()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def turns(window: int, bends: Iterable[datetime]) -> Iterator[datetime]:
    """The hours of arrival from which on the weights of versions go another way, where shares bend.

    Between two of them each weight is a parabola in the hour, and the same versions come into
    question: whatever the version of SKAdNetwork, and whether the value locks its window or not.
    """
    clock = CLOCKS[window]
    for bend in bends:
        # What begins there comes into question once the interval ends after it, what ends there
        # does not once it begins there or later: see `evaluated`.
        yield whole_hour(bend + (clock.least - 1) * HOUR + datetime.resolution)
        for earlier in (clock.most, clock.most + clock.open):
            yield whole_hour(bend + earlier * HOUR)


def whole_hour(moment: datetime) -> datetime:
    """The first hour that begins then or later."""
    return -(-(moment - _EPOCH) // HOUR) * HOUR + _EPOCH


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


# From the install to the last rise of an early value, on average, as AppsFlyer has it (which takes
# none for the value 0): https://support.appsflyer.com/hc/en-us/articles/360014261518
LAST_RISE_HOURS = 12


def usual_install(version: str, window: int) -> timedelta:
    """How long after its install a postback usually arrives: 48 hours up to SKAdNetwork 3; then,
    by window, 84, 252 and 924. AppsFlyer documents the same. A re-engagement counts as an install.

    Nothing was locked, and Apple's delay was the mean of those it documents.
    """
    least, most = _usual_delay(version, window)
    return (least + most) / 2 * HOUR


def completeness(
    start: datetime, end: datetime, as_of: datetime, version: str, window: int
) -> float:
    """The share, 0 to 1, of the postbacks of installs between `start` and `end` that is to have
    arrived by `as_of`.

    Installs are taken to be spread evenly, and so are Apple's delays; nothing was locked.
    """
    least, most = _usual_delay(version, window)
    spread = (most - least) * HOUR
    # Each install has arrived with the chance `passed / spread`, from 0 up to 1, so the share is
    # the mean of that over the period: a difference of areas.
    earliest, latest = as_of - end - least * HOUR, as_of - start - least * HOUR
    passed = (_area(latest / spread) - _area(earliest / spread)) * spread
    return min(1.0, passed / (end - start))


def _usual_delay(version: str, window: int) -> tuple[int, int]:
    """Hours from an install to its postback, where nothing was locked: at least, and at most."""
    rising = version in RISING_ONLY
    clock = TIMER if rising else CLOCKS[window]
    closed = LAST_RISE_HOURS if rising else sum(one.open for one in CLOCKS[: window + 1])
    return closed + clock.least, closed + clock.most


def _area(upto: float) -> float:
    """Under a line that rises from 0 to 1 between 0 and 1, and then stays there."""
    return max(0.0, upto) ** 2 / 2 if upto < 1 else upto - 0.5
