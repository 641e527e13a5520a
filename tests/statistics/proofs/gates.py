"""How often a gate is right: families of gates over models whose true difference is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from tests.statistics.proofs.worlds import Floats, Ints
from workbench.statistics.means import mean_interval
from workbench.statistics.noninferiority import Decision, Scale, Verdict, decide, decide_difference, decide_mean
from workbench.statistics.power import Plan, samples_needed

MARGIN = 0.05
DELTA = 0.05
"""The drop below the margin that the planned number of samples should show in 80 % of gates."""
GATES = 400
MISSING_TRIALS = 300
RATE = Scale(low=0.0, high=1.0)


@dataclass(frozen=True)
class Setting:
    """How the simulated samples come about."""

    name: str
    family_size: int
    spread: float
    """Standard deviation over families of the true drop."""
    binary: bool = True


SETTINGS = (
    Setting("0/1, independent", 1, 0.0),
    Setting("0/1, families of 5", 5, 0.15),
    Setting("fractions, families of 5", 5, 0.15, binary=False),
)


@dataclass(frozen=True)
class Family:
    """One family of gates: the true drop, the verdict to count, and what was promised of 400."""

    name: str
    drop: float
    counted: Verdict
    at_most: int | None = None
    at_least: int | None = None

    def holds(self, count: int, gates: int) -> bool:
        """Return whether the count is as promised; fewer gates than 400 get the same share and two standard errors."""
        scale = gates / GATES
        slack = 0.0 if gates == GATES else 2 * (gates * 0.1) ** 0.5
        high = gates if self.at_most is None else self.at_most * scale + slack
        low = 0 if self.at_least is None else self.at_least * scale - slack
        return low <= count <= high


FAMILIES = (
    Family("A against A", 0.0, "fail", at_most=28),
    Family("true drop = margin", MARGIN, "pass", at_most=28),
    Family("true drop = margin + delta", MARGIN + DELTA, "fail", at_least=307),
)


def planned(setting: Setting) -> int:
    """Return the samples at which a one-sided test at 5 % shows `DELTA` in 80 % of gates, by the power formula."""
    hard = _difficulty(np.random.default_rng(0), np.arange(200_000))
    noise = [float((rate * (1 - rate)).mean()) for rate in (hard - MARGIN - DELTA, hard)]
    if not setting.binary:
        noise = [v / (STRENGTH + 1) for v in noise]
    between = setting.spread**2
    total = between + sum(noise)
    plan = Plan(
        between=between,
        within_a=noise[0],
        within_b=noise[1],
        family_size=setting.family_size,
        icc=between / total,
        sides=1,
    )
    return samples_needed(DELTA, plan)


def verdicts(setting: Setting, family: Family, gates: int, seed: int) -> Counter[str]:
    """Return how often each verdict was given in `gates` gates at the planned number of samples."""
    rng = np.random.default_rng([seed, crc32(f"{setting.name}/{family.name}".encode())])
    n = planned(setting)
    return Counter(_gate(rng, setting, family.drop, n).verdict for _ in range(gates))


STRENGTH = 5.0
"""How tightly a fractional score keeps to its sample's rate."""


def _gate(rng: np.random.Generator, setting: Setting, drop: float, n: int) -> Decision:
    codes = np.arange(n) // setting.family_size
    hard = _difficulty(rng, codes)
    # Two-point, so that no rate leaves [0, 1] and the mean drop is exactly the stated one.
    drops = drop + setting.spread * rng.choice([-1.0, 1.0], codes.max() + 1)[codes]
    a, b = _scores(rng, hard - drops, setting), _scores(rng, hard, setting)
    return decide_difference(a.tolist(), b.tolist(), _names(codes), RATE, margin=MARGIN, allowed_missing=0.02)


def _difficulty(rng: np.random.Generator, codes: Ints) -> Floats:
    """Return each sample's chance of a good answer: families differ; 0.3 … 0.85, so that drops stay within [0, 1]."""
    families: Floats = rng.beta(2, 1, codes.max() + 1)
    return 0.3 + 0.55 * families[codes]


def _names(codes: Ints) -> list[str]:
    return [str(code) for code in codes.tolist()]


def _scores(rng: np.random.Generator, rate: Floats, setting: Setting) -> Floats:
    if setting.binary:
        return (rng.random(len(rate)) < rate).astype(float)
    return rng.beta(STRENGTH * rate, STRENGTH * (1 - rate))


@dataclass(frozen=True)
class MissingCount:
    """What came of gates over models that are too bad, with scores missing."""

    trials: int
    false_greens: int
    naive_greens: int
    """Passes of a gate that drops missing scores and looks at the rest."""


def missing_scores(trials: int, seed: int) -> MissingCount:
    """Return the verdicts on models 10 points below what is allowed while 0 … 100 % of their scores are missing.

    Scores go missing at random in one half of the trials and worst first in the other; in half of each an absolute
    threshold decides, else a baseline. The policy allows 2 %, 20 % or all of them to be missing.
    """
    rng = np.random.default_rng([seed, crc32(b"missing")])
    greens = naive = 0
    for trial in range(trials):
        share = (trial // 4) / max(1, trials // 4 - 1)
        decision, careless = _missing_gate(rng, share, trial % 2 == 0, trial % 4 < 2, (0.02, 0.2, 1.0)[trial % 3])
        greens += decision.verdict == "pass"
        naive += careless.verdict == "pass"
    return MissingCount(trials, greens, naive)


def _missing_gate(
    rng: np.random.Generator, share: float, at_random: bool, threshold: bool, allowed: float
) -> tuple[Decision, Decision]:
    n = 400
    codes = np.arange(n) // 2
    hard = _difficulty(rng, codes)
    a, b = (rng.random(n) < hard - 0.15).astype(float), (rng.random(n) < hard).astype(float)
    order = rng.permutation(n) if at_random else np.lexsort((rng.random(n), a))
    gone = set(order[: round(share * n)].tolist())
    seen = [None if i in gone else v for i, v in enumerate(a.tolist())]
    rest = [i for i in range(n) if i not in gone]
    if threshold:
        limit = 0.3 + 0.55 * 2 / 3 - 0.05
        mean = mean_interval(a[rest].tolist(), _names(codes[rest]), low=0.0, high=1.0, level=0.9)
        return decide_mean(seen, _names(codes), RATE, limit=limit, allowed_missing=allowed), decide(mean, limit)
    careless = decide_difference(
        a[rest].tolist(), b[rest].tolist(), _names(codes[rest]), RATE, margin=MARGIN, allowed_missing=0.0
    )
    kept = decide_difference(seen, b.tolist(), _names(codes), RATE, margin=MARGIN, allowed_missing=allowed)
    return kept, careless
