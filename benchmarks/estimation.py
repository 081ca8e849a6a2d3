"""How often estimates hold the truth, how far they are off, and how long they take.

    python -m benchmarks.estimation [worlds of each family, 16] [first seed, 0] > result.json

Worlds are those of tests/estimation/worlds.py, one seed after the other. The table for
docs/estimation.md is printed to standard error. Relative error: the sum over campaigns of
|estimate - truth|, by the sum of the truth; the mean over worlds.
"""

import json
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng

from skan_receiver.estimation import (
    Cells,
    Scale,
    Settings,
    estimate,
    install_series,
    kernel,
    yardsticks,
)
from tests.estimation.arrived import arrived
from tests.estimation.worlds import FAMILIES, OTHER_MODEL, SIMULATOR, Array, World, world

YARDSTICKS = ("drop_nulls", "nulls_as_zero", "ratio", "bucket_midpoints")
SAME, OTHER = "the estimator's", "another"


def main(each: int, first: int) -> None:
    seeds = range(first, first + each)
    families = {family: of_family(family, seeds) for family in FAMILIES}
    result: dict[str, Any] = {
        "families": families,
        "all": together(list(families.values())),
        "at random, though they are not": [
            wrong(family, seeds) for family in ("payers hide", "payers show")
        ],
        "installs": [of_installs(window, range(first, first + each * 3)) for window in range(3)],
        "1,000 campaigns x 60 days": speed(),
    }
    print(json.dumps(result, indent=2))
    print("\n".join(table(families, result["all"])), file=sys.stderr)


def of_family(family: str, seeds: range) -> dict[str, Any]:
    seen = [measure(world(family, seed)) for seed in seeds]
    other = family in OTHER_MODEL or family == SIMULATOR
    found = {"model": OTHER if other else SAME, **summary(seen)}
    print(family, found, file=sys.stderr, flush=True)
    return found


def wrong(family: str, seeds: range) -> dict[str, Any]:
    """The same worlds read as missing at random: what a wrong sensitivity costs."""
    worlds = (world(family, seed) for seed in seeds)
    seen = [measure(replace(w, settings=replace(w.settings, sensitivity=0.0))) for w in worlds]
    return {"family": family, **summary(seen)}


def measure(of: World) -> dict[str, Any]:
    """One world: what was covered, and how far off everybody was."""
    found = estimate(of.cells, of.scales, of.settings)
    campaigns, total = found.by(of.cells.campaign), found.sum()
    truth = of.by_campaign()
    low, high = campaigns.interval()
    return {
        # Draws have the precision of float32.
        "covered": list((truth >= low - 1e-3) & (truth <= high + 1e-3)),
        "total": total.low <= truth.sum() <= total.high,
        "width": (total.high - total.low) / truth.sum(),
        "bias": total.mean / truth.sum() - 1,
        "absent": of.cells.absent.sum() / (of.cells.known + of.cells.absent).sum(),
        "error": off(campaigns.mean, truth),
        **{name: off(naive(of, name), truth) for name in YARDSTICKS},
    }


def off(estimated: Array, truth: Array) -> float:
    return float(np.abs(estimated - truth).sum() / truth.sum())


def naive(of: World, name: str) -> Array:
    """A yardstick by campaign; each group is read by its likeliest version."""
    likeliest = of.cells.weights.argmax(axis=1)
    worth = [getattr(yardsticks, name)(of.cells, scale) for scale in of.scales]
    return np.bincount(of.cells.campaign, np.choose(likeliest, worth))


def summary(seen: list[dict[str, Any]]) -> dict[str, Any]:
    covered = [one for of in seen for one in of["covered"]]
    means = {
        name: round(float(np.mean([of[name] for of in seen])), 4)
        for name in ("total", "width", "bias", "absent", "error", *YARDSTICKS)
    }
    best = min(means[name] for name in YARDSTICKS)
    return {
        "worlds": len(seen),
        "campaigns": len(covered),
        "covered": round(float(np.mean(covered)), 4),
        **means,
        "error / best": round(means["error"] / best, 3),
    }


