"""A project on disk: recorded answers of about 60 words to questions with passages, the same with every run."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.stand_in import MODEL, OPENING

SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]
RUBRIC = """\
---
name: grounded
version: "1"
scale: binary
---
Pass when every statement of the answer is supported by the passages, and the answer replies to the question.
"""
JUDGED = [{"kind": "rubric_judge", "rubric": "rubrics/grounded.md", "judge": "judge"}]
COMPARED = [{"kind": "token_f1"}, {"kind": "exact_match"}]


@dataclass(frozen=True)
class Project:
    """A folder with a workbench.yaml, and the `workbench` command in it."""

    folder: Path

    def command(self, *words: str, home: str) -> list[str]:
        """Return a command line whose runs and caches lie in the named folder; a new name starts with nothing."""
        config = self.folder / f"{home}.yaml"
        if not config.exists():
            config.write_text(f"home: {home}\n{(self.folder / 'models.yaml').read_text()}")
        return [sys.executable, "-m", "workbench", "--config", str(config), *words]

    def run(self, home: str) -> list[str]:
        """Return the command line that evaluates into a new run."""
        return self.command("eval", "run", "pumps", home=home)

    def check(self, home: str, n: int) -> None:
        """Raise `RuntimeError` unless every sample of the newest run has every score: fast failures are no speed."""
        newest = sorted((self.folder / home / "runs").iterdir())[-1]
        summary = json.loads((newest / "summary.json").read_bytes())
        for metric in summary["metrics"]:
            if not metric["slice"] and (metric["n"], metric["n_failed"]) != (n, 0):
                raise RuntimeError(
                    f"{newest.name}: {metric['scorer']} has {metric['n']} of {n} scores: {metric['failures']}"
                )


def write_project(folder: Path, n: int, scorers: list[dict[str, str]], base_url: str, in_flight: int) -> Project:
    """Write a project of n samples in families of four."""
    evalset = folder / "evalsets" / "pumps"
    (evalset / "rubrics").mkdir(parents=True)
    (evalset / "rubrics" / "grounded.md").write_text(RUBRIC)
    (evalset / "evalset.yaml").write_text(
        yaml.safe_dump({"name": "pumps", "version": "1", "use": "dev", "scorers": scorers})
    )
    with (evalset / "samples.jsonl").open("w") as samples, (folder / "answers.jsonl").open("w") as answers:
        for sample, answer in _rows(n):
            samples.write(json.dumps(sample) + "\n")
            answers.write(json.dumps(answer) + "\n")
    judge = {"kind": "endpoint", "base_url": base_url, "model": MODEL, "limits": {"concurrency": in_flight}}
    models = {"production": {"kind": "recorded", "path": "answers.jsonl"}, "judge": judge}
    (folder / "models.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "production"}))
    return Project(folder)


def _rows(n: int) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    draw = random.Random(20261122)
    words = vocabulary(draw)
    for i in range(n):
        sample = {
            "id": f"s{i:06}",
            "group": f"g{i // 4:06}",
            "messages": [{"role": "user", "content": f"What is said about {text(draw, words, 8)}?"}],
            "references": [f"{OPENING} {text(draw, words, 10)}."],
            "contexts": [{"id": f"p{i}-{k}", "text": text(draw, words, 24)} for k in range(2)],
            "tags": {"language": draw.choice(["de", "en", "fr", "hi"]), "hard": draw.choice(["yes", "no"])},
        }
        yield sample, {"id": f"s{i:06}", "output": f"{OPENING} {text(draw, words, 50)}."}


def vocabulary(draw: random.Random) -> list[str]:
    """Return 5,000 made-up words of two to four syllables."""
    return ["".join(draw.choices(SYLLABLES, k=draw.randint(2, 4))) for _ in range(5000)]


def text(draw: random.Random, words: list[str], n: int) -> str:
    """Return n words, drawn evenly: harder to compress than language, so that files are not flattered."""
    return " ".join(draw.choices(words, k=n))
