"""Rows of datasets → tokens and what of them is learnt. Nothing is ever cut: a row is whole, left out, or refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workbench.datasets import Conversation, PreferencePair
from workbench.errors import DataError, Problem
from workbench.nouns import fingerprint
from workbench.records import Turn
from workbench.training.template import Template, Tokenizer, render

IGNORED = -100
"""Label of a token that is not learnt, as torch's cross entropy has it."""


class Learnt(NamedTuple):
    """A conversation in tokens."""

    id: str
    """The row's id."""
    ids: list[int]
    """Its tokens."""
    labels: list[int]
    """The token where it is learnt, else -100."""

    def length(self) -> int:
        """Return its tokens."""
        return len(self.ids)

    def scored(self) -> int:
        """Return the tokens whose probability is asked for."""
        return sum(label != IGNORED for label in self.labels)


class Compared(NamedTuple):
    """A preference pair in tokens."""

    id: str
    """The row's id."""
    prompt: list[int]
    """Tokens that both answers follow."""
    chosen: list[int]
    """Tokens of the preferred answer."""
    rejected: list[int]
    """Tokens of the other one."""

    def length(self) -> int:
        """Return the tokens of the longer of its two sequences."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))

    def scored(self) -> int:
        """Return the tokens whose probability is asked for."""
        return len(self.chosen) + len(self.rejected)


class Thumbed(NamedTuple):
    """An answer that got a thumb, in tokens."""

    id: str
    """The row's id."""
    prompt: list[int]
    """Tokens that the answer follows."""
    answer: list[int]
    """Tokens of the answer."""
    good: bool
    """Whether the thumb is up."""

    def length(self) -> int:
        """Return its tokens."""
        return len(self.prompt) + len(self.answer)

    def scored(self) -> int:
        """Return the tokens whose probability is asked for."""
        return len(self.answer)


@dataclass(frozen=True)
class Prepared:
    """Rows ready to be learnt from."""

    conversations: tuple[Learnt, ...] = ()
    pairs: tuple[Compared, ...] = ()
    thumbs: tuple[Thumbed, ...] = ()
    dropped: tuple[str, ...] = ()
    """Ids of rows left out because they are too long."""
    notes: tuple[str, ...] = field(default=())
    """What is unusual, in words."""

    def rows(self) -> Sequence[Learnt] | Sequence[Compared] | Sequence[Thumbed]:
        """Return the rows, of whichever kind."""
        return self.conversations or self.pairs or self.thumbs

    def lengths(self) -> list[int]:
        """Return the tokens of each row; of a pair those of its longer sequence."""
        return [row.length() for row in self.rows()]

    def digest(self) -> str:
        """Return a hash of everything that is learnt, in order."""
        return fingerprint([list(row[1:]) for row in self.rows()])


@dataclass(frozen=True)
class How:
    """How rows become tokens."""

    tokenizer: Tokenizer
    template: Template
    max_length: int
    """Longest row, in tokens."""
    drop_long: bool
    """Whether a longer row is left out; else it is refused."""


def prepare_conversations(rows: Iterable[Conversation], how: How, name: str) -> Prepared:
    """Return conversations in tokens, with their learnt turns marked. Raises `DataError` with every fault."""
    kept: list[Learnt] = []
    faults, dropped = list[Problem](), list[str]()
    for row in rows:
        found = _learnt(row, how)
        if isinstance(found, str):
            faults.append(Problem("NOT_LEARNABLE", found, name, field=row.id, fix=FIX_MARKS))
        elif fits(found, how, name, faults, dropped):
            kept.append(found)
    refuse(faults, len(kept), name)
    return Prepared(conversations=tuple(kept), dropped=tuple(dropped), notes=_stops(kept, how))


def prepare_pairs(rows: Iterable[PreferencePair], how: How, name: str) -> Prepared:
    """Return preference pairs in tokens. Raises `DataError` with every fault."""
    kept: list[Compared] = []
    faults, dropped = list[Problem](), list[str]()
    for row in rows:
        found = _compared(row, how)
        if isinstance(found, str):
            faults.append(Problem("NOT_LEARNABLE", found, name, field=row.id, fix="mend the row, or leave it out"))
        elif fits(found, how, name, faults, dropped):
            kept.append(found)
    refuse(faults, len(kept), name)
    return Prepared(pairs=tuple(kept), dropped=tuple(dropped))


FIX_MARKS = "put {% generation %} marks around what the assistant writes, and name the file as `chat_template`"


def fits(row: Learnt | Compared | Thumbed, how: How, name: str, faults: list[Problem], dropped: list[str]) -> bool:
    """Return whether a row is short enough; one that is not is noted as dropped, or as a fault."""
    if row.length() <= how.max_length:
        return True
    if how.drop_long:
        dropped.append(row.id)
    else:
        what = f"this row has {row.length():,} tokens and would be cut at {how.max_length:,}"
        fix = "raise max_length, shorten the row, or say `long_rows: drop`"
        faults.append(Problem("ROW_TOO_LONG", what, name, field=row.id, fix=fix))
    return False


