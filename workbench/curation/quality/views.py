"""Rows of every kind seen alike: texts with their place and part. One traversal reads them and rewrites them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from workbench.datasets import Conversation, PreferencePair, Row, Sample, Side
from workbench.nouns import Noun
from workbench.records import Message, Passage, Record, Turn

Part = Literal["system", "prompt", "answer", "rejected", "context", "reference", "tools"]
"""What a text is for its row. `answer` is what is learnt or judged: assistant turns, the chosen side, outputs."""
Seen = Row | Record


class Text(NamedTuple):
    """One text of a row."""

    where: str
    """Its place, such as `messages[2].content`."""
    part: Part
    text: str
    json: bool = False
    """Whether it is JSON text, which must stay such when it is rewritten."""


Change = Callable[[Text], str]


@dataclass(frozen=True)
class View:
    """A row with its texts, as every filter sees it."""

    row: Seen
    texts: tuple[Text, ...]
    n_labels: int = 0
    """People whose word it rests on."""

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def family(self) -> str:
        return self.row.group if isinstance(self.row, Record) else self.row.family()

    @property
    def tags(self) -> dict[str, str]:
        return self.row.tags

    def part(self, part: Part) -> str:
        """Return the texts of a part, joined by line ends."""
        return "\n".join(t.text for t in self.texts if t.part == part)

    def answers(self) -> list[Text]:
        """Return what is learnt or judged; of a sample, which has no answer, the accepted ones."""
        wanted: Part = "reference" if isinstance(self.row, Sample) else "answer"
        return [t for t in self.texts if t.part == wanted and not t.json]

    def told(self) -> str:
        """Return the row in one line: its last question and its answer."""
        asked = [t.text for t in self.texts if t.part == "prompt"]
        said = [t.text for t in self.answers()]
        return " → ".join([*asked[-1:], *said[-1:]])

    def n_turns(self) -> int:
        """Return the number of turns but the system's, with the answer."""
        match self.row:
            case PreferencePair(prompt=messages):
                more = 1
            case Record(messages=messages, outputs=outputs):
                more = bool(outputs)
            case Sample(messages=messages) | Conversation(messages=messages):
                more = 0
        return sum(m.role != "system" for m in messages) + more


def views(rows: Iterable[Seen], labels: dict[str, int] | None = None) -> list[View]:
    """Return the rows as views; `labels` counts labels by a record's id, where the rows are records."""
    return [view_of(row, (labels or {}).get(row.id)) for row in rows]


def view_of(row: Seen, n_labels: int | None = None) -> View:
    """Return a row as a view. Without a count, its annotators count."""
    found: list[Text] = []

    def note(text: Text) -> str:
        found.append(text)
        return text.text

    rewritten(row, note)
    if n_labels is None:
        n_labels = len(row.lineage.annotators) if isinstance(row, Conversation | PreferencePair) else 0
    return View(row, tuple(found), n_labels)


def rewritten(row: Seen, change: Change) -> Seen:
    """Return the row with each of its texts put through `change`; it keeps its id and the family it had.

    Ids, groups and lineage are names and stay as they are. The same row comes back where no text changes.
    """
    match row:
        case Sample():
            update = _sample(row, change)
        case Conversation():
            update = {"messages": _turns("messages", row.messages, _chat, change), "tools": _tools(row.tools, change)}
        case PreferencePair():
            update = {
                "prompt": _turns("prompt", row.prompt, _prompt, change),
                "chosen": _side("chosen", row.chosen, "answer", change),
                "rejected": _side("rejected", row.rejected, "rejected", change),
                "tools": _tools(row.tools, change),
            }
        case Record():
            update = _record(row, change)
    if all(getattr(row, name) == value for name, value in update.items()):
        return row
    # The family is made from the prompt where no group is named: a changed prompt must not change sides.
    group = row.group if isinstance(row, Record) else row.family()
    return row.model_copy(update={**update, "group": group})


def _sample(row: Sample, change: Change) -> dict[str, object]:
    return {
        "messages": _messages(row.messages, change),
        "references": _each("references", row.references, "reference", change),
        "contexts": _passages(row.contexts, change),
    }


def _record(row: Record, change: Change) -> dict[str, object]:
    reference = row.reference
    return {
        "messages": _messages(row.messages, change),
        "outputs": _each("outputs", row.outputs, "answer", change),
        "contexts": _passages(row.contexts, change),
        "reference": None if reference is None else change(Text("reference", "reference", reference)),
    }


def _chat(role: str) -> Part:
    parts: dict[str, Part] = {"system": "system", "user": "prompt", "assistant": "answer", "tool": "context"}
    return parts[role]


def _prompt(role: str) -> Part:
    return "system" if role == "system" else "prompt"


def _messages(messages: Sequence[Message], change: Change) -> tuple[Message, ...]:
    return tuple(
        _with(m, "content", change(Text(f"messages[{i}].content", _prompt(m.role), m.content)))
        for i, m in enumerate(messages)
    )


def _turns(name: str, turns: Sequence[Turn], part: Callable[[str], Part], change: Change) -> tuple[Turn, ...]:
    return tuple(_turn(f"{name}[{i}]", turn, part(turn.role), change) for i, turn in enumerate(turns))


def _turn(where: str, turn: Turn, part: Part, change: Change) -> Turn:
    turn = _with(turn, "content", change(Text(f"{where}.content", part, turn.content)))
    if not turn.tool_calls:
        return turn
    calls = tuple(
        _with(call, "arguments", change(Text(f"{where}.tool_calls[{i}].arguments", part, call.arguments, json=True)))
        for i, call in enumerate(turn.tool_calls)
    )
    return turn.model_copy(update={"tool_calls": calls})


def _side(name: str, side: Side, part: Part, change: Change) -> Side:
    messages = _turns(f"{name}.messages", side.messages, lambda _: part, change)
    return side if messages == side.messages else side.model_copy(update={"messages": messages})


def _passages(passages: Sequence[Passage], change: Change) -> tuple[Passage, ...]:
    return tuple(
        _with(p, "text", change(Text(f"contexts[{i}].text", "context", p.text))) for i, p in enumerate(passages)
    )


def _each(name: str, texts: Sequence[str], part: Part, change: Change) -> tuple[str, ...]:
    return tuple(change(Text(f"{name}[{i}]", part, text)) for i, text in enumerate(texts))


def _tools(tools: str, change: Change) -> str:
    return change(Text("tools", "tools", tools, json=True)) if tools else tools


N = TypeVar("N", bound=Noun)


def _with(noun: N, field: str, text: str) -> N:
    return noun if getattr(noun, field) == text else noun.model_copy(update={field: text})
