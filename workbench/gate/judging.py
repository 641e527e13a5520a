"""From claims to verdicts. A pass needs every bound; a fail must survive Holm's rule over the claims that count.

To pass, all rules must pass at level alpha, so that a bad metric slips through with a chance of at most alpha: passing
needs no further correction (Berger 1982). To fail, one rule is enough, so that many rules would fail a good model by
chance; fails are therefore held to alpha over all rules together (Holm 1979). What falls between is inconclusive.

A waiver names a rule, whatever its numbers, and takes it out before anything is counted: a waived rule that
fails by itself is waived, and the others are held to alpha without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.gate.claim import Claim
from workbench.gate.decision import RuleRow
from workbench.gate.records import Outcome, Waiver
from workbench.statistics.intervals import Estimate
from workbench.statistics.noninferiority import Decision
from workbench.statistics.power import detectable_from_bound, samples_to_settle

POWER = 0.8
"""Chance with which what is there should be seen, for the samples that are said to be needed."""
MOST_NEEDED = 1_000_000
"""Samples above which more of them are no advice: the truth lies too near to the limit."""


def judged(
    claims: Sequence[Claim],
    alpha: float,
    waivers: Mapping[str, Waiver],
    blocked: str = "",
    *,
    next_alpha: float | None = None,
) -> list[RuleRow]:
    """Return one row a claim, with bounds one-sided at `alpha`. `blocked` says why none may have a verdict, if so.

    More samples would be judged at `next_alpha`, by which what is needed is told; `None`: at `alpha`.
    """
    decisions = [claim.judge(alpha) for claim in claims]
    counted = [at for at, claim in enumerate(claims) if claim.rule not in waivers]
    found = failing([claims[at] for at in counted], [decisions[at] for at in counted], alpha)
    failed = {counted[at] for at in found}
    rows = []
    for at, (claim, decision) in enumerate(zip(claims, decisions, strict=True)):
        verdict, reason = decision.verdict, decision.reason
        if at in counted and verdict == "fail" and at not in failed:
            verdict, reason = (
                "inconclusive",
                f"{reason}, but not when all {len(counted)} rules are held to {alpha:g} together",
            )
        if blocked:
            verdict, reason = "inconclusive", blocked
        waiver = None if blocked else waivers.get(claim.rule)
        row = _row(claim, decision, alpha, verdict, reason, waiver)
        rows.append(row if blocked else _with_needed(row, claim, next_alpha or alpha))
    return rows


def failing(claims: Sequence[Claim], decisions: Sequence[Decision], alpha: float) -> set[int]:
    """Return which of the claims that fail at `alpha` still do under Holm's rule.

    A claim's p-value is the smallest level at which it fails; it is compared with alpha over the number of claims that
    are not yet known to fail. Claims without an interval can never fail and do not count.
    """
    m = sum(decision.estimate.interval is not None for decision in decisions)
    left = {at for at, decision in enumerate(decisions) if decision.verdict == "fail"}
    found: set[int] = set()
    while left:
        hit = {at for at in left if claims[at].judge(alpha / (m - len(found))).verdict == "fail"}
        if not hit:
            break
        found |= hit
        left -= hit
    return found


def _row(
    claim: Claim, decision: Decision, alpha: float, verdict: Outcome, reason: str, waiver: Waiver | None
) -> RuleRow:
    estimate = decision.estimate
    return RuleRow(
        rule=claim.rule,
        kind=claim.kind,
        what=claim.what,
        metric=claim.metric,
        slice=claim.slice,
        estimate=estimate.value,
        interval=estimate.interval,
        bound=_bound(claim, decision),
        limit=claim.limit,
        margin=claim.margin,
        passes=claim.passes,
        n=estimate.n,
        n_groups=estimate.n_groups,
        n_failed=claim.n_failed,
        better=claim.better,
        detectable=_detectable(claim, estimate),
        verdict="waived" if waiver is not None and verdict == "fail" else verdict,
        before_waiver=verdict,
        reason=reason,
        waiver=waiver,
    )


def _detectable(claim: Claim, estimate: Estimate) -> float | None:
    """Return how far on the good side of its limit the truth must lie for a pass in 80 % of gates of this size."""
    if estimate.value is None or estimate.interval is None or estimate.se is None:
        return None
    ends = estimate.interval.low, estimate.interval.high
    return detectable_from_bound(abs(estimate.value - ends[claim.passes == "below"]), estimate.se, POWER)


def _with_needed(row: RuleRow, claim: Claim, alpha: float) -> RuleRow:
    """Say how many samples would settle an inconclusive rule with a chance of 80 %, where a number of them would.

    A margin supposes that the two are equally good, any other rule that its estimate is the truth.
    """
    if row.before_waiver != "inconclusive" or row.interval is None or row.n_failed:
        return row  # what missing scores could have been does not get narrower by more samples
    if not row.interval.low <= row.limit <= row.interval.high:
        return row
    estimate = claim.judge(alpha).estimate
    se, value, interval = estimate.se, estimate.value, estimate.interval
    if se is None or value is None or interval is None:
        return row
    gap = abs(row.limit if row.kind == "margin" else value - row.limit)
    upwards = row.passes == "above" if row.kind == "margin" else value > row.limit
    to_bound = value - interval.low if upwards else interval.high - value
    if not gap or not to_bound:
        return row
    needed = samples_to_settle(gap, row.n, to_bound, se, alpha, POWER)
    if not row.n < needed <= MOST_NEEDED:
        return row
    truth = "the two are equally good" if row.kind == "margin" else f"{value:.4g} is the truth"
    told = f"{row.reason}; if {truth}, about {needed:,} samples like these would settle it, and there are {row.n:,}"
    return row.model_copy(update={"n_needed": needed, "reason": told})


def _bound(claim: Claim, decision: Decision) -> float | None:
    """Return the end of the interval that decides."""
    interval = decision.estimate.interval
    if interval is None:
        return None
    return interval.low if (claim.passes == "above") == (decision.verdict != "fail") else interval.high
