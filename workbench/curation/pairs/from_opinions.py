"""Opinions on single answers → judgements on two: corrections over originals, good over bad, ratings of one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from workbench.curation.pairs.from_labels import written_by_a_person
from workbench.curation.pairs.judgements import Better, Judgement, Opinion, Said, Unused, answer_key
from workbench.curation.pairs.policy import PairPolicy
from workbench.datasets import PairRule


def compared(opinions: Iterable[Opinion], policy: PairPolicy) -> Iterator[Judgement | Unused]:
    """Yield what opinions on answers to one prompt say of two of them; what has no partner is unused.

    Only opinions under one guideline are set against each other, and those of one annotator where one gave both.
    """
    groups: dict[tuple[bytes, str], list[Opinion]] = defaultdict(list)
    for opinion in opinions:
        groups[opinion.prompt.key(), opinion.said.guideline].append(opinion)
    for group in groups.values():
        yield from _corrections(group)
        rated = [o for o in group if o.rating is not None]
        yield from _rated(rated, policy)
        told = [o for o in group if o.verdict is not None]
        edited = {o.said.sources for o in told if o.verdict == "edited"}
        if any(o.verdict != "edited" for o in told) or len({answer_key(o.answer) for o in told}) > 1:
            yield from _thumbs(told, edited)


def _corrections(group: Sequence[Opinion]) -> Iterator[Judgement]:
    """Yield each correction over its original, and what others said of that original as their votes on the two.

    Whoever found the original good votes for neither; whoever found it wanting votes for the correction.
    """
    edits = {(o.said.sources, o.edit): o for o in group if o.verdict == "edited"}
    for (sources, edit), opinion in edits.items():
        for other in group:
            if other.said.sources == sources and other.verdict is not None:
                better: Better = "tie" if other.verdict == "good" else "one"
                said = replace(other.said, rule=opinion.said.rule)
                yield Judgement(opinion.prompt, written_by_a_person(edit), opinion.answer, better, said)


# ---------------------------------------------------------------- ratings


def _rated(opinions: Sequence[Opinion], policy: PairPolicy) -> Iterator[Judgement | Unused]:
    by: dict[str, list[Opinion]] = defaultdict(list)
    for opinion in opinions:
        by[opinion.said.annotator].append(opinion)
    for mine in by.values():
        if len({answer_key(o.answer) for o in mine}) < 2:
            yield from (Unused("alone", o.said.sources[0]) for o in mine)
            continue
        for a, b in combinations(_in_order(mine), 2):
            yield _two_ratings(a, b, policy)


def _two_ratings(a: Opinion, b: Opinion, policy: PairPolicy) -> Judgement:
    assert a.rating is not None and b.rating is not None
    gap = a.rating - b.rating
    better: Better = "tie" if abs(gap) < max(policy.min_margin, 1e-9) else "one" if gap > 0 else "other"
    if policy.both_bad == "drop" and max(a.rating, b.rating) <= bad_up_to(a, policy):
        better = "both_bad"
    margin = abs(gap) if better in ("one", "other") else None
    return Judgement(a.prompt, a.answer, b.answer, better, _both(a, b), margin)


def bad_up_to(opinion: Opinion, policy: PairPolicy) -> float:
    """Return the highest rating that is bad; without a rule, what lies below the middle of the scale."""
    return (opinion.low + opinion.high) / 2 - 1e-9 if policy.bad_rating is None else policy.bad_rating


# ---------------------------------------------------------------- good and bad


def _thumbs(opinions: Sequence[Opinion], edited: Collection[tuple[str, ...]]) -> Iterator[Judgement | Unused]:
    """Yield good over bad; `edited` sources said something already, of their corrections."""
    opinions = [replace(o, said=replace(o.said, rule=_rule(o))) for o in _in_order(opinions)]
    if len({answer_key(o.answer) for o in opinions}) < 2:
        yield from (Unused("alone", o.said.sources[0]) for o in opinions if o.said.sources not in edited)
        return
    good, bad = ([o for o in opinions if (o.verdict == "good") == wanted] for wanted in (True, False))
    if not good or not bad:
        a, b = opinions[0], next(o for o in opinions if answer_key(o.answer) != answer_key(opinions[0].answer))
        yield Judgement(a.prompt, a.answer, b.answer, "tie" if good else "both_bad", _both(a, b))
        return
    met = [(g, b) for g in good for b in bad]
    same_person = [(g, b) for g, b in met if g.said.annotator == b.said.annotator]
    for g, b in same_person or met:
        yield Judgement(g.prompt, g.answer, b.answer, "one", _both(g, b))


def _rule(opinion: Opinion) -> PairRule:
    return "thumbs" if opinion.said.rule == "edit" else opinion.said.rule


def _both(a: Opinion, b: Opinion) -> Said:
    names = sorted({a.said.annotator, b.said.annotator})
    return replace(
        a.said,
        sources=tuple(sorted({*a.said.sources, *b.said.sources})),
        annotator=", ".join(names),
        decided=a.said.decided and b.said.decided,
    )


def _in_order(opinions: Sequence[Opinion]) -> list[Opinion]:
    return sorted(opinions, key=lambda o: (o.said.sources, o.said.annotator, answer_key(o.answer)))
