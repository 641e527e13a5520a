"""Verdicts are kept, and found again only where nothing differs that could change them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.conftest import Answers, NoTools, write_samples
from tests.evaluation.test_engine import right, tables, whole, work
from workbench.evaluation.engine import Work
from workbench.models import Output, OutputFailure, Request, Usage
from workbench.reading.samples import store_dataset
from workbench.reading.stored import StoredDataset
from workbench.records import Passage
from workbench.scoring.judge import RubricJudge
from workbench.scoring.rubrics import parse_rubric
from workbench.store.cache import Verdicts, verdict_key

RUBRIC = '---\nname: grounded\nversion: "1"\nscale: binary\n---\nPass when it is right.\n'
PASS = '{"evidence": "it is", "reason": "so it is", "verdict": "pass"}'


@dataclass
class Judge(NoTools):
    """A judge that always says the same; remembers nothing by itself, and counts."""

    says: str = PASS
    asked: int = 0

    def kept(self, judge: str, requests: Sequence[Request]) -> Sequence[bytes | None]:
        return [None] * len(requests)

    async def ask(self, judge: str, request: Request) -> Output | OutputFailure:
        self.asked += 1
        usage = Usage(input_tokens=9, output_tokens=3, cost=0.5, charged=0.5, latency=1.0, attempts=1)
        return Output(text=self.says, model="judge", usage=usage)


def judged(
    rows: StoredDataset,
    judge: Judge,
    verdicts: Verdicts,
    model: Answers | None = None,
    cache: bool = True,
    **prints: str,
) -> Work:
    scorer = RubricJudge(kind="rubric_judge", rubric="r.md", judge="j", content=parse_rubric(RUBRIC, "r.md"))
    plain = work(rows, model or right(), (scorer.model_copy(update={"name": "grounded"}),))
    found = {"scorer:grounded": "s1", "judge:j": "j1", **prints}
    spec = plain.spec.model_copy(
        update={"judges": {"j": {"cache": cache}}, "fingerprints": {**plain.spec.fingerprints, **found}}
    )
    return replace(plain, spec=spec, tools=judge, verdicts=verdicts)


async def test_the_second_run_asks_no_judge_costs_nothing_and_scores_the_same(
    rows: StoredDataset, tmp_path: Path
) -> None:
    judge, verdicts = Judge(), Verdicts(tmp_path / "verdicts.sqlite")
    first = await whole(judged(rows, judge, verdicts), tmp_path / "first")
    again = await whole(judged(rows, judge, verdicts), tmp_path / "again")
    assert judge.asked == 40
    assert tables(tmp_path / "again") == tables(tmp_path / "first")
    assert again.metrics == first.metrics
    assert (first.judging.calls, first.judging.cost) == (40, pytest.approx(20.0))
    assert (again.judging.calls, again.judging.cached, again.judging.cost) == (0, 40, 0.0)
    verdicts.close()


@pytest.mark.parametrize("prints", [{"scorer:grounded": "s2"}, {"judge:j": "j2"}], ids=["scorer", "judge"])
async def test_another_scorer_or_judge_is_asked_anew(
    rows: StoredDataset, tmp_path: Path, prints: dict[str, str]
) -> None:
    judge, verdicts = Judge(), Verdicts(tmp_path / "verdicts.sqlite")
    await whole(judged(rows, judge, verdicts), tmp_path / "first")
    await whole(judged(rows, judge, verdicts, **prints), tmp_path / "again")
    assert judge.asked == 80
    verdicts.close()


async def test_only_what_changed_is_asked_anew(rows: StoredDataset, tmp_path: Path) -> None:
    judge, verdicts = Judge(), Verdicts(tmp_path / "verdicts.sqlite")
    await whole(judged(rows, judge, verdicts), tmp_path / "first")
    answers = right()
    answers.answers["s7"] = "it is eight"
    await whole(judged(rows, judge, verdicts, answers), tmp_path / "again")
    assert judge.asked == 41
    other = store_dataset(
        write_samples(tmp_path / "more.jsonl", 41), name="more", use="dev", split=None, home=tmp_path / "h"
    )
    await whole(judged(other, judge, verdicts, right(41)), tmp_path / "other")
    assert judge.asked == 41 + 21, "one sample more, and 20 whose family is another"
    verdicts.close()


async def test_a_judge_whose_answers_are_not_to_be_kept_is_asked_each_time(rows: StoredDataset, tmp_path: Path) -> None:
    judge, verdicts = Judge(), Verdicts(tmp_path / "verdicts.sqlite")
    for name in ("first", "again"):
        await whole(judged(rows, judge, verdicts, cache=False), tmp_path / name)
    assert judge.asked == 80
    verdicts.close()


async def test_a_verdict_that_failed_is_not_kept(rows: StoredDataset, tmp_path: Path) -> None:
    judge, verdicts = Judge(says="no JSON"), Verdicts(tmp_path / "verdicts.sqlite")
    await whole(judged(rows, judge, verdicts), tmp_path / "first")
    judge.says = PASS
    again = await whole(judged(rows, judge, verdicts), tmp_path / "again")
    assert (judge.asked, again.metrics[0].n_failed) == (80, 0)
    verdicts.close()


def said(**changes: Any) -> bytes:
    return (
        Output(text="it is", model="m", usage=Usage(latency=1.0)).model_copy(update=changes).model_dump_json().encode()
    )


def test_a_key_holds_rule_sample_and_answer_but_not_what_the_answer_took() -> None:
    key = verdict_key("rule", '{"id":"a"}', said())
    assert key == verdict_key("rule", '{"id":"a"}', said(usage=Usage(latency=2.0, cached=True)))
    others = [
        verdict_key("other", '{"id":"a"}', said()),
        verdict_key("rule", '{"id":"b"}', said()),
        verdict_key("rule", '{"id":"a"}', said(text="it was")),
        verdict_key("rule", '{"id":"a"}', said(text='it is","usage":1')),
        verdict_key("rule", '{"id":"a"}', said(contexts=(Passage(id="p", text="x"),))),
    ]
    assert len({key, *others}) == 6
