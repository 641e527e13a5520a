"""The demo's loop: a project of its own, answers to be labelled, simulated people who label them on the real server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench.config.evalset_yaml import Evalset, load_evalset
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Manifest, PreferencePair, Sample, Use
from workbench.errors import ConfigError, Problem
from workbench.evaluation.run import read_start
from workbench.jobs.labelling import address, connected, remote
from workbench.jobs.labelling_sources import tasks_from_run
from workbench.jobs.pairs_linting import LintWish, lint_dataset
from workbench.jobs.planning import Asked, Plan, changes, plan
from workbench.labelling.tasks import Task
from workbench.models import LocalSpec, Sampling
from workbench.reading.storing import Origin, store_rows
from workbench.records import Turn
from workbench.simulated.annotators import SimulatedAnnotator, Truth
from workbench.simulated.planted_flaws import SKEW_ROWS, plant_rows, plant_skews
from workbench.store.files import write_atomic
from workbench.store.home import RunFolder

EVALSET = "helpcentre"
PROMPTS = 60
"""Prompts of the loop, unless it is told otherwise."""
FOLDER = "loop"
"""Folder of the loop's own project in the home of the one that it was started from; of fewer prompts: `loop-20`."""
SAMPLER = "sampled"
"""The demo's base, sampled instead of decoded greedily, so that it answers differently each time."""
TEMPERATURE = 0.9
ANSWERS = 4
"""Answers to each prompt, seeds 0 to 3."""
LEAK = "planted-leak"
PEOPLE = (SimulatedAnnotator("simulated-1", 0.05), SimulatedAnnotator("simulated-2", 0.15))
ADJUDICATOR = SimulatedAnnotator("simulated-adjudicator", 0.02)
HEAD = """\
# Written by `workbench demo --loop`. Everything in this folder was labelled by SIMULATED annotators: no person said
# any of it. Remove the folder to begin anew (workbench argilla down first).
"""


@dataclass(frozen=True)
class Queue:
    """A dataset that the loop has labelled."""

    name: str
    template: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class Said:
    """What one simulated annotator did in one dataset."""

    name: str
    dataset: str
    n: int
    """Answers it submitted now; 0 where it had answered all before."""
    n_wrong: int
    """How many of them it made wrong on purpose."""


@dataclass(frozen=True)
class Sought:
    """A kind of flaw that was planted, and whether the lint saw it."""

    dataset: str
    kind: str
    planted: int
    """Rows that have it; 1 for a skew, which the set has as a whole; 0 where nobody planted it."""
    seen: int | None
    """Rows that the lint told of beyond those of the set it was planted in; `None`: it missed the kind."""


def loop_project(bench: Workbench, n: int = PROMPTS) -> Workbench:
    """Write the loop's own project: its config, and a copy of the demo's base that samples. Nothing real is touched.

    Raises `ConfigError` where the candidate is no model folder on this machine.
    """
    folder = bench.home.root.absolute() / (FOLDER if n == PROMPTS else f"{FOLDER}-{n}")
    spec = sampling_copy(bench, folder / "model", "the loop samples")
    sampled = spec.model_copy(update={"sampling": _sampling(spec)})
    judges = {judge for scorer in _evalset(bench).scorers for judge in scorer.judges()}
    models = {SAMPLER: sampled, **{judge: absolute(bench, judge) for judge in sorted(judges)}}
    config = {
        "home": "home",
        "evalsets": str(bench.evalsets.absolute()),
        "models": {key: model.model_dump(mode="json", exclude_defaults=True) for key, model in models.items()},
        "candidate": SAMPLER,
    }
    write_atomic(folder / "workbench.yaml", (HEAD + json.dumps(config, indent=2) + "\n").encode())
    return load_workbench(folder / "workbench.yaml")


