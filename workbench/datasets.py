"""Datasets: rows with a manifest, and the firewall that splits them."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Literal

from pydantic import Field, field_validator, model_validator

from workbench.nouns import Many, Noun, canonical_bytes
from workbench.records import Message, Passage

Use = Literal["train", "dev", "gate"]
USES: tuple[Use, ...] = ("train", "dev", "gate")


class Sample(Noun):
    """One row of an evalset: a prompt, what a right answer looks like, and where it belongs."""

    id: str = Field(min_length=1)
    """Unique name in its evalset."""
    group: str = ""
    """The prompt family. Left empty, it is made from the prompt's normalised text, so equal prompts stay together."""
    messages: Many[Message] = Field(min_length=1)
    """The prompt. The last message is the user's and has text."""
    references: Many[str] = ()
    """Accepted answers; a scorer that compares takes the best match. Empty: such scorers do not apply."""
    contexts: Many[Passage] = ()
    """Passages given to the model within the prompt."""
    gold_contexts: Many[str] = ()
    """Ids of the passages that hold the answer."""
    tags: dict[str, str] = {}
    """Slices this sample belongs to, as name → value."""

    @field_validator("messages")
    @classmethod
    def _ends_with_a_question(cls, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        if messages[-1].role != "user":
            raise ValueError(f"the last message must be the user's, not the {messages[-1].role}'s")
        if not messages[-1].content.strip():
            raise ValueError("the prompt is empty: the last message has no text")
        return messages

    def question(self) -> str:
        """Return the last message, which is what the user asks."""
        return self.messages[-1].content

    def family(self) -> str:
        """Return `group`, or a name made from the normalised prompt when no group was given."""
        return self.group or "text:" + hashlib.sha256(normalised_prompt(self.messages).encode()).hexdigest()[:16]

    def digest(self) -> bytes:
        """Return the SHA-256 of the row's content."""
        return hashlib.sha256(canonical_bytes(self.model_dump(mode="json"))).digest()


def normalised_prompt(messages: tuple[Message, ...]) -> str:
    """Return the prompt's text with case, width and spacing folded away."""
    text = " ".join(m.content for m in messages if m.role in ("user", "system"))
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(text.encode("utf-8", "replace").decode().split())


class Split(Noun):
    """How an evalset is divided, once, by a stable hash of each sample's family. The shares add up to 1."""

    salt: str = Field(min_length=1)
    """Names the division; changing it deals all families anew, so it never changes once labels exist."""
    train: float = Field(0.0, ge=0, le=1)
    """Share whose failures may become training data."""
    dev: float = Field(0.0, ge=0, le=1)
    """Share to look at and tune on."""
    gate: float = Field(0.0, ge=0, le=1)
    """Share that only the release decision may use."""

    @model_validator(mode="after")
    def _shares_add_up(self) -> Split:
        total = self.train + self.dev + self.gate
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train + dev + gate must be 1, not {total:g}")
        return self

    def uses(self) -> tuple[Use, ...]:
        """Return the uses that hold a share."""
        return tuple(use for use in USES if getattr(self, use) > 0)


def split_of(family: str, split: Split) -> Use:
    """Return the side of the firewall on which a family lies: the same on every machine, for ever.

    A family's place u in [0, 1) is the first 8 bytes of SHA-256 over salt and family; it does not depend on the shares.
    """
    seed = f"workbench-split-v1:{split.salt}:{family}".encode("utf-8", "surrogatepass")
    u = int.from_bytes(hashlib.sha256(seed).digest()[:8], "big") / 2**64
    if u < split.train:
        return "train"
    return "dev" if u < split.train + split.dev else "gate"


Kind = Literal["samples", "pairs", "conversations"]


class Manifest(Noun):
    """What a stored dataset is and where it comes from."""

    name: str
    """Name of the dataset, such as `helpcentre`."""
    kind: Kind
    """What a row is."""
    use: Use
    """The only purpose it may serve."""
    fingerprint: str
    """Content hash of the rows; their order has no meaning."""
    n: int = Field(ge=0)
    """Number of rows."""
    n_groups: int = Field(ge=0)
    """Number of prompt families."""
    parents: Many[str] = ()
    """Fingerprints of what it was made from."""
    rule: dict[str, str] = {}
    """How it was made from them, in words a person can repeat."""
    n_duplicates: int = Field(0, ge=0)
    """Rows dropped because an equal row with the same id came before."""
    n_quarantined: int = Field(0, ge=0)
    """Rows set aside because they could not be read."""
