"""Suggesting buckets for a million users, beside the dynamic programming of a textbook.

    python -m benchmarks.suggest [users]

The command is run as it is used, from a CSV file to a schema, by the clock. The textbook's
O(k n^2) would take days for as many, so that the two are compared on a sample: same loss.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from skan_receiver.conversion.quantise import Counts, Numbers, Sums, best_ends, losses

BUCKETS = 63
SAMPLE = 3_000
COMMAND = (sys.executable, "-m", "skan_receiver", "schemas", "suggest")


def naive(amounts: Numbers, users: Counts, count: int) -> float:
    """The least loss, every end of every bucket tried."""
    sums = Sums.of(amounts, users.astype(float))
    n = len(amounts)
    best = sums.in_one()
    best[0] = np.inf
    for _ in range(1, count):
        after = np.full(n + 1, np.inf)
        for end in range(1, n + 1):
            total = sums.total[end] - sums.total[:end]
            squares = sums.squares[end] - sums.squares[:end]
            loss = squares - total**2 / (sums.users[end] - sums.users[:end])
            after[end] = (best[:end] + loss).min()
        best = after
    return float(best[-1])


def write(path: Path, earned: Numbers) -> None:
    rows = (
        f"{user},purchase,{user % 48},{amount!r}\n" for user, amount in enumerate(earned.tolist())
    )
    path.write_text("user,event,hours,revenue\n" + "".join(rows))


def whole_command(name: str, earned: Numbers) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        write(path, earned)
        start = time.perf_counter()
        subprocess.run([*COMMAND, path, "--currency", "USD"], check=True, capture_output=True)
        took = time.perf_counter() - start
    distinct = len(np.unique(earned))
    print(f"{took:7.1f} s {len(earned):,} users, {name}: {distinct:,} distinct (at most 10)")


def beside_naive(name: str, earned: Numbers) -> None:
    amounts, users = np.unique(earned[earned > 0][:SAMPLE], return_counts=True)
    start = time.process_time()
    ends = best_ends(amounts, users, BUCKETS, grid=len(amounts) // 3)
    ours = time.process_time() - start
    start = time.process_time()
    wanted = naive(amounts, users, BUCKETS)
    theirs = time.process_time() - start
    lost = losses(amounts, users, ends).sum()
    same = "same loss" if np.isclose(lost, wanted, rtol=1e-9) else "DIFFERENT LOSS"
    print(f"{ours:7.3f} s, textbook {theirs:.1f} s: {name}, {len(amounts):,} distinct: {same}")


if __name__ == "__main__":
    USERS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    RANDOM = np.random.default_rng(0)
    PAID = RANDOM.lognormal(1.5, 1.3, USERS)
    for NAME, EARNED in (
        ("a third pays, in cents", np.where(RANDOM.random(USERS) < 1 / 3, PAID.round(2), 0.0)),
        ("everybody pays, to the last digit", PAID),
    ):
        whole_command(NAME, EARNED)
        beside_naive(NAME, EARNED)
