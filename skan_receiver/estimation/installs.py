"""Installs by day or hour from arrivals: a deconvolution with the documented delays.

    arrivals[t] ~ Poisson(sum over s of rate[s] * kernel[t - s])
    log rate = smooth + day of the week + noise
    second differences of smooth ~ Normal(0, 1 / stiffness)

The stiffness and the share of locked installs are not known: they are averaged over a grid, each
by its evidence (Laplace). What is drawn is the realised number: arrivals parted among the steps
they can have come from, and installs that have not arrived yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from skan_receiver.estimation.cells import Numbers
from skan_receiver.estimation.kernels import Kernel
from skan_receiver.estimation.result import LEVEL, Estimate

NEWTON_STEPS = 60
CLOSE = 1e-6
LARGEST_STEP = 2.0  # of a log rate
TINY = 1e-12
CORNER = 0.3  # what is not seen at all is within a few e-folds of the mean

# Standard deviations of log rates beside the smooth line: of a day of the week, the same in all
# weeks, and of each step for itself.
WEEK, NOISE = 0.15, 0.05

# Beta(1, 4): few apps lock, some lock much.
LOCK_PRIOR = (1.0, 4.0)


@dataclass(frozen=True, slots=True)
class InstallSettings:
    """`shares` and `stiffness` are the grids; one entry fixes what is known."""

    shares: tuple[float, ...] = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
    stiffness: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0, 10000.0)
    draws: int = 400
    seed: int = 0
    level: float = LEVEL


@dataclass(frozen=True, slots=True)
class _Fit:
    """The best log rates for one point of the grid."""

    matrix: Numbers  # (installs, arrivals)
    log_rate: Numbers
    factor: Numbers  # lower triangular, of the curvature there
    evidence: float


def install_series(
    arrivals: ArrayLike, kernel: Kernel, settings: InstallSettings = InstallSettings()
) -> Estimate:
    """Draw the installs of each step that `arrivals` (steps,) counts, in its order.

    Installs before the first step are not drawn: give as many steps before those that matter as
    the kernel is long. The last ones, whose postbacks are still to come, are wide.
    """
    counts = np.asarray(arrivals, np.float64)
    random = default_rng(settings.seed)
    # Whoever arrives in the first steps had installed before them.
    early = np.pad(counts, (len(kernel.plain), 0))
    fits = list(_fits(early, kernel, settings))
    seen = slice(len(kernel.plain), None)
    known = [replace(fit, matrix=fit.matrix[:, seen]) for fit in fits]
    chosen = random.choice(len(fits), settings.draws, p=_weights(fits))
    drawn = np.stack([_realised(counts, known[n], random) for n in chosen], axis=1)[seen]
    values = drawn.mean(axis=1, keepdims=True)
    return Estimate(drawn.astype(np.float32), values.astype(np.float32), settings.level)


def _fits(counts: Numbers, kernel: Kernel, settings: InstallSettings) -> Iterator[_Fit]:
    steps, before = len(counts), len(kernel.plain)
    priors = [_prior(steps, stiffness, kernel.grain) for stiffness in settings.stiffness]
    usual = float(np.log(max(counts[before:].mean(), 0.1)))
    for share in settings.shares:
        matrix = kernel.matrix(share, steps)
        matrix[:, :before] = 0.0  # nobody counted what arrived then
        log_rate = np.full(steps, usual)
        for prior in priors:
            fit = _fit(_Problem(counts, matrix, prior, usual), log_rate)
            log_rate = fit.log_rate
            yield replace(fit, evidence=fit.evidence + _log_prior(share, settings))


def _prior(steps: int, stiffness: float, grain: int) -> Numbers:
    """(installs, installs): the precision of log rates that are smooth, but for week and noise."""
    differences = np.diff(np.eye(steps), 2, axis=0)
    smooth = np.linalg.inv(stiffness * differences.T @ differences + CORNER * np.eye(steps))
    day = np.arange(steps) * grain // 24
    week = (day[:, None] - day[None, :]) % 7 == 0
    return np.linalg.inv(smooth + WEEK**2 * week + NOISE**2 * np.eye(steps))


def _log_prior(share: float, settings: InstallSettings) -> float:
    if len(settings.shares) == 1:
        return 0.0
    a, b = LOCK_PRIOR
    return float((a - 1) * np.log(max(share, 1e-9)) + (b - 1) * np.log1p(-share))


@dataclass(frozen=True, slots=True)
class _Problem:
    """One point of the grid: what is to be fitted."""

    counts: Numbers  # (arrivals,)
    matrix: Numbers  # (installs, arrivals)
    prior: Numbers  # (installs, installs): the precision of the log rates
    usual: float  # the log rate where nothing is known

    def likely(self, x: Numbers) -> float:
        """How likely log rates are, but for a constant."""
        expected, seen = np.exp(x) @ self.matrix, self.matrix.any(axis=0)
        fits = self.counts[seen] * np.log(expected[seen] + TINY) - expected[seen]
        off = x - self.usual
        return float(fits.sum() - 0.5 * off @ self.prior @ off)

    def slopes(self, x: Numbers) -> tuple[Numbers, Numbers]:
        """The gradient, and the curvature as Fisher expects it."""
        parts = np.exp(x)[:, None] * self.matrix
        expected = np.maximum(parts.sum(axis=0), TINY)
        missed = np.where(self.matrix.any(axis=0), self.counts / expected - 1, 0.0)
        slope = parts @ missed - self.prior @ (x - self.usual)
        return slope, (parts / expected) @ parts.T + self.prior


def _fit(problem: _Problem, x: Numbers) -> _Fit:
    """Newton's method, each step no longer than helps."""
    now = problem.likely(x)
    for _ in range(NEWTON_STEPS):
        slope, curvature = problem.slopes(x)
        step = cho_solve(cho_factor(curvature, lower=True), slope)
        x, then = _along(problem, x, np.clip(step, -LARGEST_STEP, LARGEST_STEP), now)
        if then - now < CLOSE:
            break
        now = then
    factor = np.linalg.cholesky(problem.slopes(x)[1])
    width = 0.5 * np.linalg.slogdet(problem.prior)[1] - np.log(np.diag(factor)).sum()
    return _Fit(problem.matrix, x, np.asarray(factor, np.float64), float(now + width))


