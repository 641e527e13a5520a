"""A project over recorded outputs of several models, and its gate, through the command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

from workbench.datasets import Sample

Answers = Mapping[str, Sequence[str | None]]
"""Recorded answers by sample id, one a repeat; `None` for one that was not given."""


def project(folder: Path, samples: Sequence[Sample], models: Mapping[str, Answers], evalset: Mapping[str, Any]) -> None:
    """Write an evalset named `real` and one recorded model for each set of answers."""
    where = folder / "evalsets" / "real"
    where.mkdir(parents=True)
    (where / "samples.jsonl").write_bytes(b"".join(sample.json_bytes() + b"\n" for sample in samples))
    (where / "evalset.yaml").write_text(yaml.safe_dump({"name": "real", "version": "1", "use": "gate", **evalset}))
    for name, answers in models.items():
        rows = [
            {"id": key, "repeat": repeat, "output": text}
            for key, given in answers.items()
            for repeat, text in enumerate(given)
            if text is not None
        ]
        (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    specs = {name: {"kind": "recorded", "path": f"{name}.jsonl"} for name in models}
    config = {"models": specs, "candidate": next(iter(models))}
    (folder / "workbench.yaml").write_text(yaml.safe_dump(config))


def workbench(folder: Path, *words: str) -> tuple[int, Any]:
    """Run the command; return its exit code and the JSON that it printed."""
    command = [sys.executable, "-m", "workbench", "--config", str(folder / "workbench.yaml"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)
    assert done.returncode in (0, 1, 4), done.stderr
    return done.returncode, json.loads(done.stdout) if "--json" in words else done.stdout


def run(folder: Path, model: str, *words: str) -> str:
    """Evaluate a model on the gate samples; return the run's id."""
    _, found = workbench(folder, "eval", "run", "--use", "gate", "--model", model, "-q", "--json", *words)
    return str(found["id"])
