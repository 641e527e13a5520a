"""Records and labels: what was observed, and what people said of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, Strict, model_validator

from workbench.nouns import Many, Noun

Role = Literal["system", "user", "assistant", "tool"]


class Message(Noun):
    """One turn of a chat."""

    role: Role
    """Who speaks."""
    content: str
    """What is said; may be empty for an assistant turn that only calls tools."""


class ToolCall(Noun):
    """A tool that an assistant asked for."""

    id: str = ""
    """Names the call for the turn that answers it; may be empty."""
    name: str = Field(min_length=1)
    """The tool's name."""
    arguments: str
    """What it is called with, as JSON text."""


class Turn(Message):
    """One turn of a conversation that is learnt from; unlike a prompt's message it may call tools and answer calls."""

    tool_calls: Many[ToolCall] = ()
    """Tools that an assistant's turn asks for."""
    tool_call_id: str = ""
    """The call that a tool's turn answers."""
    name: str = ""
    """The tool, or the speaker among several of one role."""
    learnt: bool = True
    """Whether an assistant's turn is learnt from; OpenAI's `weight`. Other turns never are."""


class Passage(Noun):
    """One piece of text that was retrieved for, or holds the answer to, a question."""

    id: str = Field(min_length=1)
    """Name of the passage, unique in its corpus."""
    text: str
    """The passage itself."""
    score: float | None = None
    """The retriever's score, in the retriever's own unit; higher is nearer."""


class Record(Noun):
    """One observed interaction, before anybody judged it."""

    id: str = Field(min_length=1)
    """Unique name."""
    messages: Many[Message]
    """The prompt as the model saw it."""
    outputs: Many[str] = ()
    """Candidate answers, in the order in which they were produced."""
    contexts: Many[Passage] = ()
    """Passages that were given to the model."""
    reference: str | None = None
    """A known good answer."""
    origin: str = ""
    """Where the record comes from: a log, a run id, a recipe."""
    group: str
    """The prompt family: the unit that the firewall splits by and that statistics cluster by."""
    tags: dict[str, str] = {}
    """Slices this record belongs to, as name → value."""
    shown: dict[str, str] = {}
    """Texts that annotators saw or are to see beside it, such as a judge's verdict and reason, by key."""


class Span(Noun):
    """A stretch of a text that an annotator marked."""

    start: int = Field(ge=0)
    """First character, counted from 0 in Unicode code points."""
    end: int = Field(ge=1)
    """The character after the last one."""
    label: str
    """What it was marked as."""

    @model_validator(mode="after")
    def _has_text(self) -> Span:
        if self.end <= self.start:
            raise ValueError(f"a span ends after its start, not at {self.end} from {self.start}")
        return self


class Ranked(Noun):
    """One thing's place in a ranking; equal ranks are a tie."""

    value: str
    """What is ranked; of candidate answers the number of the output, from "1"."""
    rank: int = Field(ge=1)
    """Its place; 1 is best."""


class Label(Noun):
    """One annotator's answer to one question about one record."""

    record_id: str
    """The record that was labelled."""
    question: str
    """The question's name in the labelling template."""
    value: str | int | float | Many[str] | Many[Span] | Many[Ranked]
    """The answer: a word or text, a number, words, marked spans, or a ranking."""
    annotator: str
    """Who answered, as the labelling server names them."""
    guideline: str
    """Version of the guideline under which it was given; labels of different versions are not pooled."""
    at: Annotated[AwareDatetime, Strict(False)]
    """When, with a time zone."""
