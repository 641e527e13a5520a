"""The lint of a set of pairs or conversations: every flaw of the table is looked for, what is found goes on a card."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from workbench.curation.pairs.columns import Columns
from workbench.curation.pairs.findings import Figure, Finding, ScoreCard, Severity
from workbench.curation.pairs.flaw import Flaw, Found, Looking, Unknown, measured
from workbench.curation.pairs.flaws import FLAWS
from workbench.curation.pairs.skew_flaws import label_noise, length_figures
from workbench.curation.quality.lengths import APPROXIMATION
from workbench.curation.quality.waterfall import Example, excerpt
from workbench.statistics.intervals import Estimate

EXAMPLES = 5
"""Examples kept of a finding."""
GRAVITY: tuple[Severity, ...] = ("blocks", "warns", "notes")


def lint(
    columns: Columns, looking: Looking, name: str, accepted: Collection[str] = (), tokens: str = APPROXIMATION
) -> ScoreCard:
    """Return the score card of a set. `accepted` kinds are told and block nothing; `tokens` says how they count."""
    findings: list[Finding] = []
    clean: list[str] = []
    unknown: dict[str, str] = {}
    for flaw in FLAWS:
        if columns.kind not in flaw.of or not len(columns):
            continue
        found = Unknown(looking.why_no_leaks) if _unlooked(flaw, looking) else flaw.check(columns, looking)
        if isinstance(found, Unknown):
            unknown[flaw.kind] = found.why
        elif found.alarm:
            findings.append(_finding(flaw, found, columns, flaw.kind in accepted))
        else:
            clean.append(flaw.kind)
    return ScoreCard(
        name=name,
        kind=columns.kind,
        n=len(columns),
        n_groups=len(set(columns.families)),
        findings=tuple(sorted(findings, key=lambda f: (f.accepted, GRAVITY.index(f.severity)))),
        clean=tuple(clean),
        unknown=unknown,
        figures=tuple(_figures(columns)),
        tokens=tokens,
    )


def _unlooked(flaw: Flaw, looking: Looking) -> bool:
    return flaw.kind == "leak" and looking.leaks is None


def _finding(flaw: Flaw, found: Found, columns: Columns, accepted: bool) -> Finding:
    share, interval = found.share, found.interval
    if share is None:
        there = set(found.places)
        flags = [float(at in there) for at in range(len(columns))]
        estimate = measured(flags, range(len(columns)), columns)[0]
        share, interval = estimate.value, estimate.interval
    return Finding(
        kind=flaw.kind,
        title=flaw.title,
        severity=flaw.severity,
        accepted=accepted,
        n=len(found.places),
        of=found.of,
        share=share,
        interval=interval,
        told=found.told,
        examples=tuple(_examples(found, columns)),
        todo=flaw.todo,
    )


def _examples(found: Found, columns: Columns) -> list[Example]:
    # By id, not by place: the order of the rows says nothing.
    chosen: Sequence[int] = sorted(found.places, key=lambda at: columns.ids[at])[:EXAMPLES]
    return [
        Example(id=columns.ids[at], why=found.notes.get(at, ""), text=excerpt(columns.questions[at])) for at in chosen
    ]


def _figures(columns: Columns) -> list[Figure]:
    """Return the numbers that are told in any case."""
    figures = []
    if columns.kind == "pairs":
        longer, auc = length_figures(columns)
        figures += [_figure("chosen is the longer side", longer), _figure("length-only AUC", auc)]
        figures.append(_figure("chance that one vote is wrong", label_noise(columns)))
        known = [at for at, word in enumerate(columns.on_policy) if word is not None]
        flags = [float(bool(columns.on_policy[at])) for at in known]
        named = measured(flags, known, columns)[0]
        missing = "no pair tells: build with --tuned MODEL"
        figures.append(_figure("on-policy", named if known else Estimate(value=None, n=0, undefined=missing)))
    return figures


def _figure(name: str, estimate: Estimate) -> Figure:
    return Figure(
        name=name, value=estimate.value, interval=estimate.interval, n=estimate.n, undefined=estimate.undefined
    )
