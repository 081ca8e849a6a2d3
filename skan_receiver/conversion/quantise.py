"""Amounts in a given number of buckets with the least squared error, exactly.

The loss of a bucket is the sum of squared distances of its users from their mean. Let D[j][p] be
the least loss of the first p distinct amounts in j buckets:

    D[j][p] = min over m < p of  D[j-1][m] + loss(m, p)

The loss satisfies the quadrangle inequality, so the best m never falls as p rises, and a row of
D is found by halving (D. S. Hirschberg, L. L. Larmore 1987; Ckmeans.1d.dp, H. Wang, M. Song 2011):
O(n log n) for each bucket, the rows of one halving at once.

A million distinct amounts would still take half a minute for 63 buckets. So D is first bounded
on a grid of some thousand amounts: from above by buckets that end on the grid, from below by
buckets of which each may leave out the block of amounts in which it begins. An end that cannot
be had for the upper bound is never looked at again. What is left is
exact up to the rounding of sums, and a few per cent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Counts = NDArray[np.signedinteger[Any]]

GRID = 16_384

# Rows with more candidates than this are done one by one, on slices: that spares the indices
# with which many short rows are done at once.
LONG = 1_500

# Bounds are sums of rounded numbers: nothing is given up for less than this share of the loss.
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the first p amounts, for each p: how many users, their sum, the sum of squares."""

    users: Numbers
    total: Numbers
    squares: Numbers

    @classmethod
    def of(cls, amounts: Numbers, users: Numbers) -> "Sums":
        # Around their mean, sums of squares lose the fewest digits.
        apart = amounts - np.average(amounts, weights=users)
        sums = (np.concatenate(([0.0], np.cumsum(users * apart**n))) for n in range(3))
        return cls(*sums)

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, at: slice | Places) -> "Sums":
        return Sums(self.users[at], self.total[at], self.squares[at])

    def reverse(self) -> "Sums":
        """The same of the last p amounts."""
        back = (sums[-1] - sums[::-1] for sums in (self.users, self.total, self.squares))
        return Sums(*back)

    def in_one(self) -> Numbers:
        """The loss of the first p amounts in one bucket."""
        return self.squares - self.total**2 / np.maximum(self.users, 1)


class Window(NamedTuple):
    """Where a bucket can end: after at least `first` amounts and at most `last`."""

    first: int
    last: int

    @property
    def places(self) -> slice:
        return slice(self.first, self.last + 1)


def best_ends(amounts: Numbers, users: Counts, count: int, *, grid: int = GRID) -> Places:
    """Where the best `count` buckets end: after how many of the amounts, the last after all.

    `amounts` are distinct and rise; `users` says how many have each. Fewer amounts than buckets
    get a bucket each. `grid` is how many blocks to bound the loss on: it changes the time that it
    takes, and nothing else.
    """
    if len(amounts) <= count:
        return np.arange(1, len(amounts) + 1)
    sums = Sums.of(amounts, users.astype(float))
    windows = _anywhere(len(amounts), count)
    if grid * 2 < len(amounts) and len(cuts := _grid(amounts, users, grid)) > count:
        windows = _narrowed(sums, cuts, count)
    return _solve(sums, windows)[1]


def losses(amounts: Numbers, users: Counts, ends: Places) -> Numbers:
    """The sum of squared distances from its mean, of each bucket."""
    starts = np.concatenate(([0], ends[:-1]))
    counts = np.add.reduceat(users.astype(float), starts)
    means = np.add.reduceat(amounts * users, starts) / counts
    apart = amounts - np.repeat(means, ends - starts)
    return np.asarray(np.add.reduceat(users * apart**2, starts))


def _anywhere(amounts: int, count: int) -> list[Window]:
    """No bucket is empty: that is all that is known of their ends."""
    return [Window(j, amounts - count + j) for j in range(1, count + 1)]


def _solve(sums: Sums, windows: Sequence[Window]) -> tuple[float, Places]:
    """The least loss with the end of each bucket in its window, and those ends."""
    window, *others = windows
    loss = sums.in_one()[window.places]
    chosen = []
    for after in others:
        rows = sums[after.places]
        loss, best = _layer(loss, sums[window.places], rows, after.first - window.first)
        chosen.append((after.first, best + window.first))
        window = after
    ends = [window.last]
    for first, best in reversed(chosen):
        ends.append(int(best[ends[-1] - first]))
    return float(loss[-1]), np.array(ends[::-1])


