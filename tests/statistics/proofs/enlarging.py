"""How often a model at its limit passes in the end when its evalset is enlarged, and gated again, until it passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from tests.statistics.proofs.at_limit import PROMISED
from tests.statistics.proofs.deceptions import World, fractions, verdicts
from workbench.gate.looking import MOST, level_of
from workbench.statistics.noninferiority import decide_difference

SIZES = range(200, 1001, 100)
"""Samples at each look, unless the gate refuses it."""
ALPHA = 0.05
TEAMS = 400
WORLDS = (
    verdicts(SIZES[-1], 0.05),
    verdicts(SIZES[-1], 0.1, 0.05),
    verdicts(SIZES[-1], 0.2, 0.15),
    fractions(SIZES[-1], 0.05),
)


@dataclass(frozen=True)
class Greens:
    """Of all teams, how many got a bad model past a gate."""

    once: int
    """With one look, at the first size."""
    in_steps: int
    """Enlarging step by step, with the looks that a gate allows."""
    at_once: int
    """Enlarging to the last size after the first look."""
    unlimited: int
    """Enlarging step by step where each look is a first one."""

    def holds(self, teams: int) -> bool:
        """Return whether steps keep the level, give or take two standard errors, and one large step 28 of 400."""
        slack = 2 * (ALPHA * (1 - ALPHA) / teams) ** 0.5
        at_once = (PROMISED + (slack if teams < TEAMS else 0.0)) * teams
        return self.in_steps <= (ALPHA + slack) * teams and self.at_once <= at_once


def enlarged(world: World, teams: int, seed: int) -> Greens:
    """Return how many of `teams` teams pass a model at its limit, each with samples of its own."""
    rng = np.random.default_rng([seed, crc32(f"enlarging/{world.name}".encode())])
    levels = [level_of(look, ALPHA) for look in range(1, MOST + 1)]
    counts = np.zeros(4, dtype=int)
    for _ in range(teams):
        a, b, _codes = world.draw(rng)
        assert b is not None, "only margins are enlarged here"
        team = _Team(a.tolist(), b.tolist(), -world.truth)
        once = team.passes(SIZES[0], ALPHA)
        ends = zip((SIZES[0], SIZES[-1]), levels, strict=True)
        counts += [
            once,
            any(team.passes(n, level) for n, level in zip(SIZES, levels, strict=False)),
            any(team.passes(n, level) for n, level in ends),
            once or any(team.passes(n, ALPHA) for n in SIZES[1:]),
        ]
    return Greens(*counts.tolist())


@dataclass(frozen=True)
class _Team:
    """One team's samples."""

    a: Sequence[float]
    b: Sequence[float]
    margin: float

    def passes(self, n: int, alpha: float) -> bool:
        """Return whether a gate over the first `n` samples passes."""
        decided = decide_difference(
            self.a[:n],
            self.b[:n],
            None,
            WORLDS[0].scale,
            margin=self.margin,
            allowed_missing=0.0,
            level=1 - 2 * alpha,
        )
        return decided.verdict == "pass"
