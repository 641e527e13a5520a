"""How fast JSONL of chats is read, checked and stored, beside a loop that only parses it and `datasets`' own import."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import orjson

from benchmarks.figures import Figure, Goal
from benchmarks.process import Took, take
from benchmarks.setting import Setting

NAME = "importing"
PARSE = "import orjson, sys\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"
PEER = (
    "import sys\nfrom datasets import load_dataset\nload_dataset('json', data_files=sys.argv[1], cache_dir=sys.argv[2])"
)
NAMES = {
    "orjson": "orjson alone", "datasets": "datasets.load_dataset", "validate": "data validate", "import": "data import",
}  # fmt: skip
PROJECT = "models: {m: {kind: scripted, replies: {}}}\ncandidate: m\n"


def importing(setting: Setting) -> list[Figure]:
    """Measure `data validate` (parsing with validation) and `data import` on chats of about 1.6 KB each."""
    size = setting.sizes.import_mb * 10**6
    file = _write(setting.folder / "chats.jsonl", size)
    (setting.folder / "workbench.yaml").write_text(PROJECT)
    base = [sys.executable, "-m", "workbench", "--config", str(setting.folder / "workbench.yaml"), "data"]
    took: dict[str, list[Took]] = {"orjson": [], "datasets": [], "validate": [], "import": []}
    for number in setting.each_round():
        setting.say(f"round {number}")
        named = ["--name", f"set-{number}", "--use", "train"]
        took["orjson"].append(take([sys.executable, "-c", PARSE, str(file)], setting.log()))
        hub = [sys.executable, "-c", PEER, str(file), str(setting.folder / f"datasets-{number}")]
        took["datasets"].append(take(hub, setting.log()))
        took["validate"].append(take([*base, "validate", str(file)], setting.log()))
        took["import"].append(take([*base, "import", str(file), *named], setting.log()))
    goals = {"orjson": None, "datasets": None, "validate": Goal(">=", 100), "import": None}
    mb = f"{setting.sizes.import_mb:,} MB"
    speed = [
        Figure(NAME, f"{NAMES[what]}, {mb}", "MB/s", tuple(size / 1e6 / t.wall for t in done), goals[what])
        for what, done in took.items()
    ]
    cpu = [
        Figure(NAME, f"{NAMES[what]}, processor time", "s", tuple(t.cpu for t in done)) for what, done in took.items()
    ]
    peak = tuple(t.peak_mb for t in took["import"])
    return [*speed, *cpu, Figure(NAME, f"peak of data import, {mb}", "MB", peak, Goal("<=", 1024))]


def _write(path: Path, size: int) -> Path:
    """Write chats of made-up words until the file has this many bytes."""
    draw, written = random.Random(1), 0
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(5000)]
    texts = [" ".join(draw.choices(words, k=k)) for k in (30, 80) for _ in range(2000)]
    with path.open("wb") as file:
        while written < size:
            said = [("system", "You help."), *(p for _ in range(2) for p in _turn(draw, texts))]
            row = {"id": f"chat-{written}", "messages": [{"role": role, "content": text} for role, text in said]}
            written += file.write(orjson.dumps(row) + b"\n")
    return path


def _turn(draw: random.Random, texts: list[str]) -> list[tuple[str, str]]:
    asked = f"{draw.getrandbits(40):x} {draw.choice(texts[:2000])}?"
    return [("user", asked), ("assistant", f"{draw.choice(texts[2000:])}.\n")]