def _along(problem: _Problem, x: Numbers, step: Numbers, now: float) -> tuple[Numbers, float]:
    """As far along `step` as is better than `now`; nowhere, if nothing is."""
    for halved in 0.5 ** np.arange(12):
        there = x + halved * step
        if (then := problem.likely(there)) > now:
            return there, then
    return x, now


def _weights(fits: list[_Fit]) -> Numbers:
    evidence = np.array([fit.evidence for fit in fits])
    weights = np.exp(evidence - evidence.max())
    return np.asarray(weights / weights.sum(), np.float64)


def _realised(counts: Numbers, fit: _Fit, random: Generator) -> Numbers:
    """Installs by step: one draw of the rates, then of who came when."""
    noise = random.standard_normal(len(fit.log_rate))
    rate = np.exp(fit.log_rate + solve_triangular(fit.factor, noise, lower=True, trans="T"))
    sources = rate[:, None] * fit.matrix
    sources = sources / np.maximum(sources.sum(axis=0), TINY)
    possible = sources.sum(axis=0) > 0.5
    came = random.multinomial(_whole(counts[possible]), sources[:, possible].T).sum(axis=0)
    waiting = random.poisson(rate * (1 - np.minimum(fit.matrix.sum(axis=1), 1)))
    return np.asarray(came + waiting, np.float64)


def _whole(counts: Numbers) -> NDArray[np.int64]:
    return np.rint(counts).astype(np.int64)
