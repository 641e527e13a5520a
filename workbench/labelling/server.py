"""What labelling needs of a server: one seam, which the Argilla adapter fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from workbench.labelling.templates import Form
from workbench.nouns import Many, Noun

PAGE = 1000
"""Records read at once."""
BATCH = 500
"""Records written at once."""


class About(Noun):
    """What a dataset on the server says of itself, so that any machine can pull it."""

    form: Form
    """What annotators see and are asked."""
    seed: str
    """Seed of the blinded order."""
    overlap: int
    """Submitted answers that a record needs."""
    hidden_tags: Many[str] = ()
    """Tags that annotators do not see."""
    vector_size: int | None = None
    """Numbers of a record's vector, for "find similar"."""
    vector_model: str | None = None
    """What made the vectors."""
    source: str = ""
    """For a queue of disagreements: the dataset that it decides."""


@dataclass(frozen=True)
class RemoteDataset:
    """A dataset on the server."""

    id: str
    name: str
    about: About
    properties: frozenset[str]
    """Names that can be filtered by."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it is pushed, in Argilla's JSON."""

    id: str
    fields: Mapping[str, Any]
    metadata: Mapping[str, Any]
    suggestions: Mapping[str, Mapping[str, Any]]
    """By question."""
    vector: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person said of one record; `values` is Argilla's JSON by question."""

    id: str
    user: str
    """The user's id."""
    status: str
    """`submitted`, `draft` or `discarded`."""
    values: Mapping[str, Any]
    inserted: str
    """ISO 8601, UTC without a zone, as the server writes it; such texts sort by time."""
    updated: str


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """A record on the server with everybody's answers."""

    server_id: str
    id: str
    fields: Mapping[str, Any]
    metadata: Mapping[str, Any]
    inserted: str
    answers: tuple[Answer, ...]
    suggested: Mapping[str, str] = field(default_factory=dict)
    """The ids of its suggestions, by question; only where they were asked for."""


class Page(NamedTuple):
    """Some records, and how many there are in all at this moment."""

    total: int
    records: list[RemoteRecord]


class AnnotatorProgress(NamedTuple):
    """How far one person is."""

    name: str
    submitted: int
    drafts: int
    discarded: int


class DatasetProgress(NamedTuple):
    """How far a dataset is."""

    total: int
    completed: int
    """Records with as many submitted answers as the dataset asks for."""
    annotators: tuple[AnnotatorProgress, ...]


class LabellingServer(Protocol):
    """A labelling server and one workspace on it. Every method raises `LabellingError`."""

    def dataset(self, name: str) -> RemoteDataset | None:
        """Return the dataset of this name, if it is there and complete."""

    def create(self, name: str, about: About, properties: Mapping[str, bool]) -> RemoteDataset:
        """Make a dataset; `properties` are the names to filter by and whether annotators see them."""

    def add_properties(self, dataset: RemoteDataset, properties: Mapping[str, bool]) -> None:
        """Add names to filter by that the dataset has not."""

    def page(self, dataset: RemoteDataset, offset: int, *, suggested: bool = False) -> Page:
        """Return up to `PAGE` records from `offset`, oldest first."""

    def marker(self, dataset: RemoteDataset) -> tuple[object, ...]:
        """Return what changes with every answer that is given, changed or taken back, and with every record."""

    def upsert(self, dataset: RemoteDataset, rows: Sequence[Row]) -> None:
        """Write up to `BATCH` records, by id: there they are replaced, their answers kept."""

    def drop_suggestions(self, record: RemoteRecord, questions: Sequence[str]) -> None:
        """Remove suggestions of a record."""

    def progress(self, dataset: RemoteDataset) -> DatasetProgress:
        """Return how far it is, as the server counts."""

    def names(self) -> dict[str, str]:
        """Return user names by id."""
