"""A ladder holds every rung against the one before and the first, and sees what answers pay for a better score."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.made import made, numbered
from workbench.errors import DataError
from workbench.evaluation.arms import Finished
from workbench.evaluation.ladder import ability, climb
from workbench.statistics.multiple import holm

N = 40


def run(folder: Path, right: int, model: str, output: str = "an answer", **more: str) -> Finished:
    """Return a run that has so many samples right and always says the same."""
    return made(folder, numbered([1.0] * right + [0.0] * (N - right)), model=model, usage={"output": output, **more})


def test_every_rung_is_held_against_the_one_before_and_against_the_first(tmp_path: Path) -> None:
    rungs = [("base", run(tmp_path, 8, "base")), ("SFT", run(tmp_path, 24, "sft")), ("DPO", run(tmp_path, 32, "dpo"))]
    ladder = climb(rungs)
    steps = [(s.below, s.rung, round(s.difference("right").delta or 0, 3)) for s in (*ladder.steps, *ladder.from_first)]  # type: ignore[union-attr]
    assert steps == [("base", "SFT", 0.4), ("SFT", "DPO", 0.2), ("base", "DPO", 0.6)]
    assert ladder.against_first(1) is ladder.steps[0]
    assert ladder.against_first(2).below == "base"


def test_p_values_are_adjusted_over_all_steps_of_the_ladder(tmp_path: Path) -> None:
    rungs = [(str(at), run(tmp_path, right, str(at))) for at, right in enumerate((8, 13, 20, 22))]
    ladder = climb(rungs)
    found = [step.difference("right") for step in (*ladder.steps, *ladder.from_first)]
    raw = [m.p for m in found if m is not None and m.p is not None]
    assert len(raw) == 5
    assert [m.p_adjusted for m in found if m is not None] == pytest.approx(holm(raw))


def test_longer_answers_that_are_not_better_are_pointed_at(tmp_path: Path) -> None:
    base = ("base", run(tmp_path, 20, "base", "short"))
    longer, better = run(tmp_path, 20, "long", "short and more"), run(tmp_path, 38, "best", "short and more")
    assert climb([base, ("DPO", longer)]).steps[0].longer_without_better is False  # all equally longer: no spread
    texts = [f"short{' and more' * (i % 3 + 1)}" for i in range(N)]
    varied = [_with_outputs(finished, texts) for finished in (longer, better)]
    assert climb([base, ("DPO", varied[0])]).steps[0].longer_without_better is True
    assert climb([base, ("DPO", varied[1])]).steps[0].longer_without_better is False


def test_declining_more_often_shows(tmp_path: Path) -> None:
    base = run(tmp_path, 20, "base")
    shy = run(tmp_path, 20, "shy", "I do not know.")
    ladder = climb([("base", base), ("shy", shy)])
    assert [rung.refusals for rung in ladder.rungs] == [0.0, 1.0]
    assert ladder.steps[0].refusals.delta == 1.0


def test_an_ability_that_is_lost_is_named_and_one_that_is_kept_is_not(tmp_path: Path) -> None:
    rungs = [("base", run(tmp_path, 30, "base")), ("SFT", run(tmp_path, 29, "sft")), ("DPO", run(tmp_path, 5, "dpo"))]
    found = ability(rungs)
    assert [(k.rung, k.lost) for k in found.rungs] == [("base", False), ("SFT", False), ("DPO", True)]


def test_rungs_that_ran_on_other_samples_are_refused_by_name(tmp_path: Path) -> None:
    other = made(tmp_path, numbered([1.0] * 10), model="sft")
    with pytest.raises(DataError, match=r"rung 'SFT'.*OTHER_SAMPLES"):
        climb([("base", run(tmp_path, 8, "base")), ("SFT", other)])


def test_a_metric_that_the_evalset_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="UNKNOWN_METRIC"):
        climb([("base", run(tmp_path, 8, "base")), ("SFT", run(tmp_path, 9, "sft"))], "wrong")


def _with_outputs(finished: Finished, texts: list[str]) -> Finished:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(finished.folder.samples)
    at = table.schema.get_field_index("output")
    pq.write_table(table.set_column(at, "output", pa.array(texts)), finished.folder.samples)
    return finished
