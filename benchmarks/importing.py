"""How fast JSONL of chats is read, checked and stored, beside a loop that only parses it with orjson."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import orjson

from benchmarks.figures import Figure, Goal, ratios
from benchmarks.process import Took, take
from benchmarks.setting import Setting

NAME = "importing"
PARSE = "import orjson, sys\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"
PROJECT = "models: {m: {kind: scripted, replies: {}}}\ncandidate: m\n"


def importing(setting: Setting) -> list[Figure]:
    """Measure `data validate` and `data import` on one file of two-question chats of about 1.6 KB each."""
    size = setting.sizes.import_mb * 10**6
    file = _write(setting.folder / "chats.jsonl", size)
    (setting.folder / "workbench.yaml").write_text(PROJECT)
    base = [sys.executable, "-m", "workbench", "--config", str(setting.folder / "workbench.yaml"), "data"]
    took: dict[str, list[Took]] = {"parse": [], "validate": [], "import": []}
    for number in setting.each_round():
        setting.say(f"round {number}")
        took["parse"].append(take([sys.executable, "-c", PARSE, str(file)], setting.log()))
        took["validate"].append(take([*base, "validate", str(file)], setting.log()))
        words = ["import", str(file), "--name", f"set-{number}", "--use", "train"]
        took["import"].append(take([*base, *words], setting.log()))
    speed = {what: tuple(size / 1e6 / t.wall for t in done) for what, done in took.items()}
    cpu = {what: tuple(t.cpu for t in done) for what, done in took.items()}
    peak = tuple(t.peak_mb for t in took["import"])
    mb = f"{setting.sizes.import_mb:,} MB"
    return [
        Figure(NAME, f"orjson alone, {mb}", "MB/s", speed["parse"]),
        Figure(NAME, f"data validate, {mb}", "MB/s", speed["validate"], Goal(">=", 100)),
        Figure(NAME, f"data import, {mb}", "MB/s", speed["import"], Goal(">=", 100)),
        Figure(NAME, "processor time of data import, × orjson alone", "×", ratios(cpu["import"], cpu["parse"])),
        Figure(NAME, f"peak of data import, {mb}", "MB", peak, Goal("<=", 1024)),
    ]


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
