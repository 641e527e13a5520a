"""The book of error analysis, `<home>/failures/book.jsonl`: notes, picks, acts and versions of the taxonomy.

Lines are only added, chained by digests (`store/book.py`). A correction is a further note of the same person, an undo a
further line that names what it undoes; two people's notes on one answer both stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from workbench.datasets import Use
from workbench.failures.taxonomy import Taxonomy
from workbench.nouns import Many, Noun
from workbench.store.book import Book

MOST_TAGS = 20
LONGEST_TAG = 80
LONGEST_TEXT = 20_000


class AnswerId(Noun):
    """One answer of a run."""

    run: str = Field(min_length=1)
    """The run's id."""
    sample: str = Field(min_length=1)
    """The sample's id."""
    repeat: int = Field(0, ge=0)
    """Number of the answer, from 0."""

    def source(self) -> str:
        """Return it as lineage names it: `<run>/<sample>`."""
        return f"{self.run}/{self.sample}"

    def record(self) -> str:
        """Return the id that the answer has where people label it."""
        return self.sample if self.repeat == 0 else f"{self.sample}#{self.repeat}"


class Line(Noun):
    """What every line of the book has."""

    id: str = Field(min_length=1)
    """Unique name of the line."""
    by: str = Field(min_length=1)
    """Who wrote it."""
    at: str = Field(min_length=1)
    """When, ISO 8601, UTC."""


class Signed(NamedTuple):
    """A line's name, who writes it, and when."""

    id: str
    by: str
    at: str


class Note(Line):
    """What somebody saw in one answer; a person's later note on the same answer stands for the earlier one."""

    kind: Literal["note"] = "note"
    """Says that it is a note."""
    of: AnswerId
    """The answer."""
    text: str = Field("", max_length=LONGEST_TEXT)
    """The first thing that went wrong, in the coder's words."""
    tags: Many[Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]] = Field((), max_length=MOST_TAGS)
    """Open tags, or codes of the taxonomy."""
    correction: str = Field("", max_length=LONGEST_TEXT)
    """The whole answer as it should have been; empty: nobody wrote one."""
    code: str = ""
    """Fingerprint of the taxonomy that the coder saw; empty: there was none."""


class Pick(Line):
    """Of two answers to one prompt, the one that somebody prefers."""

    kind: Literal["pick"] = "pick"
    """Says that it is a pick."""
    better: AnswerId
    """The preferred answer."""
    worse: AnswerId
    """The other one."""


class Undo(Line):
    """Takes back another line, which stays in the book; an undo can be undone."""

    kind: Literal["undo"] = "undo"
    """Says that it is an undo."""
    undoes: str = Field(min_length=1)
    """Id of the line."""


Target = Literal["argilla", "evalset", "pairs", "conversations"]


class Act(Line):
    """What was done with a selection of failures."""

    kind: Literal["act"] = "act"
    """Says that it is an act."""
    to: Target
    """Where they went."""
    what: Many[AnswerId] = Field(min_length=1)
    """The answers."""
    into: str
    """Name of the labelling dataset, evalset or stored dataset."""
    use: Use | None = None
    """Use of a stored dataset."""
    template: str = ""
    """Labelling template; for `argilla`."""
    fingerprint: str = ""
    """Content hash of the stored rows; for `pairs` and `conversations`."""
    made: int = Field(0, ge=0)
    """Records, samples or rows that came of it."""
    why: str = ""
    """Why, in the words of who did it."""


class Version(Line):
    """The taxonomy as somebody saved it."""

    kind: Literal["taxonomy"] = "taxonomy"
    """Says that it is a version of the taxonomy."""
    taxonomy: Taxonomy
    """The codes."""
    fingerprint: str
    """Content hash of the codes."""
    replaces: str = ""
    """Fingerprint of the version that it was made from."""
    why: str = ""
    """What changed."""


Entry = Annotated[Note | Pick | Undo | Act | Version, Field(discriminator="kind")]
ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def book_of(home: Path) -> Book[Entry]:
    """Return the book of a home folder."""
    return Book(home / "failures" / "book.jsonl", ENTRY, "a line of error analysis")


@dataclass(frozen=True)
class Standing:
    """What holds of a book: all lines that nobody took back, oldest first."""

    notes: Sequence[Note]
    """Every note, earlier ones of a person on the same answer too."""
    picks: Sequence[Pick]
    acts: Sequence[Act]
    versions: Sequence[Version]

    def current(self) -> dict[AnswerId, list[Note]]:
        """Return the latest note of each person on each answer, answers in the order of their first note."""
        latest: dict[tuple[AnswerId, str], Note] = {}
        for note in self.notes:
            latest[note.of, note.by] = note
        found: dict[AnswerId, list[Note]] = {}
        for (of, _), note in latest.items():
            found.setdefault(of, []).append(note)
        return found

    def version(self) -> Version | None:
        """Return the taxonomy that was saved last."""
        return self.versions[-1] if self.versions else None


def standing(entries: Iterable[Entry]) -> Standing:
    """Return what holds of the lines of a book."""
    dead: set[str] = set()
    alive: list[Entry] = []
    for entry in reversed(list(entries)):  # an undo comes after what it undoes, so that it is met first
        if entry.id in dead:
            continue
        if isinstance(entry, Undo):
            dead.add(entry.undoes)
        else:
            alive.append(entry)
    alive.reverse()
    return Standing(
        notes=[e for e in alive if isinstance(e, Note)],
        picks=[e for e in alive if isinstance(e, Pick)],
        acts=[e for e in alive if isinstance(e, Act)],
        versions=[e for e in alive if isinstance(e, Version)],
    )
