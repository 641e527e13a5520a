"""A set's rows as columns: what the checks look at, made once, so that 100,000 pairs fit in memory and time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.curation.shingles import Shingles, shingle_sets
from workbench.datasets import Conversation, Kind, PreferencePair, Votes
from workbench.records import Turn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BEGINNING = 600
"""Characters of a text that are enough to tell what it is about."""
FINISH = "finish_reason"
"""Tag that says why a chosen answer ended, as endpoints tell it."""


@dataclass
class Columns:
    """The rows of a set, column by column; of conversations, `chosen` is the last answer that is learnt."""

    kind: Kind
    ids: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    """All turns of the prompt, joined by line ends."""
    questions: list[str] = field(default_factory=list)
    """The last user turn."""
    ends: list[str] = field(default_factory=list)
    """The role of the prompt's last turn."""
    chosen: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    """Empty for conversations."""
    acts: list[bool] = field(default_factory=list)
    """Whether a side calls a tool, so that it may have no text."""
    foreign: list[bool] = field(default_factory=list)
    """Whether a side holds a turn that is not an answer's."""
    models: list[tuple[str, str]] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    votes: list[Votes | None] = field(default_factory=list)
    seen_first: list[bool | None] = field(default_factory=list)
    sources: list[tuple[str, ...]] = field(default_factory=list)
    """What a row was made from: one name, of datasets and runs joined."""
    annotators: list[tuple[str, ...]] = field(default_factory=list)
    finishes: list[str] = field(default_factory=list)
    good: list[bool | None] = field(default_factory=list)
    on_policy: list[bool | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The family of each row, as a number."""
        from workbench.statistics.means import group_codes

        return group_codes(self.families, len(self))

    @cached_property
    def words(self) -> list[list[str]]:
        """The sides, folded to compare them: case and spacing away, signs kept."""
        return [[folded(text) for text in column] for column in (self.chosen, self.rejected)]

    @cached_property
    def folded_prompts(self) -> list[str]:
        return [folded(text) for text in self.prompts]

    @cached_property
    def single_words(self) -> Shingles:
        """The words of the beginnings of the prompts, then of the chosen, then of the rejected sides."""
        return shingle_sets((text[:BEGINNING] for text in (*self.prompts, *self.chosen, *self.rejected)), 1)


def columns_of(rows: Iterable[PreferencePair | Conversation], kind: Kind) -> Columns:
    """Return the columns of a set's rows, which are read once."""
    columns = Columns(kind)
    for _ in taken_into(columns, rows):
        pass
    return columns


def taken_into(
    columns: Columns, rows: Iterable[PreferencePair | Conversation]
) -> Iterator[PreferencePair | Conversation]:
    """Yield rows as they come, each put into the columns: for whoever looks at them on the way; none is kept."""
    for row in rows:
        if isinstance(row, PreferencePair):
            _add_pair(columns, row)
        else:
            _add_conversation(columns, row)
        columns.ids.append(row.id)
        columns.families.append(row.family())
        columns.sources.append(_source(row.lineage.sources))
        columns.annotators.append(row.lineage.annotators)
        columns.finishes.append(row.tags.get(FINISH, ""))
        yield row


def folded(text: str) -> str:
    """Return a text with case and spacing folded away."""
    return " ".join(text.casefold().split())


def _source(sources: tuple[str, ...]) -> tuple[str, ...]:
    return (" + ".join(sorted({source.split("/", 1)[0] for source in sources})),) if sources else ()


def _add_pair(columns: Columns, row: PreferencePair) -> None:
    sides = (*row.chosen.messages, *row.rejected.messages)
    _add_prompt(columns, row.prompt)
    columns.chosen.append(row.chosen.text())
    columns.rejected.append(row.rejected.text())
    columns.acts.append(any(turn.tool_calls for turn in sides))
    columns.foreign.append(any(turn.role in ("user", "system") for turn in sides))
    columns.models.append((row.chosen.model, row.rejected.model))
    columns.rules.append(row.rule)
    columns.votes.append(row.votes)
    columns.seen_first.append(row.seen_first)
    columns.on_policy.append(row.on_policy)


def _add_conversation(columns: Columns, row: Conversation) -> None:
    last = max(at for at, turn in enumerate(row.messages) if turn.role == "assistant" and turn.learnt)
    _add_prompt(columns, row.messages[:last])
    columns.chosen.append(row.messages[last].content)
    columns.acts.append(bool(row.messages[last].tool_calls))
    columns.foreign.append(False)
    columns.rules.append(row.lineage.recipe)
    columns.good.append(row.good)


def _add_prompt(columns: Columns, turns: tuple[Turn, ...]) -> None:
    columns.prompts.append("\n".join(turn.content for turn in turns))
    columns.questions.append(next((t.content for t in reversed(turns) if t.role == "user"), ""))
    columns.ends.append(turns[-1].role if turns else "")
