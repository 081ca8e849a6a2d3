"""Columns of values through a schema, beside what a notebook would write with pandas.

    python -m benchmarks.decode [rounds]

Both run in one process, in turns, on the same column, by CPU time. Then what it costs to read a
schema and to compile the largest one there can be.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from skan_receiver.conversion import Schema, load_schema
from skan_receiver.conversion.arrays import ABSENT, Codes, take
from skan_receiver.conversion.compiled import compiled
from skan_receiver.conversion.problems import Problems
from skan_receiver.conversion.shape import shaped
from skan_receiver.conversion.source import read

ROWS = 5_000_000
EXAMPLE = Path(__file__).parents[1] / "conversion_schemas" / "examples" / "bits.yaml"

RULE = """\
        - value: {0}
          when: [{{event: e{1}, at_least: {2}}}, {{revenue: total, at_least: {0}}}]
"""


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def largest() -> str:
    """64 rules of two conditions on five events."""
    events = "".join(f"  e{event}:\n" for event in range(5))
    rules = "".join(RULE.format(v, v % 5, v // 10 + 1) for v in reversed(range(64)))
    head = f"app: 1\ncurrency: USD\nevents:\n{events}windows:\n  0:\n    fine:\n"
    return f"{head}      model: rules\n      rules:\n{rules}"


def compile_only(text: str) -> Callable[[], Schema]:
    source = read(text, "largest")
    document = shaped(source, Problems(source))
    assert document is not None
    return lambda: compiled(document, source.data, Problems(source))


def columns(rounds: int) -> None:
    """With every tenth value absent pandas holds the column as floats, with NaN; else as integers.

    New memory costs as much as decoding does, so that it is shown both ways: pandas' `map` has no
    choice but to get it anew.
    """
    whole = np.random.default_rng(0).integers(0, 64, ROWS).astype(np.uint8)
    some = whole.copy()
    some[::10] = ABSENT
    series = pd.Series(some).astype(float).where(some != ABSENT)
    beside("a tenth absent", some, series, rounds)
    beside("none absent", whole, pd.Series(whole.astype(np.int64)), rounds)


def beside(name: str, column: Codes, series: "pd.Series[Any]", rounds: int) -> None:
    numbers, mapping = np.arange(256.0), {value: float(value) for value in range(64)}
    room = np.zeros(ROWS)
    turns = [
        (
            seconds(lambda: series.map(mapping)),
            seconds(lambda: take(numbers, column)),
            seconds(lambda: take(numbers, column, out=room)),
        )
        for _ in range(rounds)
    ]
    speeds = [ROWS / median(side) / 1e6 for side in zip(*turns, strict=True)]
    anew, again = (median(turn[0] / turn[way] for turn in turns) for way in (1, 2))
    print(f"{name}: pandas map {speeds[0]:.0f} M values/s")
    print(f"  into new memory  {speeds[1]:7.0f} M values/s (at least 100), {anew:.1f} x")
    print(
        f"  into the same    {speeds[2]:7.0f} M values/s (at least 100), {again:.1f} x (at least 5)"
    )


def schemas(rounds: int) -> None:
    text = largest()
    for name, run in (
        ("load, an example", lambda: load_schema(EXAMPLE)),
        ("load, 64 rules", lambda: load_schema(text)),
        ("compile, 64 rules (at most 50)", compile_only(text)),
    ):
        took = median(seconds(run) for _ in range(rounds))
        print(f"{took * 1000:7.1f} ms {name}")


if __name__ == "__main__":
    ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    columns(ROUNDS)
    schemas(ROUNDS)
