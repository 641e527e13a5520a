"""Push and pull of records beside the bare SDK on the same server: what do idempotence and the snapshot cost?"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    ratios: dict[str, list[float]] = {"push": [], "pull": []}
    tasks = _tasks(n)
    try:
        url, key = _served(home)
        for number in setting.each_round():
            setting.say(f"round {number}")
            mine, bare = (
                _ours(url, key, tasks, setting.folder / str(number)),
                _theirs(url, key, tasks, f"bare-{number}"),
            )
            for what, seconds in mine.items():
                setting.say(f"{what}: {seconds:.1f} s, bare SDK {bare[what]:.1f} s")
                ratios[what].append(seconds / bare[what])
    finally:
        subprocess.run([PROGRAM, "down", "--home", home], capture_output=True, check=False)
    told = "of {:,} records by the bare SDK's time"
    return [Figure(NAME, f"{w} {told.format(n)}", "×", tuple(r), Goal("<=", 1.15)) for w, r in ratios.items()]


def _served(home: Path) -> tuple[str, str]:
    done = subprocess.run([PROGRAM, "up", "--home", home, "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["url"], json.loads((home / "owner.json").read_bytes())["api_key"]


def _ours(url: str, key: str, tasks: list[Task], folder: Path) -> dict[str, float]:
    """Return seconds of a push and a pull with everything that belongs to them."""
    template = read_template(BUILT_IN / "templates" / "rag_review", BUILT_IN / "taxonomy.yaml")
    server, name = connect(url, key, "default"), f"ours-{folder.name}"
    about = About(form=template.form(1), seed=name, overlap=1)
    pushed = _seconds(lambda: push(server, name, about, tasks, {}, _quiet))
    dataset = server.dataset(name)
    assert dataset is not None
    kept: RemoteDataset = dataset
    pulled = _seconds(lambda: store_snapshot(folder, kept, read_moment(server, kept, _quiet), server.names()))
    server.close()
    return {"push": pushed, "pull": pulled}


def _theirs(url: str, key: str, tasks: list[Task], name: str) -> dict[str, float]:
    """Return seconds of the same texts logged and listed with the SDK."""
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
    pushed = _seconds(lambda: dataset.records.log(records))
    return {"push": pushed, "pull": _seconds(lambda: list(dataset.records(with_responses=True)))}


def _seconds(act: Callable[[], Any]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


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
