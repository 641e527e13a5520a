"""Datasets: rows with a manifest, and the firewall that splits them."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, field_validator, model_validator

from workbench.nouns import Many, Noun, canonical_bytes
from workbench.records import Message, Passage, Turn

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
        return self.group or family_of(self.messages)

    def digest(self) -> bytes:
        """Return the SHA-256 of the row's content."""
        return _digest(self)


class Lineage(Noun):
    """Where a row that is learnt from comes from."""

    sources: Many[str] = ()
    """Ids of the records, rows or run samples it was made from, as `<dataset or run>/<id>`."""
    annotators: Many[str] = ()
    """Who said what it rests on, as the labelling server names them."""
    recipe: str = ""
    """What made it: an import's format, a rule of `pairs build`, a synthesis recipe with its fingerprint."""
    synthetic: bool = False
    """Whether a model wrote any text of it. Such a row enters no gate set without a human's label."""


class Conversation(Noun):
    """A row of a set for supervised tuning: a chat whose assistant turns are to be learnt."""

    id: str = Field(min_length=1)
    """Unique name in its dataset."""
    group: str = ""
    """The prompt family; left empty, it is made from the first user turn."""
    messages: Many[Turn] = Field(min_length=2)
    """The chat. At least one assistant turn is learnt from."""
    tools: str = ""
    """The tools on offer, as the JSON text of a list of schemas; empty where there are none."""
    good: bool | None = None
    """Thumb of the last answer, which KTO learns from; `None`: nobody gave one."""
    tags: dict[str, str] = {}
    """Slices, as name → value."""
    lineage: Lineage = Lineage()
    """Where it comes from."""

    @field_validator("messages")
    @classmethod
    def _teaches(cls, messages: tuple[Turn, ...]) -> tuple[Turn, ...]:
        if not any(m.role == "assistant" and m.learnt for m in messages):
            raise ValueError("no assistant turn is learnt from")
        if not any(m.role == "user" and m.content.strip() for m in messages):
            raise ValueError("no user turn has text")
        return messages

    def family(self) -> str:
        """Return `group`, or a name made from what stands before the first answer to the user."""
        return self.group or family_of(self.messages[: _first_answer(self.messages)])

    def digest(self) -> bytes:
        """Return the SHA-256 of the row's content."""
        return _digest(self)


class Side(Noun):
    """One of the two answers of a preference pair."""

    messages: Many[Turn] = Field(min_length=1)
    """The answer: usually one assistant turn."""
    model: str = ""
    """The model that wrote it, `human` for a person, empty where nobody knows."""

    def text(self) -> str:
        """Return the contents of its turns, joined by line ends."""
        return "\n".join(m.content for m in self.messages)


class Votes(Noun):
    """How those who compared two answers voted."""

    chosen: int = Field(ge=0)
    """For the answer that was chosen."""
    rejected: int = Field(ge=0)
    """For the other one."""
    ties: int = Field(0, ge=0)
    """For neither."""


PairRule = Literal["ranking", "pick", "rating", "thumbs", "edit", "runs", "feedback", "imported"]
"""What a pair was made from."""


class PreferencePair(Noun):
    """A row of a set for preference tuning: of two answers to one prompt, the one that is preferred."""

    id: str = Field(min_length=1)
    """Unique name in its dataset."""
    group: str = ""
    """The prompt family; left empty, it is made from the prompt."""
    prompt: Many[Turn] = Field(min_length=1)
    """What both answer."""
    chosen: Side
    """The preferred answer."""
    rejected: Side
    """The other one."""
    rule: PairRule = "imported"
    """What it was made from."""
    margin: float | None = Field(None, ge=0)
    """By how much it is preferred, on the scale of its rule; `None` where that has no strength."""
    on_policy: bool | None = None
    """Whether the model that is to be tuned wrote both answers; `None`: nobody knows."""
    votes: Votes | None = None
    """How people or judges voted on these two answers; `None`: nobody counted."""
    seen_first: bool | None = None
    """Whether those who compared saw the chosen answer before the other one; `None`: nobody knows."""
    tools: str = ""
    """The tools on offer, as the JSON text of a list of schemas."""
    tags: dict[str, str] = {}
    """Slices, as name → value."""
    lineage: Lineage = Lineage()
    """Where it comes from."""

    @model_validator(mode="after")
    def _prefers(self) -> PreferencePair:
        if self.chosen.messages == self.rejected.messages:
            raise ValueError("chosen and rejected are the same")
        return self

    def family(self) -> str:
        """Return `group`, or a name made from the normalised prompt."""
        return self.group or family_of(self.prompt)

    def digest(self) -> bytes:
        """Return the SHA-256 of the row's content."""
        return _digest(self)


Row = Sample | Conversation | PreferencePair


def family_of(messages: tuple[Message, ...] | tuple[Turn, ...]) -> str:
    """Return a prompt family's name made from the prompt's normalised text, so that equal prompts stay together."""
    return family_of_texts(m.content for m in messages if m.role in ("user", "system"))


def family_of_texts(texts: Iterable[str]) -> str:
    """Return the family of a prompt whose user's and system's turns say this."""
    return "text:" + hashlib.sha256(_normalised(" ".join(texts)).encode()).hexdigest()[:16]


def normalised_prompt(messages: tuple[Message, ...] | tuple[Turn, ...]) -> str:
    """Return the prompt's text with case, width and spacing folded away."""
    return _normalised(" ".join(m.content for m in messages if m.role in ("user", "system")))


def _normalised(text: str) -> str:
    if text.isascii():  # the same as below, four times as fast
        return " ".join(text.lower().split())
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
ROW_OF: dict[Kind, type[Row]] = {"samples": Sample, "pairs": PreferencePair, "conversations": Conversation}
"""What a row of each kind is."""


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


def _first_answer(messages: tuple[Turn, ...]) -> int:
    """Return the place of the first assistant turn behind a user's."""
    asked = next(i for i, m in enumerate(messages) if m.role == "user")
    return next((i for i, m in enumerate(messages) if i > asked and m.role == "assistant"), len(messages))


def _digest(row: Noun) -> bytes:
    return hashlib.sha256(canonical_bytes(row.model_dump(mode="json"))).digest()
