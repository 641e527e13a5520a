"""Templates: what annotators see, what they are asked, and under which version of which guidelines.

`TemplateSpec` is `template.yaml`; `Template` is complete, with guidelines and taxonomy; `Form` is what one dataset
looks like: questions about candidates are there for the number of candidates that its records have.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import Field, model_validator

from workbench.labelling.questions import Name, Option, Question, SpanQuestion, WithOptions
from workbench.nouns import Many, Noun, fingerprint

LETTERS = "abcd"
"""Blinded names of the candidates."""
MAX_GUIDELINES = 9_500
"""Characters; Argilla takes 10,000, and the version stands above them."""


class ShownField(Noun):
    """One part of a record that annotators see. All of it is shown as plain text: model text is never markup."""

    name: Name
    """Name of the field."""
    title: str = Field(min_length=1, max_length=500)
    """What annotators read above it."""
    show: Literal["chat", "question", "output", "candidates", "passages", "reference", "shown"]
    """The messages as a chat, the last message, the (first) output, each output in blinded order, the passages, the
    reference, or a text that was given beside the record."""
    key: str = ""
    """For `shown`: which text."""
    required: bool = True
    """Whether a record without it is refused."""

    @model_validator(mode="after")
    def _key_if_shown(self) -> ShownField:
        if (self.show == "shown") != bool(self.key):
            raise ValueError("`key` is given with `show: shown`, and only then")
        return self


class TemplateSpec(Noun):
    """What `template.yaml` says; the guidelines lie beside it in `guidelines.md`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=80)
    """Name of the template; the same as its folder's."""
    version: str = Field(min_length=1, max_length=40)
    """Version of guidelines and questions; bump it when an answer's meaning changes. Labels of two are not pooled."""
    description: str = ""
    """What it is for."""
    fields: Many[ShownField] = Field(min_length=1)
    """What is shown, from top to bottom."""
    questions: Many[Question] = Field(min_length=1)
    """What is asked, from top to bottom."""
    overlap: int = Field(1, ge=1, le=1000)
    """Submitted answers that a record needs, each of another annotator."""
    suggestions: bool = True
    """Whether answers of models may be suggested; off, annotators stay unbiased."""
    hidden_tags: Many[str] = ("model", "models", "generator", "candidate", "judge")
    """Tags that annotators do not see because they tell who wrote an answer."""

    @model_validator(mode="after")
    def _fits_together(self) -> TemplateSpec:
        for what, names in (("fields", [f.name for f in self.fields]), ("questions", [q.name for q in self.questions])):
            if twice := [name for name, n in Counter(names).items() if n > 1]:
                raise ValueError(f"two {what} are called {twice[0]!r}")
        if not any(q.required for q in self.questions):
            raise ValueError("at least one question must be required")
        single = [f.name for f in self.fields if f.show not in ("chat", "candidates")]
        for question in self.questions:
            if isinstance(question, SpanQuestion) and question.field not in single:
                raise ValueError(
                    f"span question {question.name!r} marks {question.field!r}, which shows no single text"
                )
        if self._asks_about_candidates() and not self.compares():
            raise ValueError("`options_from: candidates` and `when` need a field that shows `candidates`")
        return self

    def compares(self) -> bool:
        """Return whether candidates are set against each other."""
        return any(field.show == "candidates" for field in self.fields)

    def _asks_about_candidates(self) -> bool:
        return any(q.when != "always" or chooses(q, "candidates") for q in self.questions)


class Template(Noun):
    """A complete template."""

    spec: TemplateSpec
    """Its `template.yaml`."""
    guidelines: str = Field(min_length=1, max_length=MAX_GUIDELINES)
    """Markdown for annotators."""
    taxonomy: Many[Option] = ()
    """The failure modes, for questions that choose among them."""
    taxonomy_version: str = ""
    """Version of the failure modes."""

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def version(self) -> str:
        """What labels carry as their guideline: template, its version, and the taxonomy's where it is asked for."""
        uses = any(chooses(question, "taxonomy") for question in self.spec.questions)
        return f"{self.name}/{self.spec.version}" + (f"+taxonomy/{self.taxonomy_version}" if uses else "")

    def form(self, candidates: int) -> Form:
        """Return what a dataset of records with so many candidates looks like; 1 where nothing is compared."""
        fields = tuple(part for field in self.spec.fields for part in _fields(field, candidates))
        wanted = {"always", "pair" if candidates == 2 else "several"}
        questions = tuple(self._filled(q, candidates) for q in self.spec.questions if q.when in wanted)
        return Form(
            template=self.name,
            version=self.version,
            guidelines=self.guidelines,
            fields=fields,
            questions=questions,
            candidates=candidates,
        )

    def _filled(self, question: Question, candidates: int) -> Question:
        """Return a question with the options that the template only names."""
        if not isinstance(question, WithOptions) or question.options_from is None:
            return question
        own = self.taxonomy if question.options_from == "taxonomy" else _letters(candidates)
        return question.model_copy(update={"options": own + question.options})


class Form(Noun):
    """What annotators of one dataset see and are asked."""

    template: str
    """Name of the template."""
    version: str
    """What labels carry as their guideline."""
    guidelines: str
    """Markdown for annotators."""
    fields: Many[ShownField]
    """What is shown; each candidate has a field of its own."""
    questions: Many[Question]
    """What is asked; every option is there."""
    candidates: int = Field(ge=1, le=len(LETTERS))
    """Candidates of each record; 1 where nothing is compared."""

    def hash(self) -> str:
        """Return a content hash: two forms with the same ask the same."""
        return fingerprint(self.settings())

    def question(self, name: str) -> Question | None:
        """Return the question of this name."""
        return next((q for q in self.questions if q.name == name), None)

    def marked_fields(self) -> frozenset[str]:
        """Return the fields whose text is marked with spans."""
        return frozenset(q.field for q in self.questions if isinstance(q, SpanQuestion))


def chooses(question: Question, among: Literal["taxonomy", "candidates"]) -> bool:
    """Return whether a question chooses among failure modes, or among candidates."""
    return isinstance(question, WithOptions) and question.options_from == among


def _letters(candidates: int) -> tuple[Option, ...]:
    return tuple(Option(value=letter, title=letter.upper()) for letter in LETTERS[:candidates])


def _fields(field: ShownField, candidates: int) -> list[ShownField]:
    if field.show != "candidates":
        return [field]
    return [
        field.model_copy(update={"name": f"{field.name}_{letter}", "title": f"{field.title} {letter.upper()}"})
        for letter in LETTERS[:candidates]
    ]
