"""Worlds to draw samples from: each draw returns scores and the truth that an interval should hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Families = Literal["none", "threes", "uneven", "large"]
World = Callable[[np.random.Generator, Ints], tuple[Floats, float]]
"""From families (0 … C - 1 for each sample) to one score a sample and the true mean."""

ICC = 0.3
"""Correlation of 0/1 scores within a family."""


def families(kind: Families, n: int, rng: np.random.Generator) -> Ints:
    """Return each sample's family: its own, threes, or uneven ones of 3 (`uneven`) or 10 (`large`) on average."""
    if kind == "none":
        return np.arange(n)
    if kind == "threes":
        return np.arange(n) // 3
    count = n // (3 if kind == "uneven" else 10)
    shares = rng.exponential(size=count)
    rest = rng.choice(count, n - count, p=shares / shares.sum())
    return np.concatenate([np.arange(count), rest])


def verdicts(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """0/1 scores; the pass rate is drawn from 0.1 … 0.9, each family's from a Beta around it."""
    rate = rng.uniform(0.1, 0.9)
    return (rng.random(len(codes)) < beta_around(rng, rate, codes)).astype(float), rate


def fractions(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Skewed scores within [0, 1], such as a token F1 without its lumps: mean 2/3, families differ."""
    centre = rng.beta(4, 2, codes.max() + 1)[codes]
    return rng.beta(5 * centre, 5 * (1 - centre)), 2 / 3


def lumps(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Scores of which 40 % are 1, 20 % are 0 and the rest lie between, as token F1 does."""
    kind = rng.random(len(codes))
    return np.where(kind < 0.4, 1.0, np.where(kind < 0.6, 0.0, rng.beta(3, 2, len(codes)))), 0.64


def unbounded(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Normal scores without a range; 30 % of the variance lies between families."""
    between = rng.standard_normal(codes.max() + 1)[codes]
    return np.sqrt(0.3) * between + np.sqrt(0.7) * rng.standard_normal(len(codes)), 0.0


def rare_lapses(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Scores of which 98 % are 1 and the rest anything in [0, 1]."""
    lapse = rng.random(len(codes)) < 0.02
    return np.where(lapse, rng.random(len(codes)), 1.0), 0.99


def paired_verdicts(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Differences of 0/1 scores: 25 % of samples only A passes, 15 % only B; families differ."""
    return _win_or_loss(rng, codes, 0.25, 0.15), 0.1


def close_verdicts(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Differences of 0/1 scores of two nearly equal models: 6 % only A passes, 4 % only B."""
    return _win_or_loss(rng, codes, 0.06, 0.04), 0.02


def averaged_verdicts(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Differences of 0/1 scores averaged over three repeats; families share how hard they are and who does better."""
    hard = rng.beta(4, 2, codes.max() + 1)[codes] * 0.8 + 0.1
    lead = rng.choice([0.0, 0.1], codes.max() + 1)[codes]
    a, b = rng.binomial(3, hard + lead) / 3, rng.binomial(3, hard) / 3
    return a - b, 0.05


def beta_around(rng: np.random.Generator, rate: float, codes: Ints) -> Floats:
    """Return each sample's pass rate: its family's, drawn around `rate` so that verdicts correlate by `ICC`."""
    if codes.max() + 1 == len(codes):
        return np.full(len(codes), rate)
    strength = (1 - ICC) / ICC
    of_families: Floats = rng.beta(rate * strength, (1 - rate) * strength, codes.max() + 1)
    return of_families[codes]


def _win_or_loss(rng: np.random.Generator, codes: Ints, win: float, loss: float) -> Floats:
    """Return 1, -1 or 0 a sample, with each family's chances drawn around the given ones."""
    n_families = codes.max() + 1
    chances = np.tile([win, loss, 1 - win - loss], (n_families, 1))
    if n_families < len(codes):
        gamma = rng.gamma(chances * (1 - ICC) / ICC)
        chances = gamma / gamma.sum(axis=1, keepdims=True)
    u = rng.random(len(codes))
    won, lost = chances[codes, 0], chances[codes, 1]
    return np.where(u < won, 1.0, np.where(u < won + lost, -1.0, 0.0))