def sampling_copy(bench: Workbench, base: Path, whose: str) -> LocalSpec:
    """Copy the candidate's folder to `base`, so that it may sample, and return its spec there; still greedy by itself.

    Raises `ConfigError` where the candidate is no model folder on this machine; `whose` begins the sentence.
    """
    name = bench.candidate()
    spec = bench.model(name)
    if not isinstance(spec, LocalSpec) or not bench.path(spec.base).is_dir():
        fix = "run it with the workbench.yaml that comes with the workbench"
        raise ConfigError(Problem("USAGE", f"{whose} a local model's folder", str(bench.file), None, name, None, fix))
    shutil.copytree(bench.path(spec.base), base, dirs_exist_ok=True)
    generation = base / "generation_config.json"
    told = json.loads(generation.read_bytes()) if generation.exists() else {}
    write_atomic(generation, json.dumps({**told, "do_sample": True}, indent=2).encode())
    return spec.model_copy(update={"base": str(base)})


def sampling_plan(bench: Workbench, n: int) -> Plan:
    """Return the run that answers `n` prompts of the evalset's train side, `ANSWERS` times each; no judge is asked."""
    evalset = _evalset(bench)
    plain = replace(evalset, scorers=tuple(scorer for scorer in evalset.scorers if not scorer.judges()))
    return plan(bench, Asked(EVALSET, "train", SAMPLER, n, ANSWERS), plain)


def finished(bench: Workbench, wanted: Plan) -> RunFolder | None:
    """Return the finished run of the very same spec, so that a second loop goes on with the same records."""
    for run_id in reversed(bench.home.run_ids()):
        folder = RunFolder(bench.home.runs / run_id)
        if folder.summary.exists() and not changes(read_start(folder).spec, wanted.spec):
            return folder
    return None


def queues(folder: RunFolder, leak: Task) -> list[Queue]:
    """Return what is to be labelled of a run's answers: picks, rankings, edits and reviews.

    Two different answers to a prompt are a pick, three of more a ranking; the first answers are edited and reviewed by
    turns. `leak` is put among the edits.
    """
    prompts: dict[tuple[Any, ...], list[Task]] = {}
    for task in tasks_from_run(folder, failed=False, scorer=None):
        prompts.setdefault(task.messages, []).append(task)
    picks: list[Task] = []
    rankings: list[Task] = []
    edits: list[Task] = [leak]
    reviews: list[Task] = []
    for at, tasks in enumerate(prompts.values()):
        first = tasks[0].model_copy(update={"tags": {**tasks[0].tags, "model": SAMPLER, "annotators": "simulated"}})
        answers = tuple(dict.fromkeys(task.outputs[0] for task in tasks))
        if len(answers) == 2:
            picks.append(first.model_copy(update={"outputs": answers}))
        elif len(answers) > 2:
            rankings.append(first.model_copy(update={"outputs": answers[:3]}))
        (edits if at % 2 else reviews).append(first)
    made = [("loop-picks", "preference", picks), ("loop-rankings", "preference", rankings),
            ("loop-edits", "response_edit", edits), ("loop-reviews", "rag_review", reviews)]  # fmt: skip
    return [Queue(name, template, tuple(tasks)) for name, template, tasks in made if tasks]


def planted_leak(bench: Workbench) -> Task:
    """Return a question of the gate side in capitals with a wrong answer, as if it had been pasted into the queue."""
    sample = next(s for s in samples_of(bench, "gate") if s.tags.get("answerable") == "yes")
    return Task(
        id=LEAK,
        messages=tuple(m.model_copy(update={"content": m.content.upper()}) for m in sample.messages),
        outputs=("I do not know.",),
        contexts=sample.contexts,
        reference=sample.references[0],
        origin="planted",
        group="pasted by a simulated person",
        tags={"annotators": "simulated"},
    )


def truth(bench: Workbench, leak: Task) -> Truth:
    """Return what the simulated annotators know: the accepted answers of the train side, and of the planted leak."""
    known = {sample.question(): sample.references for sample in samples_of(bench, "train")}
    return {**known, leak.messages[-1].content: (str(leak.reference),)}


