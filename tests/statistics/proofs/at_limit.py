"""How often a gate passes, and fails, a model that is exactly at its limit, in worlds made to deceive it.

`python -m tests.statistics.proofs.at_limit [--gates 2000]` prints the whole search for bad worlds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from tests.statistics.proofs.deceptions import (
    World,
    dear,
    family_pairs,
    fractions,
    lapsing,
    long_tail,
    lost_families,
    open_scores,
    ordinal,
    rate,
    rate_in_families,
    repeats,
    shaped,
    verdicts,
)
from tests.statistics.proofs.worlds import Floats, Ints
from workbench.statistics.means import clustered_se, degrees_of_freedom
from workbench.statistics.noninferiority import GATE_LEVEL, Decision, decide_difference, decide_mean
from workbench.statistics.student import t_ppf

PROMISED = 0.07
"""28 of 400: the level of 5 % and room for chance."""


def _up_to(count: int, most: int) -> Callable[[np.random.Generator], Ints]:
    return lambda rng: rng.integers(1, most + 1, count)


def _given(*sizes: int) -> Callable[[np.random.Generator], Ints]:
    return lambda _: np.array(sizes)


FEW_LARGE, LARGE = (50,) * 10 + (1,) * 500, (20,) * 5 + (1,) * 50
TENS, MIXED = (10,) * 10 + (1,) * 2000, (40,) * 5 + (4,) * 50 + (1,) * 500
WORLDS = (
    fractions(100, 0.011, shown=True),
    fractions(100, 0.034, spread=0.001, shown=True),
    fractions(1000, 0.0034, spread=0.001, shown=True),
    fractions(100, 0.0, 0.011, shown=True),
    fractions(100, 0.03, 0.01),
    fractions(20, 0.1),
    fractions(50, 0.05),
    fractions(50, 0.07, spread=0.001),
    fractions(100, 0.025),
    fractions(100, 0.05, 0.03, spread=0.05),
    fractions(300, 0.01),
    fractions(300, 0.0115, spread=0.001),
    fractions(300, 0.0, 0.011),
    fractions(1000, 0.005, 0.001),
    fractions(1000, 0.02, 0.01, spread=0.05),
    repeats(100, 3, 0.01, 0.02, shown=True),
    repeats(100, 5, 0.03, 0.01, shown=True),
    repeats(20, 3, 0.12, 0.05),
    repeats(50, 5, 0.06, 0.05),
    repeats(100, 1, 0.01, 0.02),
    repeats(100, 3, 0.03, 0.002),
    repeats(300, 3, 0.02, 0.1, 0.01),
    repeats(300, 5, 0.011, 0.005),
    repeats(1000, 3, 0.0033, 0.001),
    verdicts(50, 0.06, shown=True),
    verdicts(1000, 0.0032, shown=True),
    verdicts(20, 0.2, 0.1),
    verdicts(25, 0.1, 0.02),
    verdicts(50, 0.07, 0.02),
    verdicts(100, 0.03),
    verdicts(100, 0.24, 0.2),
    verdicts(300, 0.0101),
    verdicts(300, 0.011, 0.001),
    verdicts(1000, 0.05, 0.03),
    verdicts(1000, 0.004, 0.0005),
    ordinal(100, 0.03, 0.05, shown=True),
    ordinal(20, 0.12, 0.3),
    ordinal(50, 0.05, 0.1),
    ordinal(100, 0.01, 0.3),
    ordinal(300, 0.011, 0.02),
    ordinal(1000, 0.0032, 0.0),
    lost_families("92 families of 5", (5,) * 92, 0.011, shown=True),
    lost_families("10 families of 50, 500 of 1", FEW_LARGE, 0.2, large_only=True, shown=True),
    lost_families("10 families of 50, 500 of 1", FEW_LARGE, 0.3, large_only=True),
    lost_families("5 families of 20, 50 of 1", LARGE, 0.3, large_only=True),
    lost_families("5 families of 20, 50 of 1", LARGE, 0.05),
    lost_families("20 families of 5", (5,) * 20, 0.15),
    lost_families("92 families of 5", (5,) * 92, 0.036),
    lost_families("50 families of 1 to 5", tuple(range(1, 6)) * 10, 0.07),
    lost_families("200 families of 1 to 20", tuple(range(1, 21)) * 10, 0.02),
    lost_families("10 families of 10", (10,) * 10, 0.29),
    lost_families("10 families of 10, 2,000 of 1", TENS, 0.125, large_only=True, shown=True),
    lost_families("10 families of 10, 2,000 of 1", TENS, 0.25, large_only=True),
    lost_families("10 families of 10, 2,000 of 1", TENS, 0.01),
    lost_families("1 family of 100, 1,000 of 1", (100,) + (1,) * 1000, 0.7, large_only=True),
    lost_families("3 families of 30, 300 of 1", (30,) * 3 + (1,) * 300, 0.6, large_only=True),
    lost_families("5 families of 40, 50 of 4, 500 of 1", MIXED, 0.3, large_only=True),
    lost_families("5 families of 40, 50 of 4, 500 of 1", MIXED, 0.02),
    family_pairs(10, 3),
    family_pairs(100, 3),
    lapsing(100, 0.02, shown=True),
    lapsing(25, 0.1),
    lapsing(50, 0.05),
    lapsing(100, 0.03),
    lapsing(300, 0.01),
    lapsing(1000, 0.003),
    shaped(20, "lumps at 0 and 1"),
    shaped(100, "lumps at 0 and 1"),
    shaped(20, "a tail towards 0"),
    shaped(100, "a tail towards 0"),
    rate(25, 0.9, shown=True),
    rate(59, 0.95, shown=True),
    rate(20, 0.86),
    rate(100, 0.97),
    rate(1000, 0.9),
    rate_in_families("10 families of 1 to 5", _up_to(10, 5), 0.9, 0.2, shown=True),
    rate_in_families("25 families of 1 to 5", _up_to(25, 5), 0.95, 0.2, shown=True),
    rate_in_families("100 families of 1 to 5", _up_to(100, 5), 0.99, 0.2, shown=True),
    rate_in_families("10 families of 1 to 5", _up_to(10, 5), 0.99, 0.2),
    rate_in_families("25 families of 1 to 5", _up_to(25, 5), 0.9, 0.2),
    rate_in_families("100 families of 1 to 5", _up_to(100, 5), 0.9, 0.2),
    rate_in_families("100 families of 1 to 5", _up_to(100, 5), 0.95, 0.2),
    rate_in_families("100 families of 1 to 3", _up_to(100, 3), 0.97, 0.95),
    rate_in_families("10 families of 1 to 20", _up_to(10, 20), 0.8, 0.5),
    rate_in_families("1 family of 50, 50 of 1", _given(50, *(1,) * 50), 0.95, 0.7),
    rate_in_families("5 families of 20, 50 of 1", _given(*LARGE), 0.9, 0.2),
    rate_in_families("3 families of 30, 40 of 2", _given(30, 30, 30, *(2,) * 40), 0.95, 0.7),
    open_scores(20, 0.0, 0.0),
    open_scores(100, 0.1, 0.5),
    open_scores(100, 0.011, 0.9, 0.02, promised=False),
    long_tail(100, shown=True),
    long_tail(1000),
    dear(200, 0.01, 95, shown=True),
    dear(59, 0.02, 95),
    dear(1000, 0.003, 95),
    dear(1000, 0.1, 5),
)
"""The search for bad worlds; those `shown` stand in the table and run in the default tests."""


@dataclass(frozen=True)
class Shares:
    """How often gates over models at their limit came out, as shares."""

    passes: float
    fails: float
    naive: float
    """Passes of mean - t · SE, the textbook's bound."""

    def holds(self, world: World, gates: int) -> bool:
        """Return whether bad models pass as rarely as promised, give or take two standard errors below 400 gates."""
        slack = 0.0 if gates >= 400 else 2 * (0.1 / gates) ** 0.5
        return not world.promised or self.passes <= PROMISED + slack


