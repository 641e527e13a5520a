"""`workbench demo`: the whole loop on the tiny models; each step is a command, and what is finished is found again."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from datetime import UTC, datetime

import click
import orjson

from workbench.adapters.argilla_server import find_program
from workbench.cli.demonstrating_labels import labelled
from workbench.cli.demonstrating_scores import VARIED, calibrated_judge, compared_pipelines
from workbench.cli.demonstrating_tour import Ended, Tour
from workbench.cli.pairing import build_and_show, lint_and_show
from workbench.cli.progress import say
from workbench.cli.show import grid
from workbench.cli.training import watched
from workbench.config.workbench_yaml import Workbench
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Manifest, Use
from workbench.errors import LabellingError
from workbench.evaluation.arms import Finished
from workbench.evaluation.ladder import Ladder, climb
from workbench.jobs import demo
from workbench.jobs.demo import Size
from workbench.jobs.loop import EVALSET
from workbench.jobs.pairs import Building, Made, Sources
from workbench.jobs.pairs_linting import LintWish
from workbench.jobs.supervision import Stopped
from workbench.reports.words import interval_text, number, signed

ABOUT = """\
The whole loop, on the demo's own tiny models and a made-up help centre: evaluate, label, curate, train, and see whether
it is better. The annotators are SIMULATED: programs that know the accepted answers and err at a stated rate; no person
labelled anything. Both models are tiny (0.9 million parameters): draw no conclusion about real ones. Nothing leaves
this machine. Stop it whenever you like: the same command goes on, and what is finished is found again.
"""
WITHOUT = """
Argilla's own environment is not set up, so labelling is left out, and with it training, the gate and the judge's
calibration, which all rest on labels. `make setup-argilla` sets it up, once; then type the same command again.
"""
NEXT = """
Everything lies in {folder}, a project of its own, away from yours:

  cd {folder}
  workbench dashboards                 every run, label, pair and training on pages
  workbench eval ls                    all runs; `eval show RUN` one of them, down to the samples
  workbench data show {pairs} --lineage
  workbench train ls                   and: workbench train plan sft-dpo.yaml
  workbench argilla down               Argilla's server runs on until then

To begin a project of your own with real models: workbench init my-project
"""
RUNGS = {"base": "base", "sft": "SFT", "sft-dpo": "SFT + DPO"}


def run_demo(outer: Workbench, size: Size, *, as_json: bool, quiet: bool) -> int:
    """Run the demo and show each step; return the exit code."""
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        click.echo(ABOUT)
        tour = Tour(outer, size, quiet, demo.demo_project(outer, size, {}), _argilla(outer))
        try:
            _steps(tour)
        except (Ended, Stopped) as stop:
            say("Stopped. The same command goes on from here.")
            return stop.code if isinstance(stop, Ended) else stop.exit_code
        _end(tour)
    if as_json:
        click.echo(orjson.dumps(tour.told, option=orjson.OPT_INDENT_2).decode())
    return 0


def _steps(tour: Tour) -> None:
    size = tour.size
    some = f" --limit {size.first}" if size.first else ""
    tour.begin(
        "base",
        "The base model, on dev questions and on those that will be labelled",
        f"eval run {EVALSET} --model base",
        f"eval run {EVALSET} --use train --model base{some}",
    )
    on_dev = demo.asking(tour.bench, "base", "dev", size.asked)
    to_label = demo.asking(tour.bench, "base", "train", size.first)
    _, asked = tour.finished(tour.bench, on_dev, to_label)
    if not tour.labels:
        click.echo(WITHOUT)
        tour.told["left_out"] = "labelling, training, gate and judge: Argilla's environment is not set up"
        _ladder(tour, "dev", size.asked)
        _pipelines(tour)
        return
    _first_round(tour, asked)
    _second_round(tour)
    _ladder(tour, "dev", size.asked)
    if size.gate:
        _ladder(tour, "gate", None)
    _pipelines(tour)
    _judge(tour)


def _argilla(outer: Workbench) -> bool:
    """Return whether Argilla's environment is set up."""
    try:
        find_program(outer.file.absolute().parent, os.environ)
    except LabellingError:
        return False
    return True


# ---------------------------------------------------------------- label, curate, train


def _first_round(tour: Tour, asked: Finished) -> None:
    """Have the base's answers edited; tune on what they became."""
    tour.begin("round 1", "Simulated annotators edit the base's answers in Argilla; conversations come of it",
               f"label push {demo.ROUND_1} --template response_edit --overlap 2", f"label adjudicate {demo.ROUND_1}",
               f"pairs build {demo.CHATS} --kind conversations --labels {demo.ROUND_1} --drop-leaks")  # fmt: skip
    tour.told["labels"] = labelled(tour.outer, tour.bench, demo.edits(demo.ROUND_1, asked.folder, "base"), tour.quiet)
    chats = _built(tour, demo.CHATS, "conversations", demo.ROUND_1)
    _train(tour, "sft", "SFT", chats, None)


def _second_round(tour: Tour) -> None:
    """Have the tuned model's own answers edited; tune on the pairs."""
    size = tour.size
    tour.begin(
        "round 2",
        "What the tuned model itself got wrong is edited: correction over original becomes preference pairs",
        f"eval run {EVALSET} --use train --model sft-sampled",
        f"label push {demo.ROUND_2} --template response_edit --run latest --failed --overlap 2",
        f"pairs build {demo.PAIRS} --labels {demo.ROUND_2} --drop-leaks",
    )
    (sampled,) = tour.finished(tour.bench, demo.asking(tour.bench, "sft-sampled", "train", size.second))
    labelled(tour.outer, tour.bench, demo.edits(demo.ROUND_2, sampled.folder, "sft", failed=True), tour.quiet)
    pairs = _built(tour, demo.PAIRS, "pairs", demo.ROUND_2)
    _train(tour, "sft-dpo", "DPO", pairs, tour.runs["sft"].id)


