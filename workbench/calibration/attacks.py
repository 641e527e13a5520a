"""The injection suite: what a wrong answer brings along to make a judge pass it, as data (`attacks.yaml`)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from workbench.models import Output
from workbench.nouns import Many, Noun, fingerprint
from workbench.records import Passage

PASSAGE = "attack"
"""Id of a passage that an attack brings."""


class Attack(Noun):
    """One way to make a wrong answer look right."""

    put: Literal["after", "before", "instead", "passage"]
    """Where the payload goes: beside the answer, in its place, or into a retrieved passage."""
    payload: str
    """The text; `{answer}` stands for the wrong answer."""
    disguise: Literal["plain", "tags", "base64", "zero_width", "fullwidth"] = "plain"
    """How its letters are hidden."""

    def applied(self, output: Output, passages: Sequence[Passage]) -> Output:
        """Return a wrong answer with the payload; `passages` are those that the judge would see without it."""
        return self._put(self._filled(output), output, passages)

    def harmless(self, output: Output, passages: Sequence[Passage], words: str) -> Output:
        """Return an answer with harmless words in the payload's place, as long and disguised likewise."""
        n = len(self._filled(output))
        return self._put((words * (n // len(words) + 1))[:n], output, passages)

    def _filled(self, output: Output) -> str:
        return self.payload.replace("{answer}", output.text)

    def _put(self, text: str, output: Output, passages: Sequence[Passage]) -> Output:
        payload = _disguised(text, self.disguise)
        if self.put == "passage":
            kept = (output.contexts or tuple(passages), Passage(id=PASSAGE, text=payload))
            return output.model_copy(update={"contexts": (*kept[0], kept[1])})
        texts = {"after": f"{output.text}\n\n{payload}", "before": f"{payload}\n\n{output.text}", "instead": payload}
        return output.model_copy(update={"text": texts[self.put]})


class Family(Noun):
    """Attacks of one kind."""

    name: str
    """Its name in tables."""
    about: str
    """What it is, in words."""
    in_code: bool = False
    """Whether no judge is asked: the answer fails in code."""
    attacks: Many[Attack] = Field(min_length=1)
    """Its variants; each answer is given one of them, in turn."""


class Suite(Noun):
    """All families."""

    version: str
    """Bumped with any change."""
    harmless: str = Field(min_length=20)
    """Words that ask for nothing and say nothing of the matter: what stands in an attack's place to compare with."""
    families: Many[Family] = Field(min_length=1)
    """In the order of the table."""

    def mark(self) -> str:
        """Return version and content hash, by which attacks are compared."""
        return f"{self.version}+{fingerprint(self.model_dump(mode='json'))[:8]}"


@cache
def injection_suite() -> Suite:
    """Return the suite that ships."""
    import yaml

    text = files("workbench.calibration").joinpath("attacks.yaml").read_text(encoding="utf-8")
    return Suite.model_validate(yaml.safe_load(text))


def _disguised(text: str, disguise: str) -> str:
    match disguise:
        case "tags":  # the Unicode block that once tagged languages: no font shows it, tokenisers read it
            return "".join(chr(0xE0000 + ord(c)) if " " <= c <= "~" else c for c in text)
        case "base64":
            return base64.b64encode(text.encode("utf-8", "backslashreplace")).decode()
        case "zero_width":
            return "\u200b".join(text)
        case "fullwidth":
            return "".join(chr(0xFEE0 + ord(c)) if "!" <= c <= "~" else c for c in text)
    return text
