"""Filters in a row, each leaving a count and examples: what came in, what went on, what was dropped, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from workbench.curation.quality.duplicates import Twin
from workbench.curation.quality.masking import masked_text
from workbench.curation.quality.views import View
from workbench.nouns import Many, Noun

EXAMPLES = 5
"""Examples kept of a step."""
LONG = 160
"""Characters of an example."""


class Example(Noun):
    """A row that a filter dropped or changed."""

    id: str
    """The row."""
    why: str
    """What was found, in words; never a secret."""
    text: str
    """The beginning of what was found in it, with personal data and secrets masked."""


class Cluster(Noun):
    """A row that is kept and the rows that say the same."""

    kept: Example
    dropped: Many[Example]
    """The most alike first, up to `EXAMPLES`."""
    n: int = Field(ge=2)
    """Rows of the cluster, with the kept one."""


class Step(Noun):
    """What one filter did."""

    name: str
    """The filter."""
    rule: str
    """What it drops or changes, in words a person can repeat."""
    n_in: int = Field(ge=0)
    """Rows that came in."""
    n_out: int = Field(ge=0)
    """Rows that went on."""
    n_changed: int = Field(0, ge=0)
    """Rows that went on changed."""
    reasons: dict[str, int] = {}
    """Rows by what was found."""
    examples: Many[Example] = ()
    """The first rows that were dropped or changed, a few of each reason."""
    clusters: Many[Cluster] = ()
    """Of duplicates the largest clusters."""


class Decided(NamedTuple):
    """What a filter says of rows, by their place."""

    dropped: Mapping[int, tuple[str, str, str]]
    """What is dropped: (reason, why, text). The reason is one of a few words; why names the row's own case."""
    changed: Mapping[int, tuple[View, str, str, str]] = {}
    """What goes on in another form: the row, and the same three."""
    twins: Sequence[Twin] = ()
    """Of duplicates, what is dropped for which row."""


class Filter(NamedTuple):
    """A rule over rows."""

    name: str
    rule: str
    decide: Callable[[Sequence[View]], Decided]


def run_filters(rows: Sequence[View], filters: Iterable[Filter]) -> tuple[list[View], list[Step]]:
    """Return the rows that every filter lets through, as they came out, and what each filter did, in order."""
    left, steps = list(rows), []
    for one in filters:
        decided = one.decide(left)
        steps.append(_step(one, left, decided))
        left = [
            decided.changed[place][0] if place in decided.changed else row
            for place, row in enumerate(left)
            if place not in decided.dropped
        ]
    return left, steps


def _step(one: Filter, rows: Sequence[View], decided: Decided) -> Step:
    found = [*((place, *said) for place, said in decided.dropped.items())]
    found += [(place, *said[1:]) for place, said in decided.changed.items()]
    reasons: dict[str, int] = {}
    shown: dict[str, list[Example]] = {}
    for place, reason, why, text in sorted(found):
        reasons[reason] = reasons.get(reason, 0) + 1
        if len(shown.setdefault(reason, [])) < EXAMPLES:
            shown[reason].append(Example(id=rows[place].id, why=why, text=excerpt(text)))
    n_out = len(rows) - len(decided.dropped)
    reasons = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    examples = tuple(_mixed([shown[reason] for reason in reasons]))
    return Step(
        name=one.name, rule=one.rule, n_in=len(rows), n_out=n_out, n_changed=len(decided.changed),
        reasons=reasons, examples=examples, clusters=tuple(_clusters(rows, decided.twins)),
    )  # fmt: skip


def _clusters(rows: Sequence[View], twins: Sequence[Twin]) -> list[Cluster]:
    by_kept: dict[int, list[Twin]] = {}
    for twin in twins:
        by_kept.setdefault(twin.kept, []).append(twin)
    largest = sorted(by_kept.items(), key=lambda item: (-len(item[1]), item[0]))[:EXAMPLES]
    return [_cluster(rows, kept, some) for kept, some in largest]


def _cluster(rows: Sequence[View], kept: int, twins: Sequence[Twin]) -> Cluster:
    closest = sorted(twins, key=lambda twin: (-twin.likeness, twin.dropped))[:EXAMPLES]
    return Cluster(
        kept=Example(id=rows[kept].id, why="kept", text=excerpt(rows[kept].told())),
        dropped=tuple(_dropped(rows[twin.dropped], twin) for twin in closest),
        n=len(twins) + 1,
    )


def _dropped(row: View, twin: Twin) -> Example:
    return Example(id=row.id, why=f"{twin.likeness:.2f}", text=excerpt(row.told()))


def _mixed(groups: Sequence[Sequence[Example]]) -> list[Example]:
    """Return one example of each reason, then a second of each, up to `EXAMPLES`, but at least one of each."""
    rounds = [group[turn] for turn in range(EXAMPLES) for group in groups if turn < len(group)]
    return rounds[: max(EXAMPLES, len(groups))]


def excerpt(text: str) -> str:
    """Return the beginning of a text on one line, with what is personal or secret in it masked."""
    # Masked before it is cut: half an address would not be recognised, and be shown.
    line = " ".join(masked_text(text[: 20 * LONG]).split())
    return line if len(line) <= LONG else line[: LONG - 1] + "…"
