"""A year of counts, drawn: who sends what, how often, and at which hours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 365 * 24
APPS = {525463029: 0.55, 525463030: 0.3, 525463031: 0.15}
NETWORKS = {f"network{n}.skadnetwork": 0.4 * 0.6**n for n in range(8)}
# framework and version: share, and conversion types
VERSIONS = {
    ("skadnetwork", "4.0"): (0.7, {"download": 0.85, "redownload": 0.15}),
    ("skadnetwork", "3.0"): (0.12, {"download": 0.85, "redownload": 0.15}),
    ("skadnetwork", "2.2"): (0.04, {"download": 0.85, "redownload": 0.15}),
    ("adattributionkit", ""): (
        0.14,
        {"download": 0.8, "redownload": 0.15, "re-engagement": 0.05},
    ),
}
VERDICTS = {("valid", True): 0.985, ("invalid", False): 0.015}
WINDOWS = {0: 0.55, 1: 0.27, 2: 0.18}
COARSE = {"low": 0.6, "medium": 0.3, "high": 0.1}
NIGHT, LOSERS = 0.35, 0.08

Value = tuple[bool, int, str]  # did win, fine, coarse


@dataclass(frozen=True)
class World:
    """Cells (an index is a position) and how many postbacks each had in each hour it had any."""

    cells: Sequence[dict[str, Any]]
    hour: Any  # of each count, from the first of the year on; ascending
    cell: Any
    n: Any


def draw(postbacks: int, seed: int = 1) -> World:
    """About so many postbacks in a year."""
    random = np.random.default_rng(seed)
    cells, shares = zip(*_cells(), strict=True)
    share = np.array(shares) / sum(shares)
    rhythm = 1 - (1 - NIGHT) * np.cos((np.arange(24) - 3) * np.pi / 12)
    rhythm = np.tile(rhythm / rhythm.mean(), 365) * np.repeat(random.lognormal(0, 0.1, 365), 24)
    parts = []
    for first in range(0, HOURS, 24):
        counts = random.poisson(
            postbacks / HOURS * rhythm[first : first + 24, None] * share[None, :]
        )
        hours, some = np.nonzero(counts)
        parts.append((hours + first, some, counts[hours, some]))
    hour, cell, n = (np.concatenate(column) for column in zip(*parts, strict=True))
    return World(cells, hour, cell, n)


def _cells() -> Iterator[tuple[dict[str, Any], float]]:
    """Every cell there can be, with its share."""
    ways = product(APPS.items(), NETWORKS.items(), VERSIONS.items(), VERDICTS.items())
    for (app, a), (network, b), ((framework, version), (c, types)), (verdict, d) in ways:
        windows = WINDOWS if version in ("4.0", "") else {0: 1.0}
        for (type_, e), (window, f) in product(types.items(), windows.items()):
            for (did_win, fine, coarse), g in _values(version, window):
                key = (app, network, framework, version, window, *verdict, type_)
                yield _named(*key, did_win, fine, coarse), a * b * c * d * e * f * g


def _named(*key: Any) -> dict[str, Any]:
    names = (
        *("app_id", "ad_network_id", "framework", "version", "window", "verdict", "counted"),
        *("conversion_type", "did_win", "fine_value", "coarse_value"),
    )
    return dict(zip(names, key, strict=True))


def _values(version: str, window: int) -> Iterator[tuple[Value, float]]:
    """Of the first window all fine values, low ones more often; later ones know coarse values."""
    coarse = version in ("4.0", "")
    won = 1 - LOSERS if window == 0 and version != "2.2" else 1.0
    if won < 1:
        yield (False, -1, ""), LOSERS
    yield (True, -1, ""), won * (0.35 if window == 0 else 0.5)
    if coarse:
        part = 0.2 if window == 0 else 0.5
        yield from (((True, -1, name), won * part * share) for name, share in COARSE.items())
    if window == 0:
        part = 0.45 if coarse else 0.65
        weights = np.exp(-np.arange(64) / 12) + 0.02
        weights[0] += weights.sum() / 2
        weights /= weights.sum()
        yield from (((True, fine, ""), won * part * float(w)) for fine, w in enumerate(weights))