def label(bench: Workbench, dataset: str, people: Sequence[SimulatedAnnotator], known: Truth) -> list[Said]:
    """Have simulated annotators answer, each as a user of its own over the server's interface, all that waits."""
    url, _ = address(bench)
    with closing(connected(bench)) as owner:
        keys = {person.name: owner.annotator_key(person.name) for person in people}
    return [_answered(url, keys[person.name], bench, dataset, person, known) for person in people]


def lint_planted(bench: Workbench, pairs: str, leak: Task, now: datetime) -> list[Sought]:
    """Store copies of a set with flaws planted in them, under other names, lint them, and return what was seen.

    Skews are planted where there are pairs enough to tell them. A flaw that was seen and not planted, nor there before,
    is returned too, with `planted` 0: a false alarm.
    """
    stored = find_dataset(bench.home.root, pairs)
    rows = [row for row in stored.iter_values() if isinstance(row, PreferencePair)]
    before = {f.kind: f.n for f in lint_dataset(bench, pairs, LintWish()).findings}
    asked = [Turn(role=m.role, content=m.content) for m in leak.messages]
    found: list[Sought] = []
    sets = {"rows": plant_rows(rows, asked), **({"skews": plant_skews(rows)} if len(rows) >= SKEW_ROWS else {})}
    for part, (made, planted) in sets.items():
        name = f"loop-planted-{part}"
        rule = {"made by": "planted flaws, to see whether pairs lint finds them; nothing to learn from"}
        store_rows(made, Origin(name, "pairs", "train", rule=rule), bench.home.root, now)
        card = lint_dataset(bench, name, LintWish())
        seen = {f.kind: n for f in card.findings if (n := f.n - before.get(f.kind, 0)) > 0}
        found += [Sought(name, kind, max(1, len(ids)), seen.get(kind)) for kind, ids in planted.items()]
        found += [Sought(name, kind, 0, n) for kind, n in seen.items() if kind not in {*planted, *before}]
    return found


def write_recipe(bench: Workbench, manifest: Manifest, method: Mapping[str, Any]) -> Path:
    """Write a training recipe for a set beside the loop's workbench.yaml."""
    kind = method["kind"]
    recipe = {
        "name": f"loop-{kind}",
        "base": "model",
        "dataset": f"{manifest.name}@{manifest.fingerprint[:12]}",
        "method": dict(method),
    }
    file = bench.file.parent / f"{kind}.yaml"
    write_atomic(file, (HEAD + json.dumps(recipe, indent=2) + "\n").encode())
    return file


def absolute(bench: Workbench, name: str) -> Any:
    """Return a model's spec that holds from any folder."""
    spec = bench.model(name)
    if isinstance(spec, LocalSpec) and bench.path(spec.base).is_dir():
        return spec.model_copy(update={"base": str(bench.path(spec.base).absolute())})
    return spec


def _answered(url: str, key: str, bench: Workbench, dataset: str, person: SimulatedAnnotator, known: Truth) -> Said:
    from workbench.adapters.argilla_sdk import connect

    n = wrong = 0
    with closing(connect(url, key, bench.config.labelling.workspace)) as server:
        there = remote(server, dataset)
        while waiting := server.waiting(there):
            form = there.about.form
            server.submit({r.server_id: person.answer(r.id, form, r.fields, known) for r in waiting})
            n += len(waiting)
            wrong += sum(person.errs(r.id) for r in waiting)
    return Said(person.name, dataset, n, wrong)


def _evalset(bench: Workbench) -> Evalset:
    return load_evalset(bench.evalsets / EVALSET)


def samples_of(bench: Workbench, use: Use) -> list[Sample]:
    rows = _evalset(bench).rows(use, bench.home)
    return [sample for batch in rows.iter_samples() for _, sample in batch]


def _sampling(spec: LocalSpec) -> Sampling:
    return spec.sampling.model_copy(update={"temperature": TEMPERATURE})
