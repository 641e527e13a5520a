"""Opinions on single answers → conversations to be learnt from: accepted, edited or corrected answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from workbench.curation.pairs.building import Waterfall
from workbench.curation.pairs.from_labels import written_by_a_person
from workbench.curation.pairs.judgements import Opinion, Unused, answer_key, has_text
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.quality.waterfall import Step
from workbench.datasets import Conversation, Lineage, Side
from workbench.records import Turn

Fate = Literal["accepted", "corrected", "bad", "conflict", "few_votes"]


@dataclass(frozen=True)
class Conversed:
    """The conversations of a build, and what became of the rest."""

    conversations: tuple[Conversation, ...]
    steps: tuple[Step, ...]
    n_duplicates: int
    told: str
    """The waterfall as one line."""


def build_conversations(opinions: Sequence[Opinion], unused: Sequence[Unused], policy: PairPolicy) -> Conversed:
    """Return the conversations whose last turn people or scorers accepted, edited or corrected."""
    fall = Waterfall()
    n = len(opinions) + sum(one.n for one in unused)
    told = [(one.reason, one.source, "") for one in unused for _ in range(one.n)]
    fall.step("on one answer", "what was said tells whether an answer is good", n, len(opinions), told)
    answers: dict[tuple[object, ...], list[Opinion]] = defaultdict(list)
    for o in opinions:
        answers[o.said.sources, o.said.guideline, o.prompt.key(), answer_key(o.answer)].append(o)
    fall.step("answers", "opinions on one answer of a record are one", len(opinions), len(answers))
    groups = [group for _, group in sorted(answers.items(), key=lambda item: repr(item[0]))]
    made = [(_fate(group, policy), group) for group in groups]
    wanted = {"accepted", "corrected", *(["bad"] if policy.bad_conversations else [])}
    kept = [_conversation(group, fate, policy) for fate, group in made if fate in wanted]
    out = [(f, g[0].said.sources[0], g[0].prompt.turns[-1].content) for f, g in made if f not in wanted]
    fall.step("fit to learn from", f"conflicts: {policy.conflicts}", len(made), len(kept), out)
    distinct = {(c.messages, c.good): c for c in sorted(kept, key=lambda c: c.id, reverse=True)}
    found = sorted(distinct.values(), key=lambda c: c.id)
    there = {id(c) for c in found}
    twice = [("duplicate", ", ".join(c.lineage.sources), c.messages[-1].content) for c in kept if id(c) not in there]
    fall.step("conversations", "the same conversation stands once", len(kept), len(found), twice)
    return Conversed(tuple(found), tuple(fall.steps), len(kept) - len(found), fall.told())


def _fate(group: Sequence[Opinion], policy: PairPolicy) -> Fate:
    """Return what the opinions on one answer come to. An edit says that the answer was not good as it was."""
    decided = [o for o in group if o.said.decided]
    if policy.conflicts == "adjudicated" and decided:
        group = decided
    if len(group) < policy.min_votes:
        return "few_votes"
    good = sum(_is_good(o, policy) for o in group)
    edited = sum(o.verdict == "edited" for o in group)
    enough = len(group) if policy.conflicts == "unanimous" else len(group) // 2 + 1
    if good >= enough:
        return "accepted" if has_text(group[0].answer) else "conflict"
    if edited and len(group) - good >= enough:
        return "corrected"
    return "bad" if len(group) - good >= enough else "conflict"


def _is_good(opinion: Opinion, policy: PairPolicy) -> bool:
    if opinion.rating is None:
        return opinion.verdict == "good"
    least = opinion.low + 0.75 * (opinion.high - opinion.low)
    return opinion.rating >= (least if policy.good_rating is None else policy.good_rating)


def _conversation(group: Sequence[Opinion], fate: str, policy: PairPolicy) -> Conversation:
    group = sorted(group, key=lambda o: (o.said.decided, o.said.at, o.said.annotator))
    edits = [o for o in group if o.verdict == "edited"]
    # The latest correction stands for all; an adjudicator's comes last.
    side = written_by_a_person(edits[-1].edit) if fate == "corrected" else group[0].answer
    prompt = group[0].prompt
    good = fate != "bad" if policy.bad_conversations else None
    said = sorted({o.said.annotator for o in (edits if fate == "corrected" else group) if o.said.annotator})
    name = sha256(prompt.key() + answer_key(side) + str(good).encode()).hexdigest()[:16]
    tags = {**prompt.tags, **({"model": side.model} if side.model else {})}
    return Conversation(
        id=f"chat-{name}",
        group=prompt.group,
        messages=_learnt(prompt.turns, side),
        tools=prompt.tools,
        good=good,
        tags=tags,
        lineage=Lineage(
            sources=tuple(sorted({s for o in group for s in o.said.sources})),
            annotators=tuple(said),
            recipe=f"pairs build: {fate}",
            synthetic=all(o.said.by_model for o in group) or prompt.tags.get("synthetic") == "true",
        ),
    )


def _learnt(turns: Sequence[Turn], side: Side) -> tuple[Turn, ...]:
    """Return the chat; earlier assistant turns were judged by nobody, so that they are not learnt from."""
    earlier = tuple(t.model_copy(update={"learnt": False}) if t.role == "assistant" else t for t in turns)
    return earlier + side.messages
