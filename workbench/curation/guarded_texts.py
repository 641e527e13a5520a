"""Which texts of a row the firewall looks at: what is asked, and long answers; not passages that many prompts share."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from workbench.curation.leaks import RUN, Guarded
from workbench.curation.shingles import normalised
from workbench.datasets import Conversation, PreferencePair, Sample
from workbench.records import Message, Passage, Record

Learnt = Sample | Conversation | PreferencePair | Record | Guarded
"""Whatever something is learnt from: rows of datasets, labelled records, a judge's examples."""
OPENINGS = 4
"""First turns of a long chat that are each looked at as if the chat ended there."""
BEGINNING = 24
"""Characters by which a passage is found; shorter ones are not looked for."""
WORD = re.compile(r"\S+")
OWN_TURN = 8
"""Words from which a later turn of a chat is looked at by itself."""


def sources_of(row: Learnt) -> tuple[str, ...]:
    """Return what a row says it was made from, as `<dataset or run>/<id>`."""
    if isinstance(row, Conversation | PreferencePair):
        return row.lineage.sources
    return (f"{row.origin}/{row.id}",) if isinstance(row, Record) and row.origin else ()


def family_name(row: Sample | Conversation | PreferencePair | Record) -> str:
    """Return the prompt family of a row."""
    return row.group if isinstance(row, Record) else row.family()


def guarded_texts(sample: Sample) -> list[Guarded]:
    """Return the texts of a gate set's sample: its question without passages, its whole prompt, and long references."""
    group, prompt = sample.family(), _asked(sample.messages)
    question = without_passages(prompt, sample.contexts)
    found = [Guarded(sample.id, group, question)]
    if question != prompt:
        found.append(Guarded(sample.id, group, prompt, whole=True))
    return found + [Guarded(sample.id, group, text) for text in sample.references if _long(text, RUN)]


def learnt_texts(row: Learnt) -> list[Guarded]:
    """Return the texts of a row that is learnt from, each once."""
    if isinstance(row, Guarded):
        return [row]
    if isinstance(row, Sample):
        return guarded_texts(row)
    group, texts = family_name(row), dict.fromkeys(_texts(row))
    # A row without any text has a family all the same.
    return [Guarded(row.id, group, text) for text in texts] or [Guarded(row.id, group, "")]


def cut_out(texts: Sequence[Guarded], passages: Passages) -> list[Guarded]:
    """Return texts without passages that gate sets give; what was cut is compared as a whole besides."""
    found = []
    for text in texts:
        rest = text.text if text.whole else passages.cut_from(text.text)
        found.append(text if rest == text.text else text._replace(text=rest))
        if rest != text.text:
            found.append(text._replace(whole=True))
    return found


class Passages:
    """Passages that are found in texts, wherever a word begins, by how they begin."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_beginning: dict[str, list[str]] = {}
        self._openings: set[tuple[str, str]] | None = set()
        for text in sorted(set(texts), key=len, reverse=True):
            if len(text) >= BEGINNING:
                self._by_beginning.setdefault(text[:BEGINNING], []).append(text)
        for text in (one for some in self._by_beginning.values() for one in some):
            words = text.split(maxsplit=2)
            # The last word of a passage may go on in a text, so that two words know only a passage of three.
            if len(words) < 3:
                self._openings = None
                break
            self._openings.add((words[0], words[1]))

    def cut_from(self, text: str) -> str:
        """Return a text without the passages that stand in it word for word."""
        if not self._by_beginning or not self._may_hold(text):
            return text
        kept, done = [], 0
        for word in WORD.finditer(text):
            at = word.start()
            if at < done:
                continue
            fitting = self._by_beginning.get(text[at : at + BEGINNING], ())
            if passage := next((one for one in fitting if text.startswith(one, at)), ""):
                kept.append(text[done:at])
                done = at + len(passage)
        return " ".join([*kept, text[done:]])

    def _may_hold(self, text: str) -> bool:
        """Return whether two words of a text begin a passage: ten times as fast as to look at each place."""
        if self._openings is None:
            return True
        words = text.split()
        return not self._openings.isdisjoint(itertools.pairwise(words))


def without_passages(prompt: str, contexts: Sequence[Passage]) -> str:
    """Return a prompt without the passages that stand in it word for word."""
    for passage in sorted(contexts, key=lambda p: -len(p.text)):
        if passage.text.strip():
            prompt = prompt.replace(passage.text, " ")
    return prompt


def _texts(row: Conversation | PreferencePair | Record) -> Iterator[str]:
    """Yield a chat's openings, the whole of what is asked, its longer turns and its long answers."""
    turns: tuple[Message, ...] = row.prompt if isinstance(row, PreferencePair) else row.messages
    asked = [m.content for m in turns if m.role == "user" and m.content.strip()]
    contexts = row.contexts if isinstance(row, Record) else ()
    asked = [without_passages(text, contexts) for text in asked]
    for n in range(1, min(OPENINGS, len(asked)) + 1):
        yield "\n".join(asked[:n])
    if len(asked) > OPENINGS:
        yield "\n".join(asked)
    yield from (text for text in asked[1:] if _long(text, OWN_TURN))
    yield from (text for text in _answers(row) if _long(text, RUN))


def _answers(row: Conversation | PreferencePair | Record) -> Iterator[str]:
    if isinstance(row, Record):
        yield from row.outputs
        if row.reference is not None:
            yield row.reference
    elif isinstance(row, PreferencePair):
        yield row.chosen.text()
        yield row.rejected.text()
    else:
        yield from (m.content for m in row.messages if m.role == "assistant")


def _asked(messages: Sequence[Message]) -> str:
    return "\n".join(m.content for m in messages if m.role == "user")


def _long(text: str, words: int) -> bool:
    return len(normalised(text).split()) >= words