def _layer(before: Numbers, columns: Sums, rows: Sums, lead: int) -> tuple[Numbers, Places]:
    """Of each row the least of `before` + loss(column, row), and its column.

    Row i can use the columns before i + `lead`.
    """
    size = len(rows)
    base = before - columns.squares
    least = np.empty(size)
    # One place more at either end, for what bounds the outermost rows.
    chosen = np.zeros(size + 2, np.int64)
    chosen[-1] = len(before) - 1
    step = 1 << (size.bit_length() - 1)
    while step:
        places = np.arange(step, size + 1, 2 * step)
        low = chosen[places - step]
        high = np.minimum(chosen[np.minimum(places + step, size + 1)], places + lead - 2)
        asked = rows[places - 1]
        search = _one_by_one if (high - low).sum() > LONG * len(places) else _at_once
        least[places - 1], chosen[places] = search(base, columns, asked, low, high)
        step //= 2
    return least + rows.squares, chosen[1:-1]


def _one_by_one(
    base: Numbers, columns: Sums, rows: Sums, low: Places, high: Places
) -> tuple[Numbers, Places]:
    least, chosen = np.empty(len(low)), np.empty(len(low), np.int64)
    for row, (start, end) in enumerate(zip(low.tolist(), (high + 1).tolist(), strict=True)):
        total = rows.total[row] - columns.total[start:end]
        users = rows.users[row] - columns.users[start:end]
        loss = base[start:end] - total * total / np.maximum(users, 1)
        best = loss.argmin()
        least[row], chosen[row] = loss[best], start + best
    return least, chosen


def _at_once(
    base: Numbers, columns: Sums, rows: Sums, low: Places, high: Places
) -> tuple[Numbers, Places]:
    lengths = high - low + 1
    starts = np.cumsum(lengths) - lengths
    column = np.arange(lengths.sum()) - np.repeat(starts - low, lengths)
    total = np.repeat(rows.total, lengths) - columns.total[column]
    users = np.repeat(rows.users, lengths) - columns.users[column]
    loss = base[column] - total * total / np.maximum(users, 1)
    least = np.minimum.reduceat(loss, starts)
    best = np.flatnonzero(loss == np.repeat(least, lengths))
    return least, column[best[np.searchsorted(best, starts)]]


def _grid(amounts: Numbers, users: Counts, blocks: int) -> Places:
    """Places that cut the amounts into blocks of about the same loss.

    By the cube root of the density, as the best buckets themselves lie where there are many
    (P. F. Panter, W. Dite 1951).
    """
    spread = np.cumsum(np.cbrt(users[1:] * np.diff(amounts) ** 2))
    cuts = np.searchsorted(spread, np.linspace(0, spread[-1], blocks + 1)[1:-1]) + 1
    return np.unique(np.concatenate(([0], cuts, [len(amounts)])))


def _narrowed(sums: Sums, grid: Places, count: int) -> list[Window]:
    """For each bucket, where it can end in the best solution."""
    blocks = sums[grid]
    most = _solve(blocks, _anywhere(len(grid) - 1, count))[0] * (1 + SLACK)
    left, right = _at_least(blocks, count), _at_least(blocks.reverse(), count)
    windows, first = [], 0
    for j in range(1, count):
        # Ends within the block from a to a + 1: j buckets up to a, the others from a + 1 on.
        bound = left[j - 1][:-1] + right[count - j - 1][-2::-1]
        possible = np.flatnonzero(bound <= most)
        first = max(first + 1, int(grid[possible[0]]) + 1)
        last = min(int(grid[possible[-1] + 1]), int(grid[-1]) - count + j)
        windows.append(Window(first, last))
    return [*windows, Window(int(grid[-1]), int(grid[-1]))]


def _at_least(blocks: Sums, count: int) -> list[Numbers]:
    """For 1 to `count` - 1 buckets, what the first blocks lose at least.

    A bucket that begins within a block is not charged for that block.
    """
    bounds = [blocks.in_one()]
    for _ in range(2, count):
        least, _ = _layer(bounds[-1][:-1], blocks[1:], blocks[1:], 1)
        bounds.append(np.concatenate(([0.0], least)))
    return bounds
