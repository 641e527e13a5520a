"""What the pages that build need in a home: picks and suggestions, sets with versions, samples, trainings, recipes."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.conftest import write_model
from tests.curation.pairs.made import clean_conversations, clean_pairs, with_text
from tests.dashboards.labelled_home import HOSTILE
from workbench.config.labelling_yaml import load_template
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.datasets import Conversation, Manifest, Sample
from workbench.labelling.pushing import KEPT
from workbench.labelling.server import About, Answer, RemoteDataset, RemoteRecord
from workbench.labelling.snapshot import Snapshot, store_snapshot
from workbench.labelling.tasks import Suggestion, Task
from workbench.reading.storing import Origin, store_rows
from workbench.records import Message, Turn
from workbench.training.folder import State, TrainFolder, TrainRun, TrainStart, training_of
from workbench.training.losses import LossRow, write_losses
from workbench.training.progress import Progress
from workbench.training.spec import TrainSpec

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DONE, STOPPED, BEGUN = "20261102-120000000-tone-sft", "20261102-130000000-tone-dpo", "20261102-140000000-tone-dpo"


def build(folder: Path, project: Path) -> Workbench:
    """Copy a project and add to its home what is built from, and what was built."""
    shutil.copytree(project, folder)
    write_model(folder / "base")
    with (folder / "workbench.yaml").open("a") as file:
        file.write("home: .workbench\n")
    text = (
        (folder / "workbench.yaml").read_text().replace("models:\n", "models:\n  tiny: {kind: local, base: base}\n", 1)
    )
    (folder / "workbench.yaml").write_text(text)
    bench = load_workbench(folder / "workbench.yaml")
    label(bench, "prefs")
    manifest = _sets(bench)
    _trainings(bench, manifest)
    return bench


def label(bench: Workbench, name: str, n: int = 30) -> Snapshot:
    """Store what two people, and a model, said of two answers to each of `n` questions."""
    form = load_template(bench, "preference").form(2)
    at = NOON.replace(tzinfo=None).isoformat(timespec="microseconds")
    letters = [option.value for option in form.questions[0].options][:2]  # type: ignore[union-attr]
    tasks = [_task(i) for i in range(n)]
    records = [
        RemoteRecord(
            f"s{i}", task.id, {}, {KEPT: {"record": task.model_dump(mode="json"), "order": [0, 1]}}, at,
            tuple(_answer(i, who, letters, at) for who in ("ann", "bo")),
        )
        for i, task in enumerate(tasks)
    ]  # fmt: skip
    remote = RemoteDataset("d", name, About(form=form, seed=name, overlap=2), frozenset())
    return store_snapshot(bench.home.root / "records" / name, remote, records, {"ann": "ann", "bo": "bo"})


def _task(i: int) -> Task:
    said = (f"It is the {i}th of the rooms on that floor.", f"Nobody knows room {i}. {HOSTILE[i % len(HOSTILE)]}")
    return Task(
        id=f"r{i}", messages=(Message(role="user", content=f"Where is room {i} of the guest house?"),), outputs=said,
        group=f"guest {i}", tags={"models": "old,new", "topic": HOSTILE[i % 3]},
        suggestions=(Suggestion(question="preferred", value="1", agent="judge/1", score=0.9),),
    )  # fmt: skip


def _answer(i: int, who: str, letters: list[str], at: str) -> Answer:
    """Both prefer the first, but for a tie, and a conflict, in ten."""
    word = "tie" if i % 10 == 3 else letters[1] if i % 10 == 7 and who == "bo" else letters[0]
    values = {"preferred": {"value": word}, "strength": {"value": "clearly"}}
    return Answer(f"{i}{who}", who, "submitted", values, at, at)


def _sets(bench: Workbench) -> Manifest:
    home = bench.home.root
    pairs = clean_pairs(1, 60)
    with_text(pairs, 0, "chosen", f"A fine answer, but {HOSTILE[0]} {HOSTILE[2]}")
    store_rows(pairs[:50], Origin("answers", "pairs", "train", {"by": HOSTILE[3]}), home, NOON)
    store_rows(pairs, Origin("answers", "pairs", "train", {"by": "ada"}), home, NOON + timedelta(hours=1))
    asked = [
        Sample(
            id=f"i{n}", messages=(Message(role="user", content=f"What of the imported thing {n}? {HOSTILE[n % 11]}"),),
            references=(f"It is thing {n}.",), tags={"source": HOSTILE[n % 3], "kind": "odd" if n % 2 else "even"},
        )
        for n in range(40)
    ]  # fmt: skip
    store_rows(asked, Origin("imported", "samples", "dev"), home, NOON)
    store_rows(clean_conversations(2, 40), Origin("talks", "conversations", "train"), home, NOON)
    asks = [Turn(role="user", content=f"w{n} w{n + 1}") for n in range(40)]
    said = Turn(role="assistant", content="w9")
    words = [Conversation(id=f"w{n}", messages=(ask, said)) for n, ask in enumerate(asks)]
    return store_rows(words, Origin("words", "conversations", "train"), home, NOON).manifest


def _trainings(bench: Workbench, manifest: Manifest) -> None:
    """Write a finished run, one that ended early, and one that was begun, without training anything."""
    ref = f"{manifest.name}@{manifest.fingerprint[:12]}"
    for run_id, kind in ((DONE, "sft"), (STOPPED, "dpo"), (BEGUN, "dpo")):
        spec = TrainSpec.model_validate({"name": "tone", "base": "base", "dataset": ref, "method": {"kind": kind}})
        start = TrainStart(spec=spec, dataset=manifest, base_weights="0" * 64, template="1" * 64, tokens="2" * 64,
                           steps=40, firewall={"note": HOSTILE[2]}, environment={"python": "3.11"})  # fmt: skip
        folder = TrainFolder(training_of(bench.home) / run_id)
        folder.path.mkdir(parents=True)
        folder.spec.write_bytes(start.json_bytes())
        rows = [_loss(step, kind) for step in range(1, 21)] + [_loss(step, kind, dev=True) for step in (5, 10, 15, 20)]
        write_losses(rows, folder.losses)
        folder.progress.write_bytes(Progress(step=20, steps=40, seconds=9.0, left=9.0, row=rows[19]).json_bytes())
        if run_id != BEGUN:
            early = run_id == STOPPED
            state: State = "stopped early" if early else "finished"
            run = TrainRun(id=run_id, start=start, state=state, steps=20 if early else 40,
                           why=f"the dev loss has not fallen {HOSTILE[0]}" if early else "", made="adapter",
                           weights="3" * 64, seconds=18.0, peak_bytes=9 * 10**8, last=rows[19], dev=rows[-1],
                           at=NOON)  # fmt: skip
            folder.summary.write_bytes(run.json_bytes())
    recipes = bench.file.parent / "recipes"
    recipes.mkdir()
    (recipes / "tone.yaml").write_text(f"name: tone\nbase: base\ndataset: {ref}\nmethod: {{kind: sft}}\nbatch: 4\n")
    (recipes / "broken.yaml").write_text("name: broken\ndataset: nothing\nmethod: {kind: magic}\n")


def _loss(step: int, kind: str, *, dev: bool = False) -> LossRow:
    rewards = {"reward_chosen": 0.02 * step, "reward_rejected": -0.03 * step, "margin": 0.05 * step,
               "reward_accuracy": 0.6} if kind == "dpo" else {"token_accuracy": 0.5 + step / 60}  # fmt: skip
    return LossRow(step=step, epoch=step / 40, split="dev" if dev else "train", loss=2.0 / step + (0.1 if dev else 0),
                   learning_rate=1e-4, grad_norm=1.0, tokens=step * 100, tokens_per_second=250.0, seconds=step * 0.4,
                   **rewards)  # fmt: skip
