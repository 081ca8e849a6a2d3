"""The installs of one app by day, from arrivals by day and the delays that Apple documents."""

from collections import defaultdict
from dataclasses import replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from skan_receiver.conversion.encode import RISING_ONLY
from skan_receiver.estimating.counted import DAY, Span, installs
from skan_receiver.estimating.sums import Sums
from skan_receiver.estimation import InstallSettings, install_series, kernel
from skan_receiver.reports import Period
from skan_receiver.storage.estimates import BY_DAY

Days = NDArray[np.int64]


def whole_days(span: Span) -> Span:
    """Without today, which has not come to its end: a part of its arrivals would look like few."""
    return replace(span, end=span.end - DAY)


Key = tuple[str, bool]  # network, up to SKAdNetwork 3

KERNELS = {
    is_early: kernel(0, version=RISING_ONLY[-1] if is_early else "4.0")
    for is_early in (False, True)
}

# Installs need so many days to arrive: as many are read before the first one that is estimated.
BEFORE = max(len(one.plain) for one in KERNELS.values())


def arrived(connection: Connection, app_id: int, span: Span) -> dict[Key, Days]:
    """Arrivals by day, from `BEFORE` days before the span on."""
    start = span.start - BEFORE * DAY
    days = span.days + BEFORE
    found: defaultdict[Key, Days] = defaultdict(lambda: np.zeros(days, np.int64))
    for row in installs(connection, app_id, Period(start, span.end)):
        key = row["ad_network_id"], row["version"] in RISING_ONLY
        found[key][(row["day"] - start.date()).days] += row["n"]
    return {key: of for key, of in found.items() if of.any()}


def series(of: dict[Key, Days], app_id: int, span: Span, settings: InstallSettings) -> Sums:
    """Draws of each network's installs on each day of `span`; early versions are drawn apart."""
    sums = Sums(span.days, settings.draws)
    for (network, is_early), arrivals in of.items():
        seed = crc32(f"{app_id} {network} {is_early}".encode()) ^ settings.seed
        found = install_series(arrivals, KERNELS[is_early], replace(settings, seed=seed))
        sums.add((BY_DAY, network, ""), arrivals[BEFORE:], found.draws[BEFORE:])
    return sums
