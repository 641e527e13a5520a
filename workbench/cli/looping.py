"""`workbench demo --loop`: each step is the command that it names, run on the demo with simulated annotators."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext, redirect_stdout
from datetime import UTC, datetime

import click
import orjson

from workbench.adapters.argilla_server import run as run_argilla
from workbench.cli.labelling import pull
from workbench.cli.pairing import build_and_show, lint_and_show
from workbench.cli.running import evaluated, jobs_for
from workbench.cli.show import grid
from workbench.cli.showing_lineage import show_row
from workbench.config.workbench_yaml import Workbench
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Manifest
from workbench.errors import LeakageError
from workbench.jobs import loop
from workbench.jobs.labelling import Wish, address, connected, push_tasks, queue_disagreements
from workbench.jobs.labelling_agreement import dataset_agreement
from workbench.jobs.loop import ADJUDICATOR, PEOPLE, Queue, Said, Sought
from workbench.jobs.pairs import Building, Made, Sources, build
from workbench.jobs.pairs_linting import LintWish
from workbench.labelling.tasks import Task
from workbench.reports.words import interval_text, number
from workbench.simulated.annotators import SimulatedAnnotator, Truth

ABOUT = """\
The loop, on the demo: answers of the tiny demo model → labels in the real Argilla → pairs and conversations → their
score cards. The annotators are SIMULATED: programs that know the accepted answers and err at a stated rate. No person
labelled anything here, and none of it says how well people would agree.
"""
NEXT = """
Everything lies in {folder}, a project of its own, away from yours. From there:

  cd {folder}
  workbench train plan sft.yaml            what tuning on the conversations would take
  workbench train sft sft.yaml             and on the pairs: workbench train dpo dpo.yaml
  workbench label agreement loop-reviews   the simulated annotators' agreement again
  workbench data show loop-pairs --lineage
  workbench argilla status                 the address of Argilla's page; `users list` tells who is in it
  workbench argilla down                   it runs on until then
"""


def run_loop(bench: Workbench, n: int, *, as_json: bool, quiet: bool) -> int:
    """Run the loop on `n` prompts and show each step; return the exit code."""
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        told, code = _steps(bench, n, quiet)
    if as_json and code == 0:
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    return code


def _steps(outer: Workbench, n: int, quiet: bool) -> tuple[dict[str, object], int]:
    click.echo(ABOUT)
    bench = loop.loop_project(outer, n)
    plan = loop.sampling_plan(bench, n)
    _step(f"{min(n, plan.rows.manifest.n)} prompts of the train side, {loop.ANSWERS} sampled answers each",
          f"eval run {loop.EVALSET} --use train --repeats {loop.ANSWERS}")  # fmt: skip
    folder = loop.finished(bench, plan)
    if folder is None:
        (job,) = jobs_for(bench, [plan], False, quiet)
        _, code = evaluated(bench, [job], quiet)
        if code:
            return {}, code
        folder = job.folder
    _step("Argilla's own server, in the background", "argilla up")
    home = bench.home.root / bench.config.labelling.argilla
    if code := run_argilla(["up"], home.absolute(), outer.file.absolute().parent, quiet=True):
        return {}, code
    url, _ = address(bench)
    click.echo(f"Argilla's page: {url} (user owner; its password is in {home.absolute() / 'owner.json'})")
    leak = loop.planted_leak(bench)
    labelled = loop.queues(folder, leak)
    said = _label(bench, labelled, loop.truth(bench, leak), quiet)
    for queue in labelled:
        _step(f"What was said in {queue.name}", f"label pull {queue.name} --resolve adjudicated,majority")
        pull(bench, queue.name, "adjudicated,majority", (), as_json=False, quiet=True)
    _agreement(bench, [queue.name for queue in labelled])
    return _curate(bench, [queue.name for queue in labelled], said, leak), 0


def _label(bench: Workbench, labelled: Sequence[Queue], known: Truth, quiet: bool) -> list[Said]:
    """Push, have the simulated annotators answer, and have what they differ on decided."""
    said: list[Said] = []
    for queue in labelled:
        _step(f"{len(queue.tasks)} records to be labelled by two simulated annotators",
              f"label push {queue.name} --template {queue.template} --overlap 2")  # fmt: skip
        wish = Wish(queue.name, queue.template, queue.name, overlap=2, suggestions=False)
        with closing(connected(bench)) as server:
            done = push_tasks(bench, server, queue.tasks, wish, lambda done, total: None)
            click.echo(f"{queue.name}: {done.added} added, {done.updated} updated, {done.unchanged} were there already")
        said += loop.label(bench, queue.name, PEOPLE, known)
        with closing(connected(bench)) as server:
            name, differ = queue_disagreements(bench, server, queue.name, lambda done, total: None)
        if differ != (0, 0, 0):
            click.echo(f"{name}: they differ on {sum(differ)} records, which {ADJUDICATOR.name} decides")
            said += loop.label(bench, name, [ADJUDICATOR], known)
    show_rates((*PEOPLE, ADJUDICATOR), said)
    return said


def show_rates(people: Sequence[SimulatedAnnotator], said: Sequence[Said]) -> None:
    """Print each annotator's stated error rate beside what it did."""
    rows = []
    for person in people:
        mine = [one for one in said if one.name == person.name]
        n, wrong = sum(one.n for one in mine), sum(one.n_wrong for one in mine)
        rows.append((person.name, f"{person.error:.0%}", str(n), str(wrong)))
    click.echo()
    grid(("annotator (simulated)", "stated error rate", "answered now", "wrong on purpose"), rows)


