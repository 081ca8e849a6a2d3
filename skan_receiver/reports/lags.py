"""How long something took, of many: quantiles, shares and a histogram."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Any

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NINE_DAYS = 9 * DAY  # within which a device tries again

# Bars of a histogram: shorter than that.
BARS: dict[str, timedelta] = {
    "under 1 min": timedelta(minutes=1),
    "1 to 10 min": timedelta(minutes=10),
    "10 to 60 min": HOUR,
    "1 to 6 h": 6 * HOUR,
    "6 to 24 h": DAY,
    "1 to 3 days": 3 * DAY,
    "3 to 9 days": NINE_DAYS,
    "over 9 days": timedelta.max,
}
WITHIN = {"within_1h_share": HOUR, "within_24h_share": DAY, "within_9d_share": NINE_DAYS}
QUANTILES = {"median_s": 0.5, "p90_s": 0.9, "p99_s": 0.99}


@dataclass(slots=True)
class Lags:
    """Lags of a kind. What took less than no time was dated wrongly, and is counted apart."""

    all: list[timedelta] = field(default_factory=list)
    negative: int = 0
    firsts: list[timedelta] = field(default_factory=list)  # one of each postback: of the shares

    def add(self, lag: timedelta, *, first: bool = True) -> None:
        """One more; the first of its postback, or another one."""
        if lag < timedelta():
            self.negative += 1
            return
        self.all.append(lag)
        if first:
            self.firsts.append(lag)

    def told(self, of: float) -> dict[str, Any]:
        """In numbers; the shares are of so many postbacks."""
        within = {name: sum(lag <= most for lag in self.firsts) for name, most in WITHIN.items()}
        return {
            "n": len(self.all),
            "negative": self.negative,
            **{name: seconds(quantile(self.all, q)) for name, q in QUANTILES.items()},
            **{name: min(round(n / of, 6), 1.0) if of else None for name, n in within.items()},
            "histogram": tuple(self._histogram()),
        }

    def _histogram(self) -> Iterator[Mapping[str, Any]]:
        bars = Counter(next(bar for bar, upto in BARS.items() if lag < upto) for lag in self.all)
        return ({"lag": bar, "n": bars[bar]} for bar in BARS if bars[bar])


def quantile(lags: list[timedelta], share: float) -> timedelta | None:
    """The shortest that at least this share of them do not exceed; None of none."""
    return sorted(lags)[max(ceil(share * len(lags)), 1) - 1] if lags else None


def seconds(lag: timedelta | None) -> float | None:
    return None if lag is None else round(lag.total_seconds(), 3)
