"""The proofs of docs/statistics.md with fewer draws; `make proofs` runs them in full."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.statistics.proofs import judges, report
from tests.statistics.proofs.at_limit import WORLDS, at_limit
from tests.statistics.proofs.coverage import Cell, cells, coverage, exact_coverage
from tests.statistics.proofs.deceptions import World
from tests.statistics.proofs.enlarging import WORLDS as ENLARGED
from tests.statistics.proofs.enlarging import enlarged
from tests.statistics.proofs.gates import FAMILIES, SETTINGS, Family, Setting, missing_scores, verdicts
from tests.statistics.proofs.worlds import Floats, Ints, unbounded
from tests.statistics.proofs.worlds import verdicts as draw_verdicts
from workbench.runs import Interval
from workbench.statistics.means import mean_interval

SEED = 20261122
QUICK = [c for c in cells() if "bootstrap" not in c.method and c.n < 1000]
SLOW = [c for c in cells() if c.method == "bootstrap, percentile" and c.n == 100]


@pytest.mark.parametrize("cell", QUICK, ids=Cell.name)
def test_an_interval_holds_the_truth_as_often_as_it_promises(cell: Cell) -> None:
    share = coverage(cell, 200, SEED)
    assert cell.holds(share, slack=3 * (0.05 * 0.95 / 200) ** 0.5), f"{share:.1%} of 200"


@pytest.mark.parametrize("cell", SLOW, ids=Cell.name)
def test_a_bootstrap_holds_the_truth_as_often_as_it_promises(cell: Cell) -> None:
    share = coverage(cell, 60, SEED)
    assert cell.holds(share, slack=3 * (0.05 * 0.95 / 60) ** 0.5), f"{share:.1%} of 60"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_a_gate_is_right_as_often_as_it_promises(setting: Setting, family: Family) -> None:
    given = verdicts(setting, family, 150, SEED)
    assert family.holds(given[family.counted], 150), dict(given)


@pytest.mark.parametrize("world", [w for w in WORLDS if w.shown], ids=lambda w: f"{w.name}, {w.n}")
def test_a_model_at_its_limit_passes_as_rarely_as_promised(world: World) -> None:
    found = at_limit(world, 100, SEED)
    assert found.holds(world, 100), found


def test_the_simulation_notices_a_bound_that_sees_no_rare_lapse() -> None:
    world = next(w for w in WORLDS if w.shown and "0.9 ± 0.02" in w.name)
    found = at_limit(world, 100, SEED)
    assert not replace(found, passes=found.naive).holds(world, 100)


def test_whoever_enlarges_an_evalset_until_it_passes_gains_nothing() -> None:
    found = enlarged(ENLARGED[0], 100, SEED)
    assert found.holds(100), found
    assert found.unlimited > 2 * found.in_steps, "without the rule on looks it would pay"


def test_a_prediction_is_never_wider_than_its_labels_and_a_judge_without_knowledge_corrects_nothing() -> None:
    assert judges.wider(100, SEED) == 0
    assert judges.refused(100, SEED, 0.0) >= 95 and judges.refused(100, SEED, 0.6) == 0


def test_missing_scores_never_make_a_bad_model_pass_though_dropping_them_would() -> None:
    count = missing_scores(120, SEED)
    assert count.false_greens == 0
    assert count.naive_greens > 20


def test_the_simulation_notices_an_interval_that_ignores_families() -> None:
    def blind(values: Floats, codes: Ints, seed: int) -> Interval | None:
        return mean_interval(values.tolist()).interval

    assert coverage(Cell("blind", "unbounded", "large", 300, unbounded, blind), 200, SEED) < 0.8


def test_the_simulation_notices_an_interval_that_is_too_wide() -> None:
    def wide(values: Floats, codes: Ints, seed: int) -> Interval | None:
        return mean_interval(values.tolist(), low=0.0, high=1.0, level=0.999).interval

    cell = Cell("wide", "verdicts", "none", 300, draw_verdicts, wide)
    assert not cell.holds(coverage(cell, 200, SEED))


def test_exact_coverage_is_what_simulation_finds() -> None:
    hits = np.random.default_rng(SEED).binomial(30, 0.8, 20_000)
    inside = [
        k
        for k in range(31)
        if (i := mean_interval([1.0] * k + [0.0] * (30 - k), binary=True).interval) and i.low <= 0.8 <= i.high
    ]
    assert np.isin(hits, inside).mean() == pytest.approx(exact_coverage("wilson", 0.8, 30), abs=0.01)


def test_the_tables_replace_what_stands_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    report.write(page, "| new |")
    report.write(page, "| newer |")
    assert page.read_text(encoding="utf-8") == f"before\n{report.BEGIN}\n\n| newer |\n\n{report.END}\nafter\n"
