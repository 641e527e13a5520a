"""Examples that a judge is shown before what it is to judge: answers with the verdict that people gave them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import islice

from pydantic import Field, ValidationError

from workbench.errors import ConfigError, Problem
from workbench.nouns import Many, Noun, canonical_bytes
from workbench.scoring.rubrics import Scale

WORDS = 12
"""Words of an answer that stand for the evidence where an example names none."""
MOST = 32
"""Examples that a file may hold: each is in every prompt, and is paid for every time."""


class Shot(Noun):
    """One example."""

    id: str = ""
    """Where it comes from, as `<run>/<sample>`."""
    group: str = ""
    """Its prompt family, by which the firewall knows it."""
    question: str = Field(min_length=1)
    """What was asked."""
    answer: str = Field(min_length=1)
    """The judged answer."""
    reference: str = ""
    """A right answer, where the judge is to see one."""
    passages: Many[str] = ()
    """Passages, where the judge is to see them."""
    verdict: str | int
    """What people said: `pass`, `fail`, or a step of the rubric's scale."""
    evidence: str = ""
    """Words of the answer; empty: its first ones."""
    reason: str = ""
    """Why, in one sentence."""

    def reply(self, scale: Scale) -> str:
        """Return the reply that a judge should have given."""
        said = "pass" if self.verdict == "pass" else "do not pass" if self.verdict == "fail" else "rate"
        reason = self.reason or f"People {said} this answer{'' if scale == 'binary' else f' {self.verdict}'}."
        evidence = self.evidence or " ".join(islice(self.answer.split(), WORDS))
        return json.dumps({"evidence": evidence, "reason": reason, "verdict": self.verdict}, ensure_ascii=False)


def parse_shots(text: str, file: str, scale: Scale) -> tuple[Shot, ...]:
    """Return the examples of a JSONL text; `file` is named in problems. Raises `ConfigError` with all of them."""
    verdicts = ("pass", "fail") if scale == "binary" else range(scale.ordinal.min, scale.ordinal.max + 1)
    found: list[Shot] = []
    problems: list[Problem] = []
    for at, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            shot = Shot.model_validate_json(line)
        except ValidationError as exc:
            field = ".".join(str(part) for part in exc.errors()[0]["loc"])
            problems.append(Problem("SHOT", exc.errors()[0]["msg"], file, at, field))
            continue
        found.append(shot)
        if shot.verdict not in verdicts:
            problems.append(
                Problem("SHOT", "not a verdict of the rubric's scale", file, at, "verdict", str(shot.verdict))
            )
    if not found and not problems:
        problems.append(Problem("SHOT", "the file holds no example", file, fix="write some, or leave `examples` out"))
    if len(found) > MOST:
        problems.append(Problem("SHOT", f"more than {MOST} examples", file, got=str(len(found)), fix="keep the best"))
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def shots_hash(shots: Sequence[Shot]) -> str:
    """Return 8 hex digits of SHA-256 over the examples; empty without any."""
    plain = [shot.model_dump(mode="json") for shot in shots]
    return hashlib.sha256(canonical_bytes(plain)).hexdigest()[:8] if plain else ""
