"""What the demo shows of pipelines and of the judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import click

from workbench.cli.judging import show_calibration
from workbench.cli.retrieving import embedding
from workbench.cli.running import plans_for
from workbench.cli.show import grid
from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError
from workbench.evaluation.arms import Finished
from workbench.evaluation.compare import compare_all
from workbench.evaluation.labels import label_counts
from workbench.jobs.calibrating import Asked as Calibration
from workbench.jobs.calibrating import calibrate_judge
from workbench.jobs.correcting import corrections
from workbench.jobs.demo import RAG_EVALSET
from workbench.jobs.planning import Asked
from workbench.jobs.rag import build_index
from workbench.jobs.rag_variants import pipeline_named, variants
from workbench.reports.words import interval_text, number, signed

Rows = list[tuple[str, str, str, str]]
VARIED = "top_k=1,3"
"""Passages that a question is answered from: with one, retrieval is hard and reading easy."""
JUDGED = "correct"


def compared_pipelines(
    bench: Workbench, finished: Callable[..., list[Finished]], limit: int | None, quiet: bool
) -> tuple[dict[str, object], Rows]:
    """Evaluate two pipelines, compare them and count the causes of failure; return all that and rows for the table."""
    name, spec = pipeline_named(bench, None)
    for index in spec.index:
        with embedding(index, quiet) as watch:
            build_index(bench, index, watch)
    models = variants(name, spec, [VARIED])
    varied = replace(bench, config=bench.config.model_copy(update={"models": {**bench.config.models, **models}}))
    plans = [p for model in models for p in plans_for(varied, [RAG_EVALSET], Asked("", "dev", model, limit))]
    found = finished(varied, *plans)
    (against,) = compare_all(found, 0).against
    rows: Rows = [
        (f"RAG: {m.scorer}, three passages over one, paired", f"{number(m.baseline)} → {number(m.candidate)}",
         f"{signed(m.delta)} {interval_text(m.interval)}", str(m.n))
        for m in against.metrics if not m.slice
    ]  # fmt: skip
    causes = {one.run.spec.model_name: _causes(one) for one in found}
    grid(("figure", "value", "interval", "n"), rows)
    grid(("cause", *causes), [(word, *(str(of.get(word, 0)) for of in causes.values())) for word in _words(causes)])
    return {"comparison": against.model_dump(mode="json"), "causes": causes}, rows


def _causes(one: Finished) -> dict[str, int]:
    return {c.label: c.k for c in label_counts(one.run, one.folder) if c.scorer == "rag_cause"}


def _words(causes: dict[str, dict[str, int]]) -> list[str]:
    return sorted({word for of in causes.values() for word in of})


def calibrated_judge(bench: Workbench, judged: Finished) -> tuple[dict[str, object], Rows]:
    """Measure the judge on the labels of a run's answers, and correct its rate; the truth stands beside it."""
    try:
        found = calibrate_judge(bench, [judged.run.id], Calibration(JUDGED, open_test=True))
    except DataError as exc:  # a fast demo has too few labels
        click.echo(f"not calibrated: {exc}")
        return {"not_calibrated": str(exc)}, []
    show_calibration(found)
    assert found.test is not None
    truth = next(m for m in judged.run.metrics if m.scorer == "exact_match" and not m.slice)
    rows: Rows = [
        (f"judge: {what} on the simulated labels", number(share.value), interval_text(share.interval), str(share.n))
        for what, share in (("TPR", found.test.tpr), ("TNR", found.test.tnr))
    ]
    told: dict[str, object] = {"calibration": found.model_dump(mode="json"), "truth": truth.value}
    correction = next((c for c in corrections(bench, judged.run, judged.folder) if c.metric == JUDGED), None)
    if correction is not None:
        click.echo(f"{JUDGED}: {correction.sentence()}; the truth, which the demo knows, is {number(truth.value)}")
        told["correction"] = correction.model_dump(mode="json")
    if correction is not None and (done := correction.corrected) is not None:
        rows += [
            ("judge: pass rate as it says", number(done.raw), interval_text(done.raw_interval), str(done.n)),
            ("judge: corrected", number(done.estimate.value), interval_text(done.estimate.interval), str(done.n)),
            ("judge: the truth, exact match with the accepted answers", number(truth.value), "", str(truth.n)),
        ]
    return told, rows
