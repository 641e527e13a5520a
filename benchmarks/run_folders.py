"""Finished runs by the dozen, written and summed up by the workbench's own code, without anything having been asked."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.project import text, vocabulary
from benchmarks.setting import Setting, Sizes
from workbench.datasets import Manifest
from workbench.evaluation.compact import sample_schema, score_schema
from workbench.evaluation.run import Start
from workbench.evaluation.summary import sum_up
from workbench.runs import EvalRun, RunSpec, ScorerInfo
from workbench.store.home import RunFolder
from workbench.store.parquet import Table

Row = dict[str, Any]
USAGE: Row = {"input_tokens": 300, "output_tokens": 40, "cost": 0.0004, "attempts": 1, "cached": False}


@dataclass(frozen=True)
class Question:
    """What all runs were asked."""

    key: Row
    """The columns that both tables share."""
    content: Row
    """The further columns of an answer's row."""


def write_runs(setting: Setting) -> list[RunFolder]:
    """Write run folders over the same samples; about 2 KB of text a sample."""
    sizes, draw = setting.sizes, random.Random(20261122)
    words = vocabulary(draw)
    questions = [_question(draw, words, i) for i in range(sizes.samples_per_run)]
    # A reason costs as much to draw as to write, a million times: they come from a pool.
    reasons = [text(draw, words, 9) for _ in range(10_000)]
    folders = [RunFolder(setting.folder / "runs" / f"20261122-{i:09}-pumps") for i in range(sizes.runs)]
    for number, folder in enumerate(folders, 1):
        if number % 10 == 1:
            setting.say(f"writing runs {number} to {min(number + 9, sizes.runs)} of {sizes.runs}")
        folder.path.mkdir(parents=True)
        _write(folder.samples, sample_schema(), (_answer(draw, words, question) for question in questions))
        scores = (
            {**question.key, **_score(draw, reasons, scorer)}
            for question in questions
            for scorer in range(sizes.scorers)
        )
        _write(folder.scores, score_schema(), scores)
        run = _summary(folder, sizes)
        start = Start(spec=run.spec, dataset=run.dataset, started=run.started, environment={})
        folder.spec.write_bytes(start.model_dump_json(indent=2).encode())
        folder.summary.write_bytes(run.model_dump_json(indent=2).encode())
    return folders


def _summary(folder: RunFolder, sizes: Sizes) -> EvalRun:
    """Return what a finished run writes into `summary.json`, its metrics summed up from the tables."""
    infos = tuple(
        ScorerInfo(name=f"scorer-{i}", kind="made", version="1", low=0, high=1, binary=bool(i % 2))
        for i in range(sizes.scorers)
    )
    sums, n = sum_up(folder, infos), sizes.samples_per_run
    return EvalRun(
        id=folder.id,
        state="finished",
        spec=RunSpec(
            evalset="pumps",
            use="dev",
            model_name="made",
            model={},
            scorers=tuple({"kind": "exact_match", "name": info.name} for info in infos),
            fingerprints={},
        ),
        dataset=Manifest(name="pumps", kind="samples", use="dev", fingerprint="0" * 32, n=n, n_groups=n // 4),
        n_attempted=sums.counts.attempted,
        n_output=sums.counts.answered,
        n_output_failed=sums.counts.attempted - sums.counts.answered,
        scorers=infos,
        metrics=sums.metrics,
        candidate=sums.candidate,
        judging=sums.judging,
        latency=sums.latency,
        started="2026-11-22T00:00:00+00:00",
    )


def _write(path: Path, schema: Any, rows: Iterator[Row]) -> None:
    with Table(str(path), schema) as table:
        for row in rows:
            table.add(row)


def _question(draw: random.Random, words: list[str], i: int) -> Question:
    asked, passages = text(draw, words, 12), [{"id": f"p{i}-{k}", "text": text(draw, words, 60)} for k in range(2)]
    tags = {"language": draw.choice(["de", "en", "fr", "hi"]), "topic": draw.choice(words[:20])}
    key = {
        "position": i,
        "sample_id": f"s{i:06}",
        "repeat": 0,
        "family": f"g{i // 4:06}",
        "tags": [{"key": name, "value": value} for name, value in tags.items()],
    }
    content = {
        "messages": json.dumps([{"role": "user", "content": asked}]),
        "question": asked,
        "references": [text(draw, words, 12)],
        "given_contexts": json.dumps(passages),
        "gold_contexts": [f"p{i}-0"],
        "contexts": "[]",
    }
    return Question(key, content)


def _answer(draw: random.Random, words: list[str], question: Question) -> Row:
    return {
        **question.key,
        **question.content,
        "output": text(draw, words, 60),
        "failure": None,
        "failure_message": None,
        "finish_reason": "stop",
        "served_model": "model",
        **USAGE,
        "latency": draw.uniform(0.2, 2.0),
    }


def _score(draw: random.Random, reasons: list[str], scorer: int) -> Row:
    """Return a score: a verdict of one in five scorers has a reason, one in five values is a failure's or a 0."""
    failed = draw.random() < 0.01
    value = None if failed else float(draw.random() < 0.8) if scorer % 2 else draw.random()
    return {
        "scorer": f"scorer-{scorer}",
        "version": "1",
        "value": value,
        "label": None,
        "reason": draw.choice(reasons),
        "evidence": "",
        "failure": "unparsable" if failed else None,
        "failure_message": "the judge's reply is not JSON" if failed else None,
        "raw": None,
        **USAGE,
        "latency": draw.uniform(0.2, 2.0),
    }