def together(families: list[dict[str, Any]]) -> dict[str, Any]:
    """All families; the best yardstick is the one that is best over all of them."""
    campaigns = [of["campaigns"] for of in families]
    means = {
        name: round(float(np.mean([of[name] for of in families])), 4)
        for name in ("total", "width", "bias", "absent", "error", *YARDSTICKS)
    }
    return {
        "worlds": sum(of["worlds"] for of in families),
        "campaigns": sum(campaigns),
        "covered": round(
            float(np.average([of["covered"] for of in families], weights=campaigns)), 4
        ),
        **means,
        "error / best": round(means["error"] / min(means[name] for name in YARDSTICKS), 3),
        "worst error / best": max(of["error / best"] for of in families),
    }


def of_installs(window: int, seeds: range) -> dict[str, Any]:
    """Days of installs from days of arrivals; the last ones, still to arrive, included."""
    seen = []
    for seed in seeds:
        truth, arrivals = arrived(window, seed)
        found = install_series(arrivals, kernel(window))
        low, high = found.interval()
        lasts = len(kernel(window).plain)
        inner = slice(lasts, len(truth) - lasts)
        held = (truth >= low) & (truth <= high)
        offset = yardsticks.fixed_offset(arrivals, window)
        seen.append(
            (
                held[inner].mean(),
                held[-lasts:].mean(),
                off(found.mean[inner], truth[inner]),
                off(offset[inner], truth[inner]),
            )
        )
    names = ("covered", "covered, last days", "error", "error of the fixed offset")
    means = {
        name: round(float(mean), 4) for name, mean in zip(names, np.mean(seen, 0), strict=True)
    }
    return {"window": window, "worlds": len(seeds), **means}


def speed() -> dict[str, float]:
    """1,000 campaigns x 60 days, 64 values, all kinds of nulls; CPU seconds of one thread."""
    cells, scale = large(default_rng(1))
    wall, cpu = time.perf_counter(), time.process_time()
    estimate(cells, scale, Settings())
    return {
        "groups": len(cells),
        "postbacks": int((cells.known + cells.absent).sum()),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "seconds": round(time.perf_counter() - wall, 1),
    }


def large(random: Generator, campaigns: int = 1000, days: int = 60) -> tuple[Cells, Scale]:
    """40 values that pay nothing and 24 buckets; 30 % absent, 20 % coarse, the rest fine."""
    lower = np.concatenate([np.zeros(41), np.geomspace(1, 100, 23)])
    upper = np.concatenate([np.zeros(40), lower[41:], [np.inf]])
    level = np.repeat([0, 1, 2], [40, 12, 12])
    scale = Scale.of_bounds(lower, upper, mean=[np.nan] * 63 + [160], level=level)
    base = np.concatenate([np.full(40, 0.9 / 40), np.full(24, 0.1 / 24)])
    shares = np.repeat(random.dirichlet(base * 30, campaigns), days, axis=0)
    values = random.multinomial(random.poisson(10, campaigns * days), shares)
    how = random.random(campaigns * days)[:, None]
    coarse = np.stack([values[:, level == n].sum(axis=1) for n in range(3)], axis=1)
    of = np.repeat(np.arange(campaigns), days)
    cells = Cells.of(
        np.where(how >= 0.5, values, 0),
        coarse=np.where((how >= 0.3) & (how < 0.5), coarse, 0),
        absent=np.where(how < 0.3, values, 0).sum(axis=1),
        campaign=of,
        network=of % 8,
    )
    return cells, scale


def table(families: dict[str, Any], everything: dict[str, Any]) -> list[str]:
    columns = ("worlds", "campaigns", "absent", "covered", "total", "bias", "error", *YARDSTICKS)
    lines = ["| family | model | " + " | ".join((*columns, "error / best")) + " |"]
    lines.append("|---" * (len(columns) + 3) + "|")
    for name, of in (*families.items(), ("all", {"model": "", **everything})):
        numbers = [str(of[column]) for column in (*columns, "error / best")]
        lines.append(f"| {name} | {of['model']} | " + " | ".join(numbers) + " |")
    return lines


if __name__ == "__main__":
    given = [int(number) for number in sys.argv[1:]]
    main(*(given + [16, 0][len(given) :]))
