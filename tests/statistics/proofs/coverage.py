"""How often each interval holds the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from tests.statistics.proofs import judges, worlds
from tests.statistics.proofs.worlds import Families, Floats, Ints, World
from workbench.runs import Interval
from workbench.statistics.bootstrap import Method, bootstrap
from workbench.statistics.intervals import jeffreys, wilson
from workbench.statistics.means import mean_interval
from workbench.statistics.paired import difference_interval
from workbench.statistics.prevalence import Calibration, corrected_rate

SIZES = (30, 100, 300, 1000)
PROMISED = (0.935, 0.965)
"""What the coverage of a 95 % interval must lie within over 2,000 draws."""
BOOTSTRAP_DRAWS = 400

Make = Callable[[Floats, Ints, int], Interval | None]
"""From scores, families and a seed to an interval."""


@dataclass(frozen=True)
class Cell:
    """One interval in one world at one size."""

    method: str
    world: str
    families: Families
    n: int
    draw: World
    make: Make
    expected: str = "within"
    """`within` the promised band; `above`: known to be wider than it must be; `below`: known to promise too much."""

    def name(self) -> str:
        return f"{self.method}/{self.world}/{self.families}/{self.n}"

    def holds(self, coverage: float, slack: float = 0.0) -> bool:
        """Return whether a measured coverage is what the cell promises, give or take `slack` for fewer draws."""
        low, high = PROMISED
        return (self.expected == "below" or coverage >= low - slack) and (
            self.expected == "above" or coverage <= high + slack
        )


def coverage(cell: Cell, draws: int, seed: int) -> float:
    """Return the share of `draws` in which the cell's interval holds the truth; undefined intervals do not."""
    rng = np.random.default_rng([seed, crc32(cell.name().encode())])
    hits = 0
    for draw in range(draws):
        codes = worlds.families(cell.families, cell.n, rng)
        values, truth = cell.draw(rng, codes)
        interval = cell.make(values, codes, draw)
        hits += interval is not None and interval.low <= truth <= interval.high
    return hits / draws


def cells() -> Iterator[Cell]:
    """Yield everything that must be shown."""
    for method, make, world, draw, kinds in _plan():
        for kind in kinds:
            for n in SIZES:
                yield Cell(method, world, kind, n, draw, make, EXCEPTIONS.get((method, world, kind, n), "within"))


ALL: tuple[Families, ...] = ("none", "threes", "uneven", "large")
CLUSTERED: tuple[Families, ...] = ("threes", "uneven", "large")
SOME: tuple[Families, ...] = ("none", "threes", "uneven")
ALONE: tuple[Families, ...] = ("none",)

EXCEPTIONS: dict[tuple[str, str, str, int], str] = {
    **{("wilson, effective n", "rare lapses", "none", n): "above" for n in (30, 100, 300)},
    **{("bonett-price", "close verdicts", kind, n): "above" for kind in ALL for n in (30, 100)},
    ("bonett-price", "close verdicts", "uneven", 300): "above",
    **{("bonett-price", "close verdicts", "large", n): "above" for n in (300, 1000)},
    **{("wilson, effective n", "fractions", "large", n): "above" for n in (30, 100, 300)},
    **{("t", "unbounded", "large", n): "above" for n in (30, 100)},
    **{("bonett-price", "averaged verdicts", kind, 30): "above" for kind in ALL},
    **{("bonett-price", "averaged verdicts", kind, 100): "above" for kind in ("none", "uneven")},
    **{("bootstrap, bca", "fractions", "uneven", n): "below" for n in (30, 100, 300)},
}
"""Where an interval is known to miss the band, as (method, world, families, n); the why is in docs/statistics.md."""


def _plan() -> Iterator[tuple[str, Make, str, World, tuple[Families, ...]]]:
    yield "wilson", _bounded, "verdicts", worlds.verdicts, ALONE
    yield "jeffreys", _jeffreys, "verdicts", worlds.verdicts, ALONE
    yield "wilson, effective n", _bounded, "verdicts", worlds.verdicts, CLUSTERED
    yield "wilson, effective n", _bounded, "fractions", worlds.fractions, ALL
    yield "wilson, effective n", _bounded, "lumps", worlds.lumps, ALONE
    yield "wilson, effective n", _bounded, "rare lapses", worlds.rare_lapses, ALONE
    yield "t", _unbounded, "unbounded", worlds.unbounded, ALL
    yield "bonett-price", _paired, "paired verdicts", worlds.paired_verdicts, ALL
    yield "bonett-price", _paired, "close verdicts", worlds.close_verdicts, ALL
    yield "bonett-price", _paired, "averaged verdicts", worlds.averaged_verdicts, ALL
    yield "bootstrap, percentile", _percentile, "fractions", worlds.fractions, SOME
    yield "bootstrap, bca", _bca, "fractions", worlds.fractions, SOME
    yield "judge corrected", _corrected, "judged", judged, ALONE
    yield "judge corrected", judges.corrected_anyhow, "judged anyhow", judges.judged_anyhow, ALONE
    yield "prediction-powered", judges.predicted, "labelled in part", judges.labelled_in_part, ALONE


def judged(rng: np.random.Generator, codes: Ints) -> tuple[Floats, float]:
    """Return passes, and a judge's hits among as many human passes and fails each, at least 50; truth 0.5 … 0.9."""
    n, m = len(codes), max(50, len(codes))
    truth, tpr, tnr = rng.uniform(0.5, 0.9), 0.92, 0.88
    rate = truth * tpr + (1 - truth) * (1 - tnr)
    return np.array([rng.binomial(n, rate), rng.binomial(m, tpr), rng.binomial(m, tnr), m], dtype=float), truth


def _bounded(values: Floats, codes: Ints, seed: int) -> Interval | None:
    return mean_interval(values.tolist(), codes.tolist(), low=0.0, high=1.0).interval


def _unbounded(values: Floats, codes: Ints, seed: int) -> Interval | None:
    return mean_interval(values.tolist(), codes.tolist()).interval


def _jeffreys(values: Floats, codes: Ints, seed: int) -> Interval:
    return jeffreys(float(values.sum()), len(values))


def _paired(values: Floats, codes: Ints, seed: int) -> Interval | None:
    return difference_interval(values, codes.tolist(), width=1.0).interval


def _percentile(values: Floats, codes: Ints, seed: int) -> Interval | None:
    return _bootstrap(values, codes, seed, "percentile")


def _bca(values: Floats, codes: Ints, seed: int) -> Interval | None:
    return _bootstrap(values, codes, seed, "bca")


def _bootstrap(values: Floats, codes: Ints, seed: int, method: Method) -> Interval | None:
    def mean(rows: Ints) -> float:
        return float(values.take(rows).sum()) / len(rows)

    return bootstrap(mean, codes.tolist(), seed=seed, draws=BOOTSTRAP_DRAWS, method=method).interval


def _corrected(values: Floats, codes: Ints, seed: int) -> Interval | None:
    passes, hits, rejections, m = (int(v) for v in values)
    judge = Calibration(human_passes=m, judged_passes=hits, human_fails=m, judged_fails=rejections)
    return corrected_rate(passes, len(codes), judge, seed=seed, draws=BOOTSTRAP_DRAWS).interval


def exact_coverage(method: str, p: float, n: int) -> float:
    """Return a proportion's interval's coverage at one true rate, summed over all outcomes: no simulation."""
    from scipy.stats import binom

    make = {"wilson": wilson, "jeffreys": jeffreys}[method]
    inside = [k for k in range(n + 1) if (i := make(k, n)).low <= p <= i.high]
    return float(binom.pmf(inside, n, p).sum())
