"""Votes on the same two answers → one comparison: decided, a tie, both bad, or a conflict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.curation.pairs.judgements import Judgement, Prompt, Unused, answer_key, has_text
from workbench.curation.pairs.policy import PairPolicy
from workbench.datasets import PairRule, Side, Votes

Outcome = Literal["decided", "tie", "both_bad", "conflict", "few_votes", "small_margin"]


@dataclass(frozen=True)
class Comparison:
    """All votes on two answers within one source, and what they come to."""

    prompt: Prompt
    chosen: Side
    """The better one; without a decision, one of the two."""
    rejected: Side
    outcome: Outcome
    votes: Votes
    rule: PairRule
    sources: tuple[str, ...]
    annotators: tuple[str, ...]
    margin: float | None
    seen_first: bool | None
    """Whether the chosen answer was seen first by all who saw both; `None`: not known, or not the same for all."""
    by_model: bool
    """Whether only models voted."""


def usable(judgements: Iterable[Judgement]) -> tuple[list[Judgement], list[Unused]]:
    """Return the judgements on two different answers with text, and the others."""
    fit: list[Judgement] = []
    unfit: list[Unused] = []
    for j in judgements:
        if not has_text(j.one) or not has_text(j.other):
            unfit.append(Unused("no_text", j.said.sources[0]))
        elif j.one.messages == j.other.messages:
            unfit.append(Unused("same_text", j.said.sources[0]))
        else:
            fit.append(j)
    return fit, unfit


def pooled(judgements: Iterable[Judgement], policy: PairPolicy) -> list[Comparison]:
    """Return one comparison for the same two answers, sources, rule and guideline, in an order that is theirs alone."""
    groups: dict[tuple[object, ...], list[Judgement]] = defaultdict(list)
    for j in judgements:
        both = tuple(sorted((answer_key(j.one), answer_key(j.other))))
        groups[j.said.sources, j.said.rule, j.said.guideline, j.prompt.key(), both].append(j)
    return [_one(group, policy) for _, group in sorted(groups.items(), key=lambda item: repr(item[0]))]


def _one(group: Sequence[Judgement], policy: PairPolicy) -> Comparison:
    group = sorted(group, key=lambda j: (j.said.annotator, j.said.at, answer_key(j.one), j.better))
    if policy.conflicts == "adjudicated" and any(j.said.decided for j in group):
        group = [j for j in group if j.said.decided]
    else:
        group = [j for j in group if not j.said.decided] or group
    a, b = sorted((group[0].one, group[0].other), key=answer_key)
    said = [_word(j, a) for j in group]
    tally = Counter(said)
    better, worse = (a, b) if tally["first"] >= tally["second"] else (b, a)
    wins, losses = max(tally["first"], tally["second"]), min(tally["first"], tally["second"])
    votes = Votes(chosen=wins, rejected=losses, ties=tally["tie"] + tally["both_bad"])
    side = "first" if better is a else "second"
    margins = [j.margin for j, word in zip(group, said, strict=True) if word == side and j.margin is not None]
    margin = sum(margins) / len(margins) if margins else None
    return Comparison(
        prompt=group[0].prompt,
        chosen=better,
        rejected=worse,
        outcome=_outcome(votes, tally["both_bad"], margin, policy),
        votes=votes,
        rule=group[0].said.rule,
        sources=tuple(sorted({source for j in group for source in j.said.sources})),
        annotators=tuple(sorted({name for j in group for name in j.said.annotator.split(", ") if name})),
        margin=margin,
        seen_first=_seen_first(group, better),
        by_model=all(j.said.by_model for j in group),
    )


def _word(j: Judgement, first: Side) -> str:
    """Return which of the two sides, in their fixed order, a judgement prefers."""
    if j.better in ("tie", "both_bad"):
        return j.better
    winner = j.one if j.better == "one" else j.other
    return "first" if answer_key(winner) == answer_key(first) else "second"


def _outcome(votes: Votes, both_bad: int, margin: float | None, policy: PairPolicy) -> Outcome:
    n = votes.chosen + votes.rejected + (votes.ties if policy.ties == "against" else 0)
    everybody = votes.chosen + votes.rejected + votes.ties
    if everybody < policy.min_votes:
        return "few_votes"
    if 2 * votes.ties > everybody or not votes.chosen:
        return "both_bad" if 2 * both_bad >= votes.ties > 0 else "tie"
    needed = votes.chosen == n if policy.conflicts == "unanimous" else 2 * votes.chosen > n
    if not needed:
        return "conflict"
    return "small_margin" if margin is not None and margin < policy.min_margin else "decided"


def _seen_first(group: Sequence[Judgement], chosen: Side) -> bool | None:
    told = {
        (answer_key(j.one if j.seen_first == "one" else j.other) == answer_key(chosen))
        for j in group
        if j.seen_first is not None
    }
    return told.pop() if len(told) == 1 else None
