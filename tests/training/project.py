"""A project in a folder: a tiny random model with generation marks, stored rows, and recipes."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import WORDS, write_json, write_model
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.datasets import Conversation, Kind, PreferencePair, Side, Use
from workbench.reading.storing import Origin, store_rows
from workbench.records import Turn

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MARKED = (
    "{% for m in messages %}{{ m['role'] }} {% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] }} </s>{% endgeneration %} {% else %}{{ m['content'] }} {% endif %}{% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)
UNMARKED = MARKED.replace("{% generation %}", "").replace("{% endgeneration %}", "")
PLAIN = [word for word in WORDS if word.startswith("w")]


def write_project(folder: Path, template: str = MARKED) -> Workbench:
    """Write a project whose base is a random Llama of 64 words and 2 layers of 32."""
    base = write_model(folder / "base")
    (base / "chat_template.jinja").write_text(template)
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    write_json(base / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **special})
    file = folder / "workbench.yaml"
    file.write_text("models:\n  tiny: {kind: local, base: base}\ncandidate: tiny\n")
    return load_workbench(file, {})


def words(draw: random.Random, low: int, high: int) -> str:
    """Return some words of the tiny model."""
    return " ".join(draw.choices(PLAIN, k=draw.randint(low, high)))


def conversations(n: int, seed: int = 0, longest: int = 12, mark: str = "c") -> list[Conversation]:
    """Return chats of one or two exchanges."""
    draw = random.Random(seed)
    found = []
    for i in range(n):
        turns = [Turn(role=r, content=words(draw, 2, longest)) for r in ("user", "assistant") * draw.randint(1, 2)]
        found.append(Conversation(id=f"{mark}{i}", messages=tuple(turns)))
    return found


def pairs(n: int, seed: int = 0) -> list[PreferencePair]:
    """Return pairs of answers."""
    draw = random.Random(seed)

    def side() -> Side:
        return Side(messages=(Turn(role="assistant", content=words(draw, 2, 8)),))

    asked = [(Turn(role="user", content=words(draw, 2, 8)),) for _ in range(n)]
    return [PreferencePair(id=f"p{i}", prompt=a, chosen=side(), rejected=side()) for i, a in enumerate(asked)]


def stored(bench: Workbench, name: str, kind: Kind, use: Use, rows: list[Any]) -> str:
    """Store rows and return `name@fingerprint`."""
    made = store_rows(rows, Origin(name, kind, use), bench.home.root, NOW)
    return f"{name}@{made.manifest.fingerprint}"


def recipe(bench: Workbench, dataset: str, **more: Any) -> Path:
    """Write a recipe for the tiny model and return its file."""
    found = {"name": "tiny", "base": "base", "dataset": dataset, "method": {"kind": "sft"}, "threads": 1, "batch": 4}
    found |= {"adapter": {"kind": "lora", "rank": 4}} | more
    path = bench.file.parent / "recipe.yaml"
    path.write_text(yaml.safe_dump(found))
    return path
