"""What coding comes to: causes ranked by frequency and severity, whether new ones appear, whether coders agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import Field

from workbench.failures.entries import AnswerId, Note, Standing
from workbench.failures.taxonomy import Taxonomy
from workbench.nouns import Noun
from workbench.runs import Interval
from workbench.statistics.agreement import krippendorff_alpha, pair_agreement
from workbench.statistics.intervals import Estimate, wilson


class Bar(Noun):
    """One code, or one tag that no code includes yet."""

    code: str
    """The code, or the tag itself."""
    name: str
    """What people read."""
    parent: str = ""
    """Code of its group."""
    known: bool
    """Whether the taxonomy has it."""
    severity: int | None
    """From 1 to 5; `None`: nobody has said."""
    k: int = Field(ge=0)
    """Coded answers that have it, or a code below it."""
    n: int = Field(ge=0)
    """Coded answers."""
    interval: Interval
    """Wilson's interval of k / n. Answers were coded by choice, so it speaks of what is like them."""
    weight: float | None
    """k / n × severity: what it costs an answer on average; `None` without a severity."""
    low: float | None
    """The interval's lower end × severity."""
    high: float | None
    """The interval's upper end × severity."""


def pareto(standing: Standing, taxonomy: Taxonomy | None, runs: Sequence[str] = ()) -> list[Bar]:
    """Return the codes of coded answers, the heaviest first; of some runs, or of all.

    An answer counts once for a code, whoever gave it, and for the groups above it. Codes without a severity follow,
    the most frequent first.
    """
    coded = _coded(standing, taxonomy, runs)
    counts: Counter[str] = Counter()
    for by_person in coded.values():
        own = frozenset[str]().union(*by_person.values())
        counts.update({up for code in own for up in (taxonomy.with_parents(code) if taxonomy else (code,))})
    bars = [_bar(code, k, len(coded), taxonomy) for code, k in counts.items()]
    return sorted(bars, key=lambda b: (b.weight is None, -(b.weight or 0), -b.k, b.code))


class Point(Noun):
    """The state after one more coded answer."""

    n: int = Field(ge=1)
    """Answers coded so far."""
    new: int = Field(ge=0)
    """Codes that this answer brought."""
    codes: int = Field(ge=0)
    """Codes seen so far."""


class Saturation(Noun):
    """Whether further coding is likely to show something new."""

    points: tuple[Point, ...]
    """One a coded answer, in the order of the first notes."""
    unseen: float | None
    """Good and Turing's estimate of the chance that a further code is a new one: codes seen once / codes given."""
    since: int = Field(ge=0)
    """Answers coded since the last new code."""


def saturation(standing: Standing, taxonomy: Taxonomy | None, runs: Sequence[str] = ()) -> Saturation:
    """Return how many new codes each further coded answer brought (Good 1953 for what is still unseen)."""
    seen: Counter[str] = Counter()
    points: list[Point] = []
    since = 0
    for n, by_person in enumerate(_coded(standing, taxonomy, runs).values(), 1):
        codes = frozenset[str]().union(*by_person.values())
        new = len(codes - seen.keys())
        seen.update(codes)
        since = 0 if new else since + 1
        points.append(Point(n=n, new=new, codes=len(seen)))
    once, given = sum(k == 1 for k in seen.values()), seen.total()
    return Saturation(points=tuple(points), unseen=once / given if given else None, since=since)


class CodeAgreement(Noun):
    """How far coders agree on whether an answer has a code."""

    code: str
    """The code; empty: on the whole set of codes."""
    k: int = Field(ge=0)
    """Answers of two coders or more to which somebody gave it."""
    alpha: Estimate
    """Krippendorff's alpha, nominal, with an interval over families."""
    equal: Estimate
    """Share of pairs of coders that say the same, which chance alone can make high."""


def coder_agreement(
    standing: Standing, taxonomy: Taxonomy | None, families: Mapping[AnswerId, str], *, seed: int = 0
) -> list[CodeAgreement]:
    """Return the agreement of coders over answers that two or more coded: on the set of codes, then code by code."""
    both = {of: who for of, who in _coded(standing, taxonomy, ()).items() if len(who) > 1}
    people = sorted({by for who in both.values() for by in who})
    groups = [families.get(of, of.sample) for of in both]
    codes: Counter[str] = Counter()
    for who in both.values():
        codes.update(frozenset[str]().union(*who.values()))
    sets = [[", ".join(sorted(who[by])) if by in who else None for by in people] for who in both.values()]
    found = [_agreed("", len(both), sets, groups, seed)] if both else []
    for code, k in codes.most_common():
        table = [
            [("yes" if code in who[by] else "no") if by in who else None for by in people] for who in both.values()
        ]
        found.append(_agreed(code, k, table, groups, seed))
    return found


def _coded(
    standing: Standing, taxonomy: Taxonomy | None, runs: Sequence[str]
) -> dict[AnswerId, dict[str, frozenset[str]]]:
    """Return each coder's codes of each coded answer; a note without tags is no coding."""
    found: dict[AnswerId, dict[str, frozenset[str]]] = {}
    for of, notes in standing.current().items():
        tagged = [note for note in notes if note.tags and (not runs or of.run in runs)]
        if tagged:
            found[of] = {note.by: _codes(note, taxonomy) for note in tagged}
    return found


def _codes(note: Note, taxonomy: Taxonomy | None) -> frozenset[str]:
    return frozenset(note.tags) if taxonomy is None else taxonomy.codes(note.tags)


def _bar(code: str, k: int, n: int, taxonomy: Taxonomy | None) -> Bar:
    mode = next((m for m in taxonomy.modes if m.value == code), None) if taxonomy else None
    interval, severity = wilson(k, n), mode.severity if mode else None
    times = (lambda share: None) if severity is None else (lambda share: share * severity)
    return Bar(
        code=code,
        name=(mode.title or code) if mode else code,
        parent=mode.parent if mode else "",
        known=mode is not None,
        severity=severity,
        k=k,
        n=n,
        interval=interval,
        weight=times(k / n),
        low=times(interval.low),
        high=times(interval.high),
    )


def _agreed(
    code: str, k: int, table: Sequence[Sequence[str | None]], groups: Sequence[str], seed: int
) -> CodeAgreement:
    alpha = krippendorff_alpha(table, "nominal", groups, seed=seed)
    return CodeAgreement(code=code, k=k, alpha=alpha, equal=pair_agreement(table, groups, seed=seed))
