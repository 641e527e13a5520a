"""Push and pull of records beside the bare SDK on the same server: what do idempotence and the snapshot cost?"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.figures import Figure, Goal
from benchmarks.process import ROOT
from benchmarks.project import text, vocabulary
from benchmarks.setting import Setting
from workbench.adapters.argilla_sdk import connect
from workbench.config.labelling_yaml import BUILT_IN, read_template
from workbench.labelling.pulling import read_moment
from workbench.labelling.pushing import push
from workbench.labelling.server import About, RemoteDataset
from workbench.labelling.snapshot import store_snapshot
from workbench.labelling.tasks import Task
from workbench.records import Message, Passage

NAME = "labelling"
PROGRAM = ROOT / ".venv-argilla" / "bin" / "argilla-embedded"


def labelling(setting: Setting) -> list[Figure]:
    """Measure push and pull of `many` records as a ratio to the SDK's `log` and iteration."""
    home, n = setting.folder / "argilla", setting.sizes.many
    walls: dict[str, list[float]] = {"push": [], "pull": []}
    busy: dict[str, list[float]] = {"push": [], "pull": []}
    tasks = _tasks(n)
    try:
        url, key = _served(home)
        clock = Clock(psutil.Process(int((home / "lock").read_text())))
        for number in setting.each_round():
            setting.say(f"round {number}")
            mine = _ours(url, key, tasks, setting.folder / str(number), clock)
            bare = _theirs(url, key, tasks, f"bare-{number}", clock)
            for what, took in mine.items():
                setting.say(f"{what}: {took.told()}; bare SDK {bare[what].told()}")
                walls[what].append(took.wall / bare[what].wall)
                busy[what].append(took.cpu / bare[what].cpu)
    finally:
        subprocess.run([PROGRAM, "down", "--home", home], capture_output=True, check=False)
    told = f"of {n:,} records by the bare SDK's"
    return [
        *(Figure(NAME, f"{what} {told} time", "×", tuple(r), Goal("<=", 1.15)) for what, r in walls.items()),
        *(Figure(NAME, f"{what} {told} processor time", "×", tuple(r)) for what, r in busy.items()),
    ]


class Took(NamedTuple):
    """Seconds that something took."""

    wall: float
    cpu: float
    """Of processors, ours and the server's: what a busy machine does not change."""

    def told(self) -> str:
        return f"{self.wall:.1f} s, {self.cpu:.1f} s of processors"


@dataclass(frozen=True)
class Clock:
    """Takes time, of the server's processes too."""

    server: psutil.Process

    def take(self, act: Callable[[], Any]) -> Took:
        """Return what `act` took."""
        wall, cpu = time.monotonic(), self._cpu()
        act()
        return Took(time.monotonic() - wall, self._cpu() - cpu)

    def _cpu(self) -> float:
        others = (process.cpu_times() for process in [self.server, *self.server.children(recursive=True)])
        return time.process_time() + sum(times.user + times.system for times in others)


def _served(home: Path) -> tuple[str, str]:
    done = subprocess.run([PROGRAM, "up", "--home", home, "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["url"], json.loads((home / "owner.json").read_bytes())["api_key"]


def _ours(url: str, key: str, tasks: list[Task], folder: Path, clock: Clock) -> dict[str, Took]:
    """Return what a push and a pull take with everything that belongs to them."""
    template = read_template(BUILT_IN / "templates" / "rag_review", BUILT_IN / "taxonomy.yaml")
    server, name = connect(url, key, "default"), f"ours-{folder.name}"
    about = About(form=template.form(1), seed=name, overlap=1)
    pushed = clock.take(lambda: push(server, name, about, tasks, {}, _quiet))
    dataset = server.dataset(name)
    assert dataset is not None
    kept: RemoteDataset = dataset
    pulled = clock.take(lambda: store_snapshot(folder, kept, read_moment(server, kept, _quiet), server.names()))
    server.close()
    return {"push": pushed, "pull": pulled}


def _theirs(url: str, key: str, tasks: list[Task], name: str, clock: Clock) -> dict[str, Took]:
    """Return what logging and listing the same texts with the SDK takes."""
    import argilla as rg

    client = rg.Argilla(api_url=url, api_key=key)
    fields = [rg.TextField(name=f) for f in ("question", "answer", "passages")]
    questions = [
        rg.LabelQuestion(name="verdict", labels=["pass", "fail"]),
        rg.TextQuestion(name="note", required=False),
    ]
    settings = rg.Settings(fields=fields, questions=questions, metadata=[rg.TermsMetadataProperty("group")])
    dataset = rg.Dataset(name=name, workspace="default", settings=settings, client=client).create()
    records = [
        rg.Record(
            id=task.id,
            fields={"question": task.messages[0].content, "answer": task.outputs[0], "passages": task.contexts[0].text},
            metadata={"group": task.group},
        )
        for task in tasks
    ]
    pushed = clock.take(lambda: dataset.records.log(records))
    return {"push": pushed, "pull": clock.take(lambda: list(dataset.records(with_responses=True)))}


def _quiet(done: int, total: int) -> None:
    """Show nothing."""


def _tasks(n: int) -> list[Task]:
    draw = random.Random(20261122)
    words = vocabulary(draw)
    return [
        Task(
            id=f"r{i:06}",
            group=f"g{i // 4:06}",
            messages=(Message(role="user", content=text(draw, words, 12)),),
            outputs=(text(draw, words, 60),),
            contexts=(Passage(id=f"p{i}", text=text(draw, words, 120)),),
            tags={"language": draw.choice(["de", "en"])},
        )
        for i in range(n)
    ]
