"""Suggesting a schema: revenue in the buckets that tell most of it.

No revenue is a value of its own, the lowest. The rest are the buckets with the least expected
squared error, beside those that one would write by hand: of equal width, and of as many users.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

import numpy as np

from skan_receiver.conversion.arrays import Numbers
from skan_receiver.conversion.history import History
from skan_receiver.conversion.judge import revenue
from skan_receiver.conversion.meaning import COARSE
from skan_receiver.conversion.quantise import Counts, Places, best_ends, losses
from skan_receiver.errors import ConfigurationError

METHODS = ("suggested", "quantile", "equal width")


@dataclass(frozen=True, slots=True)
class Bucket:
    """The users of one value, who earned up to `edge`; None: the top one, without an end."""

    value: int | str
    edge: float | None
    users: int
    mean: float


@dataclass(frozen=True, slots=True)
class Loss:
    """What is left to guess of one user's revenue, expected, once the value is known."""

    method: str
    values: int
    squared_error: float
    explained: float  # the share of the variance


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The values of one window. The lowest is no revenue; an amount on an edge is below it."""

    window: int
    users: int
    buckets: tuple[Bucket, ...]
    losses: tuple[Loss, ...]  # in the order of METHODS
    coarse: tuple[int, ...] = ()  # the highest fine value of each coarse one

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "window": self.window,
            "users": self.users,
            "buckets": [_dict(bucket) for bucket in self.buckets],
            "losses": [_dict(loss) for loss in self.losses],
        }


def _dict(part: Bucket | Loss) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__slots__}


def suggest(history: History, bits: int, kinds: Mapping[str, str | None]) -> tuple[Suggestion, ...]:
    """Buckets for 2 to the `bits` fine values in window 0, and for coarse ones after it.

    `kinds` names the events whose revenue counts. Windows without any get no values; raises
    ConfigurationError where window 0 is one.
    """
    counted = np.array([name in kinds for name in history.events])
    earned = [revenue(history, window, events=counted) for window in range(3)]
    if not earned[0].any():
        raise ConfigurationError("nobody earns anything on days 0-2: there is nothing to suggest")
    budgets = (2**bits, len(COARSE), len(COARSE))
    return tuple(
        suggestion(window, amounts, values)
        for window, (amounts, values) in enumerate(zip(earned, budgets, strict=True))
        if amounts.any()
    )


def suggestion(window: int, earned: Numbers, values: int) -> Suggestion:
    """The best of `values` buckets of what users earned, one of them for nothing."""
    amounts, users = np.unique(earned[earned > 0], return_counts=True)
    variance = float(earned.var())
    cuts = (
        best_ends(amounts, users, values - 1),
        _quantiles(users, values - 1),
        _equal_widths(amounts, values - 1),
    )
    lost = [float(losses(amounts, users, ends).sum()) / len(earned) for ends in cuts]
    told = tuple(
        Loss(method, len(ends) + 1, loss, 1 - loss / variance if variance else 1.0)
        for method, ends, loss in zip(METHODS, cuts, lost, strict=True)
    )
    without = len(earned) - int(users.sum())
    buckets = tuple(_buckets(amounts, users, cuts[0], without, coarse=window > 0))
    coarse = () if window else _coarse(buckets)
    return Suggestion(window, len(earned), buckets, told, coarse)


def _quantiles(users: Counts, count: int) -> Places:
    """Ends of buckets with about as many users each."""
    sums = np.cumsum(users)
    shares = np.arange(1, count + 1) / count * sums[-1]
    return np.unique(np.searchsorted(sums, shares) + 1).clip(max=len(users))


def _equal_widths(amounts: Numbers, count: int) -> Places:
    """Ends of buckets of one width from 0 up to the highest amount. Empty ones are left out."""
    edges = np.arange(1, count) / count * amounts[-1]
    ends = np.unique(np.append(np.searchsorted(amounts, edges, side="right"), len(amounts)))
    return ends[ends > 0]


def _buckets(
    amounts: Numbers, users: Counts, ends: Places, without: int, *, coarse: bool
) -> Iterator[Bucket]:
    name = COARSE if coarse else range(64)
    yield Bucket(name[0], 0.0, without, 0.0)
    starts = [0, *ends[:-1].tolist()]
    for value, (start, end) in enumerate(zip(starts, ends.tolist(), strict=True), start=1):
        edge = None if end == len(amounts) else plain(amounts[end - 1], amounts[end])
        count = int(users[start:end].sum())
        mean = float((amounts[start:end] * users[start:end]).sum()) / count
        yield Bucket(name[value], edge, count, mean)


def plain(low: float, high: float) -> float:
    """The number with the fewest digits from `low` up to, and without, `high`."""
    least, most = Decimal(repr(float(low))), Decimal(repr(float(high)))
    for exponent in range(most.adjusted(), most.adjusted() - 20, -1):
        edge = least.quantize(Decimal(1).scaleb(exponent), rounding=ROUND_CEILING)
        if low <= float(edge) < high:
            return float(edge)
    return float(low)


def _coarse(buckets: Sequence[Bucket]) -> tuple[int, ...]:
    """No revenue is low; medium and high are the best two parts of the other fine values."""
    means = np.array([bucket.mean for bucket in buckets[1:]])
    ends = best_ends(means, np.array([bucket.users for bucket in buckets[1:]]), len(COARSE) - 1)
    return (0, *ends.tolist())


def as_yaml(
    found: Sequence[Suggestion],
    *,
    app: int,
    currency: str,
    kind: str,
    events: Mapping[str, str | None],
) -> str:
    """The suggestion as a schema file, its losses and users as comments."""
    lines = ["# Suggested: the buckets of revenue with the least expected squared error.", "#"]
    lines += [f"#   {line}" for line in _table(found)]
    lines += ["", f"app: {app} # the id in the App Store", f"currency: {currency}", "", "events:"]
    lines += [f"  {_word(name)}: {{revenue: {counts}}}" for name, counts in events.items()]
    lines += ["", "windows:"]
    for one in found:
        lines += _window(one, kind)
    return "\n".join(lines) + "\n"


def _table(found: Sequence[Suggestion]) -> Iterator[str]:
    yield f"{'window':8}{'buckets':14}values   squared error   rms error   explained"
    for one in found:
        for loss in one.losses:
            error = f"{loss.squared_error:16.6g}{loss.squared_error**0.5:12.4g}"
            share = f"{loss.explained:12.4%}"
            yield f"{one.window:<8}{loss.method:14}{loss.values:6}{error}{share}"


def _window(one: Suggestion, kind: str) -> Iterator[str]:
    yield f"  {one.window}: # {('days 0-2', 'days 3-7', 'days 8-35')[one.window]}"
    yield "    coarse:" if one.window else "    fine:"
    yield "      model: revenue"
    yield f"      revenue: {kind}"
    yield '      bounds: "(]" # an edge is in the bucket below it'
    yield "      edges:"
    *ending, top = one.buckets
    for bucket in ending:
        yield f"        - {_digits(bucket.edge or 0)} # {_users(bucket)}"
    # Shortened, the mean may not fall below the last edge: that would be a mistake.
    mean = max(ending[-1].edge or 0, float(f"{top.mean:.6g}"))
    yield f"      tail: {{mean: {_digits(mean)}}} # {_users(top)}"
    if one.coarse:
        yield f"    coarse_for_fine: {{{', '.join(_spans(one.coarse))}}}"


def _users(bucket: Bucket) -> str:
    return f"{bucket.value}: {bucket.users:,} users, {bucket.mean:.4g} on average"


def _spans(highest: Sequence[int]) -> Iterator[str]:
    first, names = 0, COARSE if len(highest) == len(COARSE) else ("low", "high")
    for name, last in zip(names, highest, strict=True):
        yield f"{name}: {first}" if first == last else f"{name}: {first}-{last}"
        first = last + 1


def _digits(number: float) -> str:
    """Without an exponent, which YAML reads as text unless it is written just so."""
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def _word(name: str) -> str:
    """As YAML: in quotes, unless it is a plain word that stands for nothing else."""
    taken = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
    if re.fullmatch(r"[A-Za-z_]\w*", name) and name.lower() not in taken:
        return name
    return json.dumps(name)
