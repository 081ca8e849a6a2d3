"""How shares spread over campaigns, networks and apps: a hierarchical Dirichlet-multinomial.

    app       psi   ~ Dirichlet(base), the base being worth half an observation
    network   phi   ~ Dirichlet(beta  * psi of its app)
    campaign  theta ~ Dirichlet(alpha * phi of its network)
    counts          ~ Multinomial(theta)

alpha and beta say how alike campaigns are, and networks. One Gibbs sweep draws all of it, by the
tables of the Chinese restaurant franchise (Teh et al. 2006, "Hierarchical Dirichlet processes",
section 5.3; here with K values instead of endlessly many).
"""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import gammaln

from skan_receiver.estimation.cells import Codes, Numbers

# alpha / (alpha + ALIKE) is even between 0 and 1, and so with beta: half of the time campaigns
# are thought to be less alike than that, from "each for itself" to "all the same".
ALIKE = 30.0

# Steps of log alpha, one of them at a time: far and near.
STEPS = (1.0, 0.15)

# Observations that the base is worth, in all: the more, the more is expected in rich buckets
# that nobody has been seen in.
SEEN_BEFORE = 0.5

# Up to so many customers are seated one by one, the rest at once by a normal approximation.
ONE_BY_ONE = 16

LEAST = 1e-9


class Hierarchy:
    """The state of one sampler over the shares of as many kinds as `base` (kinds,) has."""

    def __init__(self, base: Numbers, network_of: Codes, app_of: Codes) -> None:
        self.network_of, self.app_of = network_of, app_of
        self.base = SEEN_BEFORE * base / base.sum()
        self.alpha = self.beta = ALIKE
        apps = int(app_of.max(initial=0)) + 1
        self.psi = np.tile(base / base.sum(), (apps, 1))
        self.phi = np.tile(base / base.sum(), (len(app_of), 1))

    def sweep(self, counts: Numbers, random: Generator) -> Numbers:
        """Draw everything once, given `counts` (campaigns, kinds); return theta, of that shape."""
        phi = self.phi[self.network_of]
        self.alpha = concentration(self.alpha, counts, phi, random)
        seated = tables(counts, self.alpha * phi, random)
        of_network = add_up(seated, self.network_of, len(self.phi))
        psi = self.psi[self.app_of]
        self.beta = concentration(self.beta, of_network, psi, random)
        above = tables(of_network, self.beta * psi, random)
        of_app = add_up(above, self.app_of, len(self.psi))
        self.psi = dirichlet(self.base + of_app, random)
        self.phi = dirichlet(self.beta * self.psi[self.app_of] + of_network, random)
        return dirichlet(self.alpha * self.phi[self.network_of] + counts, random)


def concentration(now: float, counts: Numbers, shares: Numbers, random: Generator) -> float:
    """alpha given the shares above, by a step of Metropolis and Hastings; theta integrated out."""
    seen, n = counts > 0, counts.sum(axis=1)
    found, expected = counts[seen], shares[seen]

    def evidence(alpha: float) -> float:
        each = (gammaln(alpha * expected + found) - gammaln(alpha * expected)).sum()
        prior = np.log(alpha) - 2 * np.log(alpha + ALIKE)  # of log alpha
        return float(each + (gammaln(alpha) - gammaln(alpha + n)).sum() + prior)

    then = now * np.exp(STEPS[random.integers(len(STEPS))] * random.standard_normal())
    better = evidence(then) - evidence(now)
    return float(then) if np.log(random.random()) < better else now


def tables(customers: Numbers, strength: Numbers, random: Generator) -> Numbers:
    """How many tables `customers` take in a Chinese restaurant: the k-th opens one with the
    chance strength / (strength + k), k from 0 on."""
    opened = np.zeros(customers.shape)
    busy = np.flatnonzero(customers)
    # The busiest first: who still comes when others' customers are all seated is a front part.
    n = customers.ravel()[busy]
    order = np.argsort(-n)
    busy = busy[order]
    opened.ravel()[busy] = _seat(n[order], strength.ravel()[busy], random)
    return opened


def _seat(n: Numbers, a: Numbers, random: Generator) -> Numbers:
    opened = np.ones(len(n))
    fronts = np.searchsorted(-n, -np.arange(ONE_BY_ONE + 1))  # how many have more than k
    for k, front in enumerate(fronts[1:ONE_BY_ONE], start=1):
        opened[:front] += random.random(front) * (a[:front] + k) < a[:front]
    many = slice(0, fronts[ONE_BY_ONE])
    opened[many] += _rest(n[many], a[many], random)
    return opened


def _rest(n: Numbers, a: Numbers, random: Generator) -> Numbers:
    """The same for customers from the 16th on: a sum of coins, by its mean and variance."""
    low, high = a + ONE_BY_ONE, a + n
    mean = a * (_digamma(high) - _digamma(low))
    variance = np.maximum(mean - a**2 * (_trigamma(low) - _trigamma(high)), 0)
    drawn = np.rint(mean + np.sqrt(variance) * random.standard_normal(len(n)))
    return np.clip(drawn, 0, n - ONE_BY_ONE)


def _digamma(x: Numbers) -> Numbers:
    """To eight digits from 16 on (Abramowitz and Stegun 6.3.18), ten times as fast as scipy's."""
    return np.log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4)


def _trigamma(x: Numbers) -> Numbers:
    """Likewise (6.4.12)."""
    return 1 / x + 1 / (2 * x**2) + 1 / (6 * x**3) - 1 / (30 * x**5)


def dirichlet(strength: Numbers, random: Generator) -> Numbers:
    """A draw for each row; none of its shares is exactly 0."""
    drawn = np.maximum(random.standard_gamma(strength), LEAST)
    drawn /= drawn.sum(axis=1, keepdims=True)
    return drawn


def add_up(rows: NDArray[Any], codes: Codes, n: int) -> Numbers:
    """The sum of the rows of each code, for the codes 0 to n - 1."""
    sums = np.zeros((n, *rows.shape[1:]))
    np.add.at(sums, codes, rows)
    return sums