def _built(tour: Tour, name: str, kind: Made, labels: str) -> Manifest:
    """Build a set of labels without what the gate knows, lint it, and return its manifest."""
    policy = PairPolicy(tuned="sft", leaks="drop")
    build_and_show(tour.bench, Building(name, "train", kind, Sources(labels=(labels,)), policy), as_json=False)
    click.echo(f"$ workbench pairs lint {name}")
    lint_and_show(tour.bench, name, LintWish(), (None, None), strict=False, as_json=False)
    manifest = find_dataset(tour.bench.home.root, name).manifest
    tour.told[name] = manifest.model_dump(mode="json")
    return manifest


def _train(tour: Tour, name: str, step: str, manifest: Manifest, start: str | None) -> None:
    """Train a recipe, and give what it made a name in the demo's workbench.yaml."""
    file = demo.recipe(tour.bench, name, manifest, tour.size, start)
    tour.begin(
        step, f"{step} on the {manifest.n} {manifest.kind}", f"train {'sft' if start is None else 'dpo'} {file.name}"
    )
    with watched(step, tour.quiet) as audience:
        run = demo.trained(tour.bench, file, audience)
    click.echo(f"{run.id}: {run.state}, {run.steps} steps in {run.seconds:.0f} s")
    tour.runs[name] = run
    tour.told[name] = run.model_dump(mode="json")
    tour.bench = demo.demo_project(tour.outer, tour.size, tour.runs)


# ---------------------------------------------------------------- see


def _ladder(tour: Tour, use: Use, limit: int | None) -> None:
    """Hold each model against the one before, on one side of the firewall."""
    models = ["base", *tour.runs]
    what = "Once, and only now: the gate side, which nothing was chosen by" if use == "gate" else "The ladder on dev"
    rungs = " ".join(f"--rung '{RUNGS[name]}={name}'" for name in models)
    tour.begin(use, what, f"eval ladder --evalset {EVALSET} --use {use} {rungs} --metric exact_match")
    found = tour.finished(tour.bench, *(demo.asking(tour.bench, name, use, limit) for name in models))
    for name, one in zip(models, found, strict=True):
        mean = next(m for m in one.run.metrics if m.scorer == "exact_match" and not m.slice)
        tour.table.append(
            (f"{use}: {RUNGS[name]}, exact match", number(mean.value), interval_text(mean.interval), str(mean.n))
        )
    if len(found) > 1:
        ladder = climb([(RUNGS[name], one) for name, one in zip(models, found, strict=True)], "exact_match")
        tour.told[f"ladder_{use}"] = ladder.model_dump(mode="json")
        tour.table += _step_rows(ladder)
    grid(HEAD, [row for row in tour.table if row[0].startswith(use)])


HEAD = ("figure", "value", "interval", "n")


def _step_rows(ladder: Ladder) -> Sequence[tuple[str, str, str, str]]:
    """Return each step's paired difference in the ladder's metric."""
    found = [(step, step.difference(ladder.metric)) for step in ladder.steps]
    return [
        (f"{ladder.use}: {step.rung} over {step.below}, paired", signed(m.delta), interval_text(m.interval), str(m.n))
        for step, m in found
        if m is not None
    ]


def _pipelines(tour: Tour) -> None:
    """Evaluate two pipelines over the documents, retrieval and generation apart."""
    tour.begin("RAG", "Questions without passages: retrieval and generation scored apart; one passage or three?",
               "rag index", f"rag sweep {demo.RAG_EVALSET} --vary {VARIED}")  # fmt: skip
    tour.told["rag"], rows = compared_pipelines(tour.bench, tour.finished, tour.size.asked, tour.quiet)
    tour.table += rows


def _judge(tour: Tour) -> None:
    """Have dev answers passed or failed by people and by the judge, and set both beside the truth."""
    tour.begin(
        "judge",
        "The local judge beside the labels: can it be trusted, and what does that make of its rate?",
        f"label push {demo.VERDICTS} --template rag_review --overlap 2",
        "judge calibrate --judge correct --test",
        "judge correct",
    )
    (judged,) = tour.finished(tour.bench, demo.asking(tour.bench, "sft", "dev", tour.size.asked, judged=True))
    labelled(tour.outer, tour.bench, demo.verdicts(judged.folder, "sft"), tour.quiet)
    tour.told["judge"], rows = calibrated_judge(tour.bench, judged)
    tour.table += rows


def _end(tour: Tour) -> None:
    tour.end()
    tour.told["seconds"] = {name: round(seconds, 1) for name, seconds in tour.seconds.items()}
    tour.told["at"] = datetime.now(UTC).isoformat(timespec="seconds")
    tour.told["folder"] = str(tour.bench.file.parent)
    click.echo(f"\n{click.style('All of it', bold=True)}; intervals are at 95 %, differences on the same questions")
    grid(HEAD, tour.table)
    click.echo(" · ".join(f"{name} {seconds:.0f} s" for name, seconds in tour.seconds.items()))
    click.echo(NEXT.format(folder=tour.bench.file.parent, pairs=demo.PAIRS))