def at_limit(world: World, gates: int, seed: int) -> Shares:
    """Return how often `gates` gates pass and fail a model at its limit, and how often the textbook's would pass it."""
    rng = np.random.default_rng([seed, crc32(f"{world.name}/{world.n}".encode())])
    passes = fails = naive = 0
    for _ in range(gates):
        a, b, codes = world.draw(rng)
        verdict = _decided(world, a, b, codes).verdict
        passes += verdict == "pass"
        fails += verdict == "fail"
        naive += _textbook(world, a if b is None else a - b, codes)
    return Shares(passes / gates, fails / gates, naive / gates)


def _decided(world: World, a: Floats, b: Floats | None, codes: Ints) -> Decision:
    groups = None if codes[-1] + 1 == len(codes) else [str(code) for code in codes.tolist()]
    if b is None:
        return decide_mean(a.tolist(), groups, world.scale, limit=world.truth, allowed_missing=0.0)
    return decide_difference(a.tolist(), b.tolist(), groups, world.scale, margin=-world.truth, allowed_missing=0.0)


def _textbook(world: World, x: Floats, codes: Ints) -> bool:
    se = clustered_se(x, codes)
    good = x.mean() - world.truth if world.scale.better == "higher" else world.truth - x.mean()
    return bool(good > t_ppf((1 + GATE_LEVEL) / 2, degrees_of_freedom(x, codes, se)) * se)


def main() -> None:
    """Print every world with its shares, the worst last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261122)
    args = parser.parse_args()
    found = [(at_limit(world, args.gates, args.seed), world) for world in WORLDS]
    for shares, world in sorted(found, key=lambda pair: pair[0].passes):
        sys.stdout.write(
            f"{world.name:72} {world.n:28} pass {shares.passes:6.1%} fail {shares.fails:6.1%} "
            f"textbook {shares.naive:6.1%}{'' if world.promised else ' (not promised)'}\n"
        )


if __name__ == "__main__":
    main()
