"""The run: everything asked is answered or failed, journalled before it counts, and counted in every number."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.evaluation.conftest import Answers, NoTools, write_samples
from workbench.calling.budget import Budget
from workbench.errors import IncompleteRun
from workbench.evaluation.engine import Halt, Progress, Work, chosen, evaluate
from workbench.evaluation.run import read_run, run
from workbench.models import Output, OutputFailure, Request
from workbench.reading.samples import store_dataset
from workbench.reading.stored import StoredDataset
from workbench.reports.run import write_reports
from workbench.runs import EvalRun, RunSpec
from workbench.scoring.base import Scorer
from workbench.scoring.text import ExactMatch, TokenF1
from workbench.store.home import RunFolder
from workbench.store.journal import Journal

CLOCKED = ["cost", "latency", "attempts", "cached"]


def work(
    rows: StoredDataset, model: Answers, scorers: tuple[Scorer, ...] = (), repeats: int = 1, limit: int | None = None
) -> Work:
    spec = RunSpec(
        evalset="numbers",
        use="dev",
        model_name="m",
        model={"kind": "scripted"},
        scorers=(),
        repeats=repeats,
        limit=limit,
        fingerprints={"rows": rows.manifest.fingerprint},
    )
    scorers = scorers or (ExactMatch(kind="exact_match"), TokenF1(kind="token_f1"))
    return Work(spec, rows, model, scorers, NoTools(), Budget(None), retry_failed=False, workers=8)


def right(n: int = 40) -> Answers:
    return Answers({f"s{i}": f"it is {i}" for i in range(n)})


async def whole(w: Work, folder: Path) -> EvalRun:
    result = await run(w, RunFolder(folder), Halt(), lambda _: None, write_reports)
    assert result is not None
    return result


def tables(folder: Path) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    read = (
        pq.read_table(folder / f"{name}.parquet").drop_columns(CLOCKED).to_pylist() for name in ("samples", "scores")
    )
    samples, scores = read
    return samples, scores


async def test_every_number_carries_n_failures_and_an_interval(rows: StoredDataset, tmp_path: Path) -> None:
    model = right()
    del model.answers["s0"], model.answers["s1"]
    model.answers["s2"] = "no idea"
    result = await whole(work(rows, model), tmp_path / "run")
    assert (result.n_attempted, result.n_output, result.n_output_failed) == (40, 38, 2)
    assert result.output_failures == {"timeout": 2}
    exact = next(m for m in result.metrics if m.scorer == "exact_match" and not m.slice)
    assert (exact.n, exact.n_failed, exact.n_not_applicable) == (34, 2, 4)
    assert exact.value == pytest.approx(33 / 34)
    assert exact.failures == {"no_output": 2, "not_applicable": 4}
    assert exact.interval is not None and exact.interval.low < 33 / 34 < exact.interval.high
    assert exact.worst_case is not None
    assert exact.worst_case.low == pytest.approx(33 / 36)
    assert exact.worst_case.high == pytest.approx(35 / 36)


async def test_slices_are_made_of_tags_and_add_up(rows: StoredDataset, tmp_path: Path) -> None:
    result = await whole(work(rows, right()), tmp_path / "run")
    parts = [m for m in result.metrics if m.scorer == "token_f1" and m.slice]
    assert [m.slice for m in parts] == ["parity=even", "parity=odd"]
    assert sum(m.n for m in parts) == 36


async def test_what_is_saved_equals_what_is_returned(rows: StoredDataset, tmp_path: Path) -> None:
    result = await whole(work(rows, right()), tmp_path / "run")
    assert read_run(RunFolder(tmp_path / "run")) == result
    assert not (tmp_path / "run" / "journal.sqlite").exists()


async def test_repeats_are_asked_each_and_averaged_within_a_sample(rows: StoredDataset, tmp_path: Path) -> None:
    model = right()
    result = await whole(work(rows, model, repeats=3), tmp_path / "run")
    assert len(set(model.asked)) == len(model.asked) == 120
    assert result.n_attempted == 120
    assert next(m for m in result.metrics if m.scorer == "token_f1").n == 36


async def test_spending_and_latency_are_summed_over_calls_that_were_made(rows: StoredDataset, tmp_path: Path) -> None:
    result = await whole(work(rows, right()), tmp_path / "run")
    assert (result.candidate.calls, result.candidate.input_tokens) == (40, 400)
    assert result.candidate.cost == pytest.approx(0.04)
    assert result.judging.calls == 0
    assert (result.latency.n, result.latency.p50) == (40, pytest.approx(0.01))


class Breaking(Answers):
    """Answers so many questions, then the budget is spent."""

    left = 15

    async def generate(self, request: Request) -> Output | OutputFailure:
        await asyncio.sleep(0)
        if self.left == 0:
            raise IncompleteRun("budget spent")
        self.left -= 1
        return await super().generate(request)


async def test_a_stopped_run_goes_on_without_asking_again_and_ends_the_same(
    rows: StoredDataset, tmp_path: Path
) -> None:
    await whole(work(rows, right()), tmp_path / "straight")
    broken = Breaking(right().answers)
    with pytest.raises(IncompleteRun, match="budget spent"):
        await run(work(rows, broken), RunFolder(tmp_path / "run"), Halt(), lambda _: None, write_reports)
    assert not (tmp_path / "run" / "summary.json").exists()
    rest = right()
    await whole(work(rows, rest), tmp_path / "run")
    assert len(broken.asked) == 15
    assert sorted(broken.asked + rest.asked) == sorted((f"s{i}", 0) for i in range(40))
    assert tables(tmp_path / "run") == tables(tmp_path / "straight")


async def test_halting_from_outside_keeps_what_is_done(rows: StoredDataset, tmp_path: Path) -> None:
    halt = Halt()

    def watch(progress: Progress) -> None:
        if progress.done >= 10:
            halt.event.set()

    assert await run(work(rows, right()), RunFolder(tmp_path / "run"), halt, watch, write_reports) is None
    async with Journal(tmp_path / "run" / "journal.sqlite") as journal:
        outputs, scores = await journal.counts()
    assert 10 <= outputs < 40
    assert 2 * 10 <= scores <= 2 * outputs  # a unit under way may have its answer without its scores


class Fragile(Scorer):
    """Breaks on one sample."""

    kind: str = "fragile"

    async def score(self, sample, output, tools):  # type: ignore[no-untyped-def]
        if sample.id == "s3":
            raise ZeroDivisionError("s3")
        return await TokenF1(kind="token_f1").score(sample, output, tools)


async def test_a_scorer_that_breaks_on_one_sample_is_a_counted_failure(rows: StoredDataset, tmp_path: Path) -> None:
    result = await whole(work(rows, right(), (Fragile(),)), tmp_path / "run")
    assert result.metrics[0].failures == {"not_applicable": 4, "scorer_error": 1}
    assert (result.metrics[0].n, result.metrics[0].n_failed) == (35, 1)


async def test_a_limit_chooses_by_hash_and_grows_without_changing(rows: StoredDataset) -> None:
    few = {row.id for group in chosen(rows, 10) for row in group}
    more = {row.id for group in chosen(rows, 20) for row in group}
    assert len(few) == 10 and few < more
    assert few != {f"s{i}" for i in range(10)}
    assert {row.id for group in chosen(rows, 999) for row in group} == {f"s{i}" for i in range(40)}


async def test_the_order_of_rows_changes_no_number(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "a.jsonl", 30)
    lines = source.read_bytes().splitlines(keepends=True)
    (tmp_path / "b.jsonl").write_bytes(b"".join(reversed(lines)))
    results = []
    for name in ("a", "b"):
        rows = store_dataset(
            tmp_path / f"{name}.jsonl", name="numbers", use="dev", split=None, home=tmp_path / "home" / name
        )
        results.append(await whole(work(rows, right()), tmp_path / f"run-{name}"))
    a, b = results
    assert a.dataset.fingerprint == b.dataset.fingerprint
    assert a.metrics == b.metrics


async def test_a_run_in_which_nothing_was_scored_has_no_mean_and_says_why(rows: StoredDataset, tmp_path: Path) -> None:
    result = await whole(work(rows, Answers({})), tmp_path / "run")
    exact = result.metrics[0]
    assert (exact.value, exact.interval, exact.undefined) == (None, None, "nothing was scored")
    assert exact.worst_case is not None
    assert (exact.worst_case.low, exact.worst_case.high) == (0.0, 1.0)
    assert "—" in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")


async def test_memory_holds_only_units_under_way(rows: StoredDataset, tmp_path: Path) -> None:
    seen = []
    async with Journal(tmp_path / "j.sqlite") as journal:
        w = work(rows, right())
        await evaluate(w, journal, Halt(), lambda p: seen.append(p.done))
    assert seen == sorted(seen) and seen[-1] == 40