def _agreement(bench: Workbench, labels: Sequence[str]) -> None:
    """Print how far the simulated annotators agree on each question that can tell."""
    _step("How far the simulated annotators agree beyond chance", "label agreement loop-picks")
    rows = [
        (
            name,
            one.question,
            number(one.overall.value),
            interval_text(one.overall.interval),
            str(one.overall.n),
            one.meaning,
        )
        for name in labels
        for one in dataset_agreement(bench, name)
        if one.overall.value is not None and one.overall.interval is not None
    ]
    grid(("dataset", "question", "alpha", "95 % interval", "records", "what"), rows)


def _curate(bench: Workbench, labels: Sequence[str], said: Sequence[Said], leak: Task) -> dict[str, object]:
    """Build both sets, which the firewall refuses first; lint them; walk a row back; write recipes."""
    conversations = [name for name in labels if name in ("loop-edits", "loop-reviews")]
    pairs = _built(bench, "loop-pairs", "pairs", [name for name in labels if name != "loop-reviews"])
    chats = _built(bench, "loop-chats", "conversations", conversations)
    sought = _planted(bench, leak)
    for manifest in (pairs, chats):
        row = next(iter(find_dataset(bench.home.root, manifest.name).iter_values()))
        _step("Who said what: one row walked back", f"data show {manifest.name} --row {row.id} --lineage")
        show_row(bench, manifest.name, row.id, with_lineage=True, as_json=False)
    loop.write_recipe(bench, chats, {"kind": "sft"})
    loop.write_recipe(bench, pairs, {"kind": "dpo"})
    click.echo()
    grid(("set", "rows", "families", "fingerprint", "labelled by"),
         [(m.name, str(m.n), str(m.n_groups), m.fingerprint[:12], "simulated annotators")
          for m in (pairs, chats)])  # fmt: skip
    click.echo(NEXT.format(folder=bench.file.parent))
    return {
        "annotators": "simulated",
        "error_rates": {person.name: person.error for person in (*PEOPLE, ADJUDICATOR)},
        "answers": [s.__dict__ for s in said],
        "planted": [s.__dict__ for s in sought],
        "pairs": pairs.model_dump(mode="json"),
        "conversations": chats.model_dump(mode="json"),
        "folder": str(bench.file.parent),
    }


def _built(bench: Workbench, name: str, kind: Made, labels: Sequence[str]) -> Manifest:
    """Build a set: refused because of the planted leak, then without it; lint it."""
    words = " ".join(f"--labels {label}" for label in labels)
    wanted = Building(name, "train", kind, Sources(labels=tuple(labels)), PairPolicy(tuned=loop.SAMPLER))
    _step(f"{kind.capitalize()} from what was said; the gate's question that was pasted in is refused",
          f"pairs build {name} --kind {kind} {words}")  # fmt: skip
    try:
        build(bench, wanted, datetime.now(UTC))
        click.echo("Not refused: no row that was built holds the planted question.")
    except LeakageError as exc:
        click.echo(f"refused: {exc}")
    dropped = wanted.policy.model_copy(update={"leaks": "drop"})
    _step("The same without what the gate knows", f"pairs build {name} --kind {kind} {words} --drop-leaks")
    build_and_show(bench, Building(name, "train", kind, wanted.sources, dropped), as_json=False)
    _step("What is wrong with them", f"pairs lint {name}")
    lint_and_show(bench, name, LintWish(), (None, None), strict=False, as_json=False)
    return find_dataset(bench.home.root, name).manifest


def _planted(bench: Workbench, leak: Task) -> list[Sought]:
    """Plant flaws in copies of the pairs and print whether the lint sees them."""
    _step("Flaws planted in copies of the pairs", "pairs lint loop-planted-rows")
    sought = loop.lint_planted(bench, "loop-pairs", leak, datetime.now(UTC))
    rows = [(s.kind, s.dataset, str(s.planted), "MISSED" if s.seen is None else str(s.seen)) for s in sought]
    grid(("flaw", "in", "rows planted", "rows found"), rows)
    n, seen = sum(s.planted > 0 for s in sought), sum(s.planted > 0 and s.seen is not None for s in sought)
    click.echo(f"{seen} of {n} kinds found; {sum(s.planted == 0 for s in sought)} false alarms")
    return sought


def _step(what: str, command: str) -> None:
    click.echo(f"\n{click.style(what, bold=True)}\n$ workbench {shlex.join(shlex.split(command))}\n")
