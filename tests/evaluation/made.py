"""Finished runs made from scores, without asking anybody: their tables are as an evaluation writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from workbench.datasets import Manifest
from workbench.evaluation.arms import Finished, SampleScores
from workbench.evaluation.compact import sample_schema, score_schema
from workbench.evaluation.seals import seals
from workbench.evaluation.summary import sum_up
from workbench.runs import EvalRun, RunSpec, ScorerInfo
from workbench.store.home import RunFolder
from workbench.store.parquet import Table

NA = "not_applicable"
Cell = float | None | str
"""A score, `None` for one that could not be made, or `NA`."""
Scores = Mapping[str, Sequence[Cell]]
"""Scores by sample id, one a repeat."""
RIGHT = ScorerInfo(name="right", kind="exact_match", version="1", low=0.0, high=1.0, binary=True)
FRACTION = ScorerInfo(name="fraction", kind="token_f1", version="1", low=0.0, high=1.0)
WORSE = ScorerInfo(name="errors", kind="numeric", version="1", low=0.0, high=1.0, better="lower")
NUMBERS = count()


def made(
    folder: Path,
    scores: Scores,
    more: Mapping[ScorerInfo, Scores] | None = None,
    *,
    info: ScorerInfo = RIGHT,
    families: Mapping[str, str] | None = None,
    tags: Mapping[str, Mapping[str, str]] | None = None,
    usage: Mapping[str, Any] | None = None,
    model: str = "candidate",
    rows: str = "r" * 32,
    n_dataset: int | None = None,
    fingerprints: Mapping[str, str] | None = None,
    parent: str | None = None,
    asked_again: Sequence[str] = (),
) -> Finished:
    """Return a finished run whose sample ids, families and scores are the given ones."""
    by_scorer = {info.name: scores, **{i.name: s for i, s in (more or {}).items()}}
    infos = (info, *(more or {}))
    run_folder = RunFolder(folder / f"20260101-{next(NUMBERS):09d}-set-gate-{model}-0000")
    run_folder.path.mkdir(parents=True)
    repeats = max(len(cells) for cells in scores.values())
    with (
        Table(str(run_folder.samples), sample_schema()) as answers,
        Table(str(run_folder.scores), score_schema()) as judged,
    ):
        for position, name in enumerate(scores):
            for repeat in range(repeats):
                key = {
                    "position": position,
                    "sample_id": name,
                    "repeat": repeat,
                    "family": (families or {}).get(name, name),
                    "tags": [{"key": k, "value": v} for k, v in (tags or {}).get(name, {}).items()],
                }
                texts = {"messages": "[]", "question": f"question {name}", "output": f"{model} on {name}"}
                answers.add({**blank(sample_schema()), **key, **texts, "attempts": 1, "cached": False, **(usage or {})})
                for scorer in infos:
                    cell = by_scorer[scorer.name][name][repeat]
                    judged.add(
                        {**blank(score_schema()), **key, "scorer": scorer.name, "version": scorer.version, **told(cell)}
                    )
    sums = sum_up(run_folder, infos)
    prints = {"rows": rows, "model": model, **{f"scorer:{i.name}": i.version for i in infos}, **(fingerprints or {})}
    run = EvalRun(
        id=run_folder.id,
        state="finished",
        spec=RunSpec(
            evalset="set",
            use="gate",
            model_name=model,
            model={},
            scorers=tuple({"kind": "exact_match", "name": i.name} for i in infos),
            repeats=repeats,
            parent=parent,
            fingerprints=prints,
        ),
        dataset=Manifest(
            name="set", kind="samples", use="gate", fingerprint=rows, n=n_dataset or len(scores), n_groups=len(scores)
        ),
        n_attempted=sums.counts.attempted,
        n_output=sums.counts.answered,
        n_output_failed=sums.counts.attempted - sums.counts.answered,
        scorers=infos,
        metrics=sums.metrics,
        candidate=sums.candidate,
        latency=sums.latency,
        started="2026-01-01T00:00:00+00:00",
        tables=seals(run_folder),
        asked_again=tuple(asked_again),
    )
    return Finished(run, run_folder)


def told(cell: Cell) -> dict[str, Any]:
    """Return the columns of one score."""
    if isinstance(cell, float | int):
        return {"value": float(cell), "reason": f"scored {cell}"}
    return {"failure": cell or "judge_failed", "failure_message": "made so"}


def blank(schema: Any) -> dict[str, Any]:
    return (
        {**dict.fromkeys(schema.names), "references": [], "gold_contexts": []}
        if "references" in schema.names
        else dict.fromkeys(schema.names)
    )


def in_memory(scores: Scores, families: Mapping[str, str] | None = None) -> dict[str, SampleScores]:
    """Return the scores as they would be read from a run's tables."""
    return {
        name: SampleScores(
            family=(families or {}).get(name, name),
            tags={},
            values=tuple(float(c) for c in cells if isinstance(c, float | int)),
            n_failed=sum(c is None for c in cells),
            n_apart=sum(c == NA for c in cells),
        )
        for name, cells in scores.items()
    }


def numbered(values: Sequence[Cell]) -> dict[str, list[Cell]]:
    """Return scores of samples s000, s001, … of one repeat each."""
    return {f"s{i:04d}": [value] for i, value in enumerate(values)}
