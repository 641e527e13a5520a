"""Runs, comparisons and decisions to report on, made by hand. Every free text in them is taken from `texts` in turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tests.evaluation.conftest import NoTools
from workbench.calling.budget import Budget
from workbench.datasets import Sample
from workbench.evaluation.comparison import Arm, Bin, Change, Comparison, MetricDifference, Refusal
from workbench.evaluation.engine import Halt, Work
from workbench.evaluation.run import run
from workbench.gate.decision import GateDecision, Reconciliation, Release, RuleRow
from workbench.gate.policy import MetricRule, Policy
from workbench.gate.records import Look, Waiver
from workbench.models import Output, OutputFailure, Request, Usage
from workbench.reading.samples import store_dataset
from workbench.reports.run import write_reports
from workbench.runs import EvalRun, Interval, Latency, RunSpec, Score, ScoreFailure, ScorerInfo, Spending
from workbench.scoring.base import Scorer, Tools
from workbench.store.home import RunFolder

CALM = (
    "Which plan includes phone support?",
    "The Team plan includes phone support on weekdays.",
    "names the right plan",
    "The answer names the plan that the passage names, and adds the hours.",
)
AT = "2026-01-02T03:04:05+00:00"


@dataclass
class Says:
    """A model that answers with the next text; each tenth question times out."""

    texts: Iterator[str]
    concurrency: int = 1

    async def generate(self, request: Request) -> Output | OutputFailure:
        usage = Usage(input_tokens=10, output_tokens=2, cost=0.001, latency=0.25, attempts=1)
        said = next(self.texts)
        if int(request.sample_id.split()[0]) % 10 == 9:
            return OutputFailure(kind="timeout", message=f"no answer: {said}", usage=usage)
        return Output(text=said, usage=usage)

    async def aclose(self) -> None:
        pass


class Opinion(Scorer):
    """A judge with free speech: name, label, reason and evidence are whatever it is given."""

    kind: str = "opinion"
    title: str
    texts: tuple[str, ...]
    top: float = 1.0

    def info(self) -> ScorerInfo:
        return ScorerInfo(name=self.title, kind="opinion", version="1", low=0.0, high=self.top, binary=False)

    async def score(self, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        at = int(sample.id.split()[0])
        text = self.texts[at % len(self.texts)]
        if at % 8 == 7:
            return ScoreFailure(kind="unparsable", message=text, text=text)
        return Score(value=self.top * ((at * 7) % 11) / 10, label=text, reason=text, evidence=text)


def new_run(texts: Sequence[str], home: Path, n: int = 30) -> tuple[EvalRun, RunFolder]:
    """Evaluate a dataset made of `texts` and return the finished run."""
    texts = [text.encode("utf-8", "replace").decode() for text in texts]  # files and endpoints speak UTF-8
    rows = [
        {
            "id": f"{i} {texts[i % len(texts)]}",
            "group": f"family {i // 2}",
            "messages": [{"role": "user", "content": texts[i % len(texts)]}],
            "references": [texts[(i + 1) % len(texts)]],
            "tags": {"kind": f"{i % 4} {texts[i % 4 % len(texts)]}"},
        }
        for i in range(n)
    ]
    home.mkdir(parents=True, exist_ok=True)
    source = home / "samples.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    stored = store_dataset(source, name="any", use="dev", split=None, home=home)
    spec = RunSpec(
        evalset=texts[0],
        use="dev",
        model_name=texts[1 % len(texts)],
        model={"kind": "scripted"},
        scorers=(),
        fingerprints={"rows": stored.manifest.fingerprint},
    )
    scorers = (
        Opinion(title=f"right {texts[2 % len(texts)]}", texts=tuple(texts)),
        Opinion(title="rubric", texts=tuple(texts), top=5.0),
    )
    work = Work(spec, stored, Says(cycle(texts)), scorers, NoTools(), Budget(None), retry_failed=False, workers=1)
    folder = RunFolder(home / "runs" / "20260102-030405678-any-dev-model-0a1b")
    with ThreadPoolExecutor(1) as thread:  # a browser under test holds this thread's event loop
        finished = thread.submit(lambda: asyncio.run(run(work, folder, Halt(), lambda _: None, write_reports))).result()
    assert finished is not None
    return finished, folder


def interval(middle: float, half: float, level: float = 0.95) -> Interval:
    return Interval(low=middle - half, high=middle + half, level=level, method="t, clustered by group")


def arm(model: str, name: str) -> Arm:
    latency = Latency(n=200, p50=0.41, p95=1.3, p99=2.2)
    spending = Spending(calls=200, input_tokens=9000, output_tokens=2100, cost=0.31)
    return Arm(
        model=model,
        runs=(f"20260102-030405678-{name}",),
        repeats=1,
        n_attempted=200,
        n_answered=198,
        fingerprints={"rows": "0" * 32},
        latency=latency,
        spending=spending,
    )


def difference(scorer: str, delta: float | None, half: float, **more: object) -> MetricDifference:
    bins = [(-1.0, -0.6, 9), (-0.6, -0.2, 14), (-0.2, 0.2, 150), (0.2, 0.6, 19), (0.6, 1.0, 8)]
    values: dict[str, object] = {
        "scorer": scorer,
        "n": 200,
        "n_groups": 90,
        "baseline": 0.71,
        "candidate": None if delta is None else 0.71 + delta,
        "delta": delta,
        "interval": None if delta is None else interval(delta, half),
        "undefined": "" if delta is not None else "nothing was scored on both sides",
        "p": None if delta is None else 0.031,
        "p_method": "t, clustered by group",
        "detectable": 0.04,
        "wins": 27,
        "losses": 23,
        "ties": 150,
        "histogram": tuple(Bin(low=low, high=high, n=n) for low, high, n in bins) if delta is not None else (),
    }
    return MetricDifference.model_validate(values | more)


def comparison(texts: Sequence[str] = CALM) -> Comparison:
    """Return a comparison with every kind of row: better, worse, unclear, undefined, refused, sliced, missing."""
    say = cycle(texts)
    right, style = f"right {next(say)}", f"style {next(say)}"
    slices = [
        difference(
            right,
            d,
            0.08,
            slice=f"topic={i} {next(say)}",
            histogram=(),
            p_adjusted=0.2,
            adjustment="benjamini-hochberg",
        )
        for i, d in enumerate((0.11, -0.02, -0.13, 0.04))
    ]
    changes = [
        Change(
            scorer=right,
            kind="regression" if i % 2 == 0 else "fix",
            sample_id=f"{i} {text}",
            family=text,
            before=1.0 - i % 2,
            after=float(i % 2),
            question=next(say),
            answer_before=next(say),
            answer_after=text,
            reason=next(say),
        )
        for i, text in enumerate(texts)
    ]
    return Comparison(
        evalset=f"helpcentre {next(say)}",
        use="gate",
        dataset="0" * 32,
        n=200,
        baseline=arm(f"base {next(say)}", "base"),
        candidate=arm(f"tuned {next(say)}", "tuned"),
        metrics=(
            difference(right, 0.061, 0.035),
            difference(style, -0.052, 0.03, n_missing_candidate=3, worst_case=interval(-0.05, 0.05)),
            difference("brevity", 0.01, 0.04, better="lower", flips_baseline=0.1, flips_candidate=0.2),
            difference("rubric", 0.31, 0.4),
            difference("empty", None, 0.0),
            *slices,
        ),
        refused=(Refusal(scorer="judged", reason=f"the judge changed: {next(say)}"),),
        n_regressions={right: 40},
        n_fixes={right: 12},
        changes=tuple(changes),
        latency_p50=0.02,
        latency_p95=-0.2,
        cost_per_answer=0.0001,
    )


def rule(name: str, kind: str, verdict: str, **more: object) -> RuleRow:
    values: dict[str, object] = {
        "rule": name,
        "kind": kind,
        "what": "candidate - baseline" if kind == "margin" else "mean",
        "metric": name,
        "limit": -0.02,
        "passes": "above",
        "n": 200,
        "n_groups": 90,
        "n_failed": 2,
        "detectable": 0.03,
        "verdict": verdict,
        "before_waiver": "fail" if verdict == "waived" else verdict,
        "reason": "the lower 0.95 bound 0.012 is above the limit -0.02",
    }
    return RuleRow.model_validate(values | more)


def release(texts: Sequence[str] = CALM, decision: str = "fail") -> Release:
    """Return a decision with a rule of every kind and verdict."""
    say = cycle(texts)
    found = comparison(texts)
    waiver = Waiver(rule="helpcentre:brevity.max", until="2026-03-01", who=next(say), at=AT, why=next(say))
    rows = (
        rule(f"helpcentre:right {next(say)}", "margin", "pass", estimate=0.06, interval=interval(0.06, 0.03, 0.9)),
        rule("helpcentre:style", "margin", decision, estimate=-0.05, interval=interval(-0.05, 0.02, 0.9)),
        rule("helpcentre:tone", "margin", "inconclusive", estimate=-0.01, interval=interval(-0.01, 0.03, 0.9)),
        rule("helpcentre:right.min", "min", "pass", estimate=0.77, interval=interval(0.77, 0.04, 0.9), limit=0.7),
        rule(
            "helpcentre:brevity.max",
            "max",
            "waived",
            estimate=0.34,
            interval=interval(0.34, 0.05, 0.9),
            limit=0.25,
            passes="below",
            waiver=waiver,
        ),
        rule("helpcentre:empty", "margin", "inconclusive", estimate=None, interval=None, n=0, reason=next(say)),
        rule(
            "helpcentre:p95_latency",
            "p95_latency",
            "pass",
            metric="",
            what="share of answers over 2 s",
            estimate=0.02,
            interval=interval(0.02, 0.015, 0.9),
            limit=0.05,
            passes="below",
        ),
    )
    counts = Reconciliation(
        arm="candidate",
        run="20260102-030405678-tuned",
        metric=next(say),
        attempted=200,
        scored=190,
        failed=5,
        shortfall=f"5 unaccounted for {next(say)}",
    )
    gate = GateDecision(
        evalset=f"helpcentre {next(say)}",
        decision=decision,
        reason=f"1 of 7 rules fails: {next(say)}",
        candidate=found.candidate,
        baseline=found.baseline,
        baseline_name=next(say),
        baseline_promoted=f"promoted by {next(say)}, {AT}: {next(say)}",
        rows=rows,
        reconciliation=(counts,),
        comparison=found,
        policy=Policy(metrics={"right": MetricRule(margin=0.02)}),
        alpha=0.05,
        look=2,
        looks=(
            Look(
                evalset="helpcentre",
                inputs={"rows": "r"},
                runs=("r",),
                tables={},
                outcome="inconclusive",
                policy="p",
                alpha=0.05,
                at=AT,
            ),
        ),
        waivers=(waiver,),
        notes=(next(say),),
        at=AT,
    )
    return Release(decision=decision, gates=(gate,), at=AT)
