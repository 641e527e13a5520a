"""Worlds made to deceive a gate: rare and total lapses, repeats, ordinal scores, few and unlike families.

Each holds a candidate that is exactly at its limit, so that a pass is the error that a gate bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist

import numpy as np

from tests.statistics.proofs.worlds import Floats, Ints
from workbench.statistics.noninferiority import Scale

Draw = Callable[[np.random.Generator], tuple[Floats, Floats | None, Ints]]
"""Scores of the candidate, those of the baseline (`None`: a threshold is judged), and the samples' families."""
RATE, ORDINAL = Scale(low=0.0, high=1.0), Scale(low=1.0, high=5.0)
OPEN = Scale()


@dataclass(frozen=True)
class World:
    """A candidate whose true mean, or mean difference to the baseline, is exactly `truth`."""

    name: str
    n: str
    """Samples and families, in words."""
    truth: float
    draw: Draw
    scale: Scale = RATE
    shown: bool = False
    """Whether it stands in the table of docs/statistics.md and is tried by the default tests."""
    promised: bool = True
    """False where the gate cannot keep its level, which docs/statistics.md declares."""


def verdicts(n: int, lost: float, won: float = 0.0, shown: bool = False) -> World:
    """0/1 scores of which the candidate alone fails a share `lost` and the baseline alone a share `won`."""

    def draw(rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
        u = rng.random(n)
        return (u >= lost).astype(float), ((u < lost) | (u >= lost + won)).astype(float), np.arange(n)

    return World(f"margin, 0/1: {lost:.2%} lost, {won:.2%} won", f"{n:,}", won - lost, draw, shown=shown)


def fractions(n: int, lost: float, won: float = 0.0, spread: float = 0.02, shown: bool = False) -> World:
    """Scores of 0.9 ± spread, of which a share `lost` of the candidate's and `won` of the baseline's fall to 0.

    Where more are won than lost, the candidate's others are lower by so much that it is worse by 1 %.
    """
    lower = (0.01 + 0.9 * (won - lost)) / (1 - lost) if won > lost else 0.0

    def draw(rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
        a, b = (0.9 + spread * rng.uniform(-1, 1, n) for _ in range(2))
        a -= lower
        return np.where(rng.random(n) < lost, 0.0, a), np.where(rng.random(n) < won, 0.0, b), np.arange(n)

    name = f"margin, 0.9 ± {spread:g}: {lost:.2%} of the candidate's at 0, {won:.2%} of the baseline's"
    return World(name, f"{n:,}", 0.9 * won - (0.9 - lower) * lost - lower, draw, shown=shown)


def repeats(n: int, k: int, lost: float, flip: float, won: float = 0.0, shown: bool = False) -> World:
    """0/1 scores averaged over `k` repeats that flip now and then; a share of samples is lost, or won, wholly."""

    def draw(rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
        a, b = (1 - rng.binomial(k, flip, n) / k for _ in range(2))
        return np.where(rng.random(n) < lost, 0.0, a), np.where(rng.random(n) < won, 0.0, b), np.arange(n)

    name = f"margin, 0/1 averaged over {k}: {lost:.2%} lost, {won:.2%} won, {flip:.2%} flip"
    return World(name, f"{n:,}", (1 - flip) * (won - lost), draw, shown=shown)


def ordinal(n: int, lost: float, noise: float, shown: bool = False) -> World:
    """Scores 1 to 5: both sides 5 or now and then 4, a share of the candidate's falls to 1."""

    def draw(rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
        a, b = (5.0 - (rng.random(n) < noise) for _ in range(2))
        return np.where(rng.random(n) < lost, 1.0, a), b, np.arange(n)

    name = f"margin, 1 to 5: {lost:.2%} at 1, {noise:.0%} noise"
    return World(name, f"{n:,}", -lost * (4 - noise), draw, ORDINAL, shown=shown)


def lost_families(kind: str, sizes: Sequence[int], lost: float, large_only: bool = False, shown: bool = False) -> World:
    """Scores of 0.9 ± 0.02 in families, of which a share (of the largest, if `large_only`) falls to 0 as a whole."""
    m = np.array(sizes)
    may = m == m.max() if large_only else np.ones(len(m), dtype=bool)
    codes = np.repeat(np.arange(len(m)), m)

    def draw(rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
        a, b = (0.9 + 0.02 * rng.uniform(-1, 1, len(codes)) for _ in range(2))
        return np.where(((rng.random(len(m)) < lost) & may)[codes], 0.0, a), b, codes

    name = f"margin, 0.9 ± 0.02: {lost:.2%} of the {'large ' if large_only else ''}families at 0"
    return World(name, kind, -0.9 * lost * float(m[may].sum()) / len(codes), draw, shown=shown)


def family_pairs(count: int, size: int, spread: float = 0.15) -> World:
    """0/1 scores of both sides in families that differ in how hard they are and in the candidate's drop."""
    codes = np.arange(count * size) // size

    def draw(rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
        hard = (0.3 + 0.55 * rng.beta(2, 1, count))[codes]
        drop = 0.05 + spread * rng.choice([-1.0, 1.0], count)[codes]
        a, b = (rng.random(len(codes)) < hard - drop), (rng.random(len(codes)) < hard)
        return a.astype(float), b.astype(float), codes

    return World("margin, 0/1: families differ, drop of 5 %", f"{count} families of {size}", -0.05, draw)


def lapsing(n: int, share: float, shown: bool = False) -> World:
    """Scores of 0.95 ± 0.01 of which a share falls to 0, against a threshold."""

    def draw(rng: np.random.Generator) -> tuple[Floats, None, Ints]:
        x = 0.95 + 0.01 * rng.uniform(-1, 1, n)
        return np.where(rng.random(n) < share, 0.0, x), None, np.arange(n)

    return World(f"`min`, 0.95 ± 0.01: {share:.2%} at 0", f"{n:,}", 0.95 * (1 - share), draw, shown=shown)


def shaped(n: int, kind: str) -> World:
    """Scores within [0, 1] with lumps at both ends, or with an exponential tail towards 0, against a threshold."""

    def draw(rng: np.random.Generator) -> tuple[Floats, None, Ints]:
        if kind == "a tail towards 0":
            return 1 - np.minimum(rng.exponential(0.05, n), 1), None, np.arange(n)
        u = rng.random(n)
        return np.where(u < 0.4, 1.0, np.where(u < 0.6, 0.0, rng.beta(3, 2, n))), None, np.arange(n)

    truth = 1 - 0.05 * (1 - np.exp(-20)) if kind == "a tail towards 0" else 0.64
    return World(f"`min`, {kind}", f"{n:,}", float(truth), draw)


def rate(n: int, truth: float, shown: bool = False) -> World:
    """0/1 scores against a threshold."""

    def draw(rng: np.random.Generator) -> tuple[Floats, None, Ints]:
        return (rng.random(n) < truth).astype(float), None, np.arange(n)

    return World(f"`min`, 0/1: rate {truth:g}", f"{n:,}", truth, draw, shown=shown)


def rate_in_families(
    kind: str, sizes: Callable[[np.random.Generator], Ints], truth: float, icc: float, shown: bool = False
) -> World:
    """0/1 scores in families with a correlation, against a threshold."""
    strength = (1 - icc) / icc

    def draw(rng: np.random.Generator) -> tuple[Floats, None, Ints]:
        m = sizes(rng)
        codes = np.repeat(np.arange(len(m)), m)
        rates = rng.beta(truth * strength, (1 - truth) * strength, len(m))[codes]
        return (rng.random(len(codes)) < rates).astype(float), None, codes

    return World(f"`min`, 0/1: rate {truth:g}, correlation {icc:g}", kind, truth, draw, shown=shown)


def open_scores(n: int, lost: float, by: float, spread: float = 0.1, promised: bool = True) -> World:
    """Scores without a declared range: normal differences, of which a share is lower by `by`."""

    def draw(rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
        return spread * rng.standard_normal(n) - by * (rng.random(n) < lost), np.zeros(n), np.arange(n)

    name = f"margin, no declared range, ± {spread:g}: {lost:.2%} lower by {by:g}"
    return World(name, f"{n:,}", -lost * by, draw, OPEN, promised=promised, shown=not promised)


def dear(n: int, share: float, times: float, shown: bool = False) -> World:
    """Prices of which a share is `times` as high as the rest, against the most that they may be on average.

    The end that the policy declares is twice the dearest price.
    """

    def draw(rng: np.random.Generator) -> tuple[Floats, None, Ints]:
        return np.where(rng.random(n) < share, times, rng.uniform(0.9, 1.1, n)), None, np.arange(n)

    scale = Scale(low=0.0, high=2 * times, better="lower")
    name = f"`max_cost`: {share:.1%} cost {times:g} times as much"
    return World(name, f"{n:,}", 1 + share * (times - 1), draw, scale, shown=shown)


def long_tail(n: int, end: float = 50.0, shown: bool = False) -> World:
    """Prices with a long tail (log-normal, σ = 1, the few above `end` cost `end`), with `end` declared."""

    def draw(rng: np.random.Generator) -> tuple[Floats, None, Ints]:
        return np.minimum(rng.lognormal(0, 1, n), end), None, np.arange(n)

    normal = NormalDist()
    mean = exp(0.5) * normal.cdf(log(end) - 1) + end * normal.cdf(-log(end))
    scale = Scale(low=0.0, high=end, better="lower")
    return World(f"`max_cost`, log-normal up to {end:g}", f"{n:,}", mean, draw, scale, shown=shown)
