"""What a synthesis recipe says (YAML): what is made, from what, by which models, for which side of the firewall."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from workbench.nouns import Many, Noun

ModelName = Annotated[str, Field(min_length=1)]
QuestionKind = Literal["simple", "multi_hop", "unanswerable", "adversarial"]
NO_ANSWER = "Not in the documents."
"""What a right answer to an unanswerable question is, unless the recipe says otherwise."""


class Questions(Noun):
    """Questions with gold passages, from the documents of an index."""

    kind: Literal["questions"]
    """Chooses this kind."""
    index: str = Field(min_length=1)
    """Index of workbench.yaml (`rag`) whose documents and splitting give the passages; it need not be built."""
    model: ModelName
    """Model that writes."""
    kinds: dict[QuestionKind, Annotated[int, Field(ge=1, le=20)]] = Field({"simple": 1}, min_length=1)
    """How many questions of each kind are asked for of each passage, or of each two of one document: `simple`,
    `multi_hop` (needs two passages), `unanswerable` (near the passage, not in it), `adversarial` (a false premise)."""
    passages: int | None = Field(None, ge=1)
    """Only so many passages, and so many twos, drawn by the seed; `null`: all."""
    closed_book: ModelName | None = None
    """Model that is asked each question without a passage; what it knows anyway is dropped. `null`: not tested."""
    open_book: ModelName | None = None
    """Model that is asked each unanswerable question with the passage; what it answers from it is dropped."""
    no_answer: str = Field(NO_ANSWER, min_length=1)
    """Reference of an unanswerable question."""


class Answers(Noun):
    """Candidate answers of several models to stored prompts."""

    kind: Literal["answers"]
    """Chooses this kind."""
    evalset: str | None = Field(None, min_length=1)
    """Evalset whose side `use` gives the prompts."""
    dataset: str | None = Field(None, min_length=1)
    """Or a stored dataset of that use: `NAME`, `NAME-USE`, with `@` and a fingerprint's beginning."""
    limit: int | None = Field(None, ge=1)
    """Only so many prompts, drawn by the seed; `null`: all."""
    models: Many[ModelName] = Field(min_length=1)
    """Models that answer."""
    each: int = Field(1, ge=1, le=20)
    """Answers of each model to each prompt; more than one only differ where its temperature is above 0."""

    @model_validator(mode="after")
    def _one_source(self) -> Answers:
        if (self.evalset is None) == (self.dataset is None):
            raise ValueError("give `evalset` or `dataset`")
        return self


class Feedback(Noun):
    """A judge's opinion on candidate answers, as suggestions that people confirm."""

    kind: Literal["feedback"]
    """Chooses this kind."""
    records: str = Field(min_length=1)
    """Name of an `answers` recipe that was run, or a JSONL file of records with at least two outputs."""
    judge: ModelName
    """Model that judges."""
    how: Literal["pairwise", "ratings"] = "pairwise"
    """`pairwise`: which of two is better; `ratings`: each from 1 to 5 (UltraFeedback). Both ask in both orders."""
    aspect: Literal["helpfulness", "honesty", "instruction-following", "truthfulness", "overall-rating"] = (
        "overall-rating"
    )
    """What `ratings` rate."""


class Paraphrases(Noun):
    """Other wordings of what a run failed at, for new records of the same families."""

    kind: Literal["paraphrases"]
    """Chooses this kind."""
    run: str = Field(min_length=1)
    """A finished run on the side `use`; never one on a gate side."""
    model: ModelName
    """Model that writes."""
    each: int = Field(2, ge=1, le=20)
    """Wordings of each failure."""
    question_after: str = "Question:"
    """Only what follows this mark in the last message is reworded; all of it, where the mark is absent."""


Made = Annotated[Questions | Answers | Feedback | Paraphrases, Field(discriminator="kind")]


class SynthRecipe(Noun):
    """What is to be synthesised."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$")
    """Name of the recipe, and of the dataset it makes."""
    use: Literal["train", "dev"]
    """Side of the firewall of what is made. There is no `gate`: a person's label is needed first."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Decides which passages and prompts are drawn, and is part of what makes this recipe this one."""
    budget: float | None = Field(None, gt=0)
    """Money at most, in the currency of the price tables, over all resumptions."""
    make: Made
    """What is made."""

    def models(self) -> list[str]:
        """Return the names of the models it asks."""
        match self.make:
            case Questions():
                named = [self.make.model, self.make.closed_book, self.make.open_book]
            case Answers():
                named = list(self.make.models)
            case Feedback():
                named = [self.make.judge]
            case Paraphrases():
                named = [self.make.model]
        return list(dict.fromkeys(name for name in named if name is not None))
