"""Judgements → preference pairs, with a waterfall of everything that was left out and a quarantine of contradictions.

Only what was said decides: any order of the judgements gives the same pairs with the same ids.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from workbench.curation.pairs.circles import in_circles
from workbench.curation.pairs.judgements import Judgement, Prompt, Unused, answer_key
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.pairs.pooling import Comparison, pooled, usable
from workbench.curation.quality.waterfall import Example, Step, excerpt
from workbench.datasets import Lineage, PreferencePair, Votes

T = TypeVar("T")
EXAMPLES = 5
"""Examples kept of a step."""


@dataclass
class Waterfall:
    """What each step of a build left out. The only thing here that grows."""

    steps: list[Step] = field(default_factory=list)

    def step(self, name: str, rule: str, n_in: int, n_out: int, out: Iterable[tuple[str, str, str]] = ()) -> None:
        """Add a step; `out` holds reason, name and beginning of what was left out."""
        reasons: Counter[str] = Counter()
        examples: list[Example] = []
        seen: set[tuple[str, str]] = set()
        for reason, name_, text in out:
            reasons[reason] += 1
            if (reason, name_) not in seen and (reasons[reason] == 1 or len(examples) < EXAMPLES):
                seen.add((reason, name_))
                examples.append(Example(id=name_, why=reason, text=excerpt(text)))
        kinds = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
        self.steps.append(Step(name=name, rule=rule, n_in=n_in, n_out=n_out, reasons=kinds, examples=tuple(examples)))

    def told(self) -> str:
        """Return the steps as one line, such as `412 judgements → 380 on two answers → …`."""
        first = self.steps[0].n_in if self.steps else 0
        return " → ".join([f"{first:,} judgements", *(f"{step.n_out:,} {step.name}" for step in self.steps)])


@dataclass(frozen=True)
class Built:
    """The pairs of a build, and what became of the rest."""

    pairs: tuple[PreferencePair, ...]
    steps: tuple[Step, ...]
    quarantined: tuple[tuple[str, PreferencePair], ...]
    """Pairs that contradict each other, with the reason."""
    n_duplicates: int
    """Pairs that another source said as well; its votes and sources are in the one that was kept."""
    told: str
    """The waterfall as one line."""


def build_pairs(judgements: Sequence[Judgement], unused: Sequence[Unused], policy: PairPolicy) -> Built:
    """Return the pairs that judgements come to under a policy. `unused` was said and compares nothing."""
    fall = Waterfall()
    fit, unfit = usable(judgements)
    silent = [*unused, *unfit]
    n = len(judgements) + sum(one.n for one in unused)
    told = [(one.reason, one.source, "") for one in silent for _ in range(one.n)]
    fall.step("on two answers", "what was said compares two different answers that have text", n, len(fit), told)
    comparisons = pooled(fit, policy)
    rule = "votes on the same two answers of a record are one comparison"
    fall.step("comparisons", rule, len(fit), len(comparisons))
    pairs = _decided(comparisons, policy, fall)
    pairs, quarantined = _without_contradictions(pairs, fall)
    pairs, n_duplicates = _merged(pairs, fall)
    pairs, circles = _without_circles(pairs, fall)
    pairs = _on_policy(pairs, policy, fall)
    pairs = _capped(pairs, policy, fall)
    return Built(tuple(pairs), tuple(fall.steps), (*quarantined, *circles), n_duplicates, fall.told())


def _decided(comparisons: Sequence[Comparison], policy: PairPolicy, fall: Waterfall) -> list[PreferencePair]:
    decided = [c for c in comparisons if c.outcome == "decided"]
    out = [(c.outcome, ", ".join(c.sources), c.prompt.turns[-1].content) for c in comparisons if c.outcome != "decided"]
    rule = f"conflicts: {policy.conflicts}; a tie vote is {policy.ties}; at least {policy.min_votes} votes"
    fall.step("decided", rule, len(comparisons), len(decided), out)
    return [_pair(c, policy) for c in decided]


def _pair(c: Comparison, policy: PairPolicy) -> PreferencePair:
    name = sha256(c.prompt.key() + answer_key(c.chosen) + answer_key(c.rejected)).hexdigest()[:16]
    models = {c.chosen.model, c.rejected.model}
    on_policy = None if not policy.tuned or "" in models else models == {policy.tuned}
    return PreferencePair(
        id=f"pair-{name}",
        group=c.prompt.group,
        prompt=c.prompt.turns,
        chosen=c.chosen,
        rejected=c.rejected,
        rule=c.rule,
        margin=c.margin,
        on_policy=on_policy,
        votes=c.votes,
        seen_first=c.seen_first,
        tools=c.prompt.tools,
        tags=c.prompt.tags,
        lineage=Lineage(
            sources=c.sources,
            annotators=c.annotators,
            recipe=f"pairs build: {c.rule}",
            synthetic=c.by_model or c.prompt.tags.get("synthetic") == "true",
        ),
    )


# ---------------------------------------------------------------- pairs against pairs


def _without_contradictions(
    pairs: Sequence[PreferencePair], fall: Waterfall
) -> tuple[list[PreferencePair], list[tuple[str, PreferencePair]]]:
    """Set aside pairs of which one source says A over B and another B over A."""
    directed = {direction(pair) for pair in pairs}
    bad = [pair for pair in pairs if _opposed(pair, directed)]
    away = {id(pair) for pair in bad}
    kept = [pair for pair in pairs if id(pair) not in away]
    rule = "no source says A over B where another says B over A"
    fall.step("not contradicted", rule, len(pairs), len(kept), [_out("contradiction", pair) for pair in bad])
    return kept, [("contradiction", pair) for pair in bad]


def direction(pair: PreferencePair) -> tuple[bytes, bytes, bytes]:
    """Return prompt, better and worse answer of a pair as keys."""
    return Prompt(pair.prompt, tools=pair.tools).key(), answer_key(pair.chosen), answer_key(pair.rejected)


def _opposed(pair: PreferencePair, directed: set[tuple[bytes, bytes, bytes]]) -> bool:
    prompt, better, worse = direction(pair)
    return (prompt, worse, better) in directed


def _merged(pairs: Sequence[PreferencePair], fall: Waterfall) -> tuple[list[PreferencePair], int]:
    """Make one of pairs that several sources say: their votes are added, their sources and annotators joined."""
    groups = _grouped(pairs, direction)
    merged = [_one(group) for group in groups.values()]
    out = [_out("duplicate", pair) for group in groups.values() for pair in group[1:]]
    fall.step("distinct", "a pair that several sources say is one", len(pairs), len(merged), out)
    return merged, len(pairs) - len(merged)


def _one(group: Sequence[PreferencePair]) -> PreferencePair:
    if len(group) == 1:
        return group[0]
    first, *_ = group = sorted(group, key=lambda p: (p.lineage.sources, p.rule))
    counted = [p.votes for p in group if p.votes is not None]
    votes = Votes(
        chosen=sum(v.chosen for v in counted),
        rejected=sum(v.rejected for v in counted),
        ties=sum(v.ties for v in counted),
    )
    seen = {p.seen_first for p in group}
    lineage = Lineage(
        sources=tuple(sorted({s for p in group for s in p.lineage.sources})),
        annotators=tuple(sorted({a for p in group for a in p.lineage.annotators})),
        recipe="pairs build: " + ", ".join(sorted({p.rule for p in group})),
        synthetic=all(p.lineage.synthetic for p in group),
    )
    told = {"votes": votes if counted else None, "seen_first": seen.pop() if len(seen) == 1 else None}
    return first.model_copy(update={**told, "lineage": lineage})


def _without_circles(
    pairs: Sequence[PreferencePair], fall: Waterfall
) -> tuple[list[PreferencePair], list[tuple[str, PreferencePair]]]:
    """Set aside pairs of one prompt that prefer in a circle, such as A > B > C > A: no ranking can hold them all."""
    bad = in_circles([direction(pair) for pair in pairs])
    kept = [pair for at, pair in enumerate(pairs) if at not in bad]
    circles = [pair for at, pair in enumerate(pairs) if at in bad]
    fall.step("without circles", "no A > B > C > A", len(pairs), len(kept), [_out("circle", p) for p in circles])
    return kept, [("circle", pair) for pair in circles]


def _on_policy(pairs: list[PreferencePair], policy: PairPolicy, fall: Waterfall) -> list[PreferencePair]:
    if not policy.on_policy_only:
        return pairs
    kept = [pair for pair in pairs if pair.on_policy]
    out = [_out("off_policy" if p.on_policy is False else "unknown_model", p) for p in pairs if not p.on_policy]
    fall.step("on-policy", f"both sides are by {policy.tuned}", len(pairs), len(kept), out)
    return kept


def _capped(pairs: list[PreferencePair], policy: PairPolicy, fall: Waterfall) -> list[PreferencePair]:
    """Keep the clearest pairs of each prompt: the largest margin, then the most votes, then a fixed order."""
    kept = sorted(pairs, key=lambda p: p.id)
    if policy.per_prompt is not None:
        groups = _grouped(pairs, lambda p: direction(p)[0])
        best = (sorted(group, key=_clearest)[: policy.per_prompt] for group in groups.values())
        kept = sorted((pair for group in best for pair in group), key=lambda p: p.id)
    there = {pair.id for pair in kept}
    out = [_out("prompt_full", pair) for pair in pairs if pair.id not in there]
    fall.step("pairs", f"at most {policy.per_prompt or 'any number of'} of one prompt", len(pairs), len(kept), out)
    return kept


def _clearest(pair: PreferencePair) -> tuple[float, int, str]:
    return -(pair.margin or 0.0), -(pair.votes.chosen if pair.votes else 0), pair.id


def _grouped(values: Iterable[T], key: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    groups: dict[Hashable, list[T]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return groups


def _out(reason: str, pair: PreferencePair) -> tuple[str, str, str]:
    return reason, ", ".join(pair.lineage.sources) or pair.id, pair.prompt[-1].content