def refuse(faults: list[Problem], n: int, name: str) -> None:
    """Raise `DataError` with every fault, and where no row is left."""
    if not faults and not n:
        fix = "nothing can be learnt from it, or measured by it: give a set with rows"
        faults = [Problem("NO_ROWS", "no row is left", name, fix=fix)]
    if faults:
        raise DataError(faults)


def _stops(rows: Sequence[Learnt], how: How) -> tuple[str, ...]:
    """Tell where no row teaches the end of an answer."""
    eos = how.tokenizer.eos_token_id
    if eos is None or any(eos in row.labels for row in rows):
        return ()
    return ("no row teaches the end-of-text token: the template ends turns otherwise, or outside its marks",)


# ---------------------------------------------------------------- conversations


def _learnt(row: Conversation, how: How) -> Learnt | str:
    """Return a conversation in tokens, or why it cannot be told which of them are learnt."""
    messages, tools = [plain(m) for m in row.messages], tools_of(row.tools)
    places = [i for i, m in enumerate(row.messages) if m.role == "assistant"]
    ids, mask = render(how.tokenizer, how.template, messages, tools, masks=how.template.marked)
    spans = list(_runs(mask)) if how.template.marked else _added(messages, places, ids, tools, how)
    if isinstance(spans, str):
        return spans
    every = all(row.messages[i].learnt for i in places)
    if not every and len(spans) != len(places):
        return f"its template marks {len(spans)} stretches for {len(places)} assistant turns, not all of them learnt"
    wanted = spans if every else [span for span, i in zip(spans, places, strict=True) if row.messages[i].learnt]
    labels = [IGNORED] * len(ids)
    for begin, end in wanted:
        labels[begin:end] = ids[begin:end]
    if all(label == IGNORED for label in labels[1:]):  # the first token is given, never predicted
        return "its template marks no token as the assistant's"
    return Learnt(row.id, ids, labels)


def _runs(mask: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the beginning and end of each stretch of ones."""
    begin = None
    for place, one in enumerate([*mask, 0]):
        if one and begin is None:
            begin = place
        elif not one and begin is not None:
            yield begin, place
            begin = None


def _added(
    messages: list[dict[str, Any]], places: Sequence[int], ids: list[int], tools: Any, how: How
) -> list[tuple[int, int]] | str:
    """Return the tokens that each assistant turn adds to those before it, or why that cannot be told.

    For templates without marks. It holds only where what comes later leaves what came before as it was; templates that
    drop earlier thoughts, for example, do not.
    """
    spans = []
    for place in places:
        before, _ = render(how.tokenizer, how.template, messages[:place], tools, prompt=True)
        after, _ = render(how.tokenizer, how.template, messages[: place + 1], tools)
        if ids[: len(before)] != before or ids[: len(after)] != after:
            return "its chat template has no generation marks, and renders a turn otherwise once others follow"
        spans.append((len(before), _to_stop(ids, len(before), len(after), how.tokenizer.eos_token_id)))
    return spans


def _to_stop(ids: list[int], begin: int, end: int, eos: int | None) -> int:
    """Return where a turn ends: behind its end-of-text token, without the line end that templates put after it."""
    last = next((place for place in range(end - 1, begin - 1, -1) if ids[place] == eos), None)
    return end if last is None else last + 1


# ---------------------------------------------------------------- pairs


def _compared(row: PreferencePair, how: How) -> Compared | str:
    """Return a pair in tokens as TRL makes them, or why it cannot be learnt from."""
    sides = (row.chosen.messages, row.rejected.messages)
    if any(turn.role != "assistant" for side in sides for turn in side):
        return "an answer holds a turn of somebody else than the assistant, which would be learnt, too"
    prompt, tools = [plain(m) for m in row.prompt], tools_of(row.tools)
    asked, _ = render(how.tokenizer, how.template, prompt, tools, prompt=True)
    chosen, rejected = (render(how.tokenizer, how.template, [*prompt, *map(plain, s)], tools)[0] for s in sides)
    if chosen[: len(asked)] != asked or rejected[: len(asked)] != asked:
        return "its template renders the prompt otherwise once an answer follows"
    begin = len(asked)
    if not chosen[begin:] or not rejected[begin:]:
        return "an answer has no tokens"
    if chosen == rejected:
        return "chosen and rejected are the same in tokens"
    return Compared(row.id, asked, chosen[begin:], rejected[begin:])


# ---------------------------------------------------------------- as templates take them


def plain(turn: Turn) -> dict[str, Any]:
    """Return a turn as chat templates take it."""
    found: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.tool_calls:
        found["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": _arguments(c.arguments)}}
            for c in turn.tool_calls
        ]
    if turn.tool_call_id:
        found["tool_call_id"] = turn.tool_call_id
    if turn.name:
        found["name"] = turn.name
    return found


def _arguments(text: str) -> Any:
    """Return a call's arguments as data where they are an object: templates print them themselves."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


def tools_of(text: str) -> Any:
    """Return the tools on offer as chat templates take them."""
    return json.loads(text) if text else None
