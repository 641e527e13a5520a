"""From claims to verdicts. A pass needs every bound; a fail must survive Holm's rule over all claims of the gate.

To pass, all rules must pass at level alpha, so that a bad metric slips through with a chance of at most alpha: passing
needs no further correction (Berger 1982). To fail, one rule is enough, so that many rules would fail a good model by
chance; fails are therefore held to alpha over all rules together (Holm 1979). What falls between is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.gate.claim import Claim
from workbench.gate.decision import RuleRow
from workbench.gate.records import Outcome, Waiver
from workbench.statistics.noninferiority import Decision
from workbench.statistics.power import detectable_from_se


def judged(claims: Sequence[Claim], alpha: float, waivers: Mapping[str, Waiver], blocked: str = "") -> list[RuleRow]:
    """Return one row a claim, with bounds one-sided at `alpha`. `blocked` says why none may have a verdict, if so."""
    decisions = [claim.judge(alpha) for claim in claims]
    failed = failing(claims, decisions, alpha)
    rows = []
    for at, (claim, decision) in enumerate(zip(claims, decisions, strict=True)):
        verdict, reason = decision.verdict, decision.reason
        if verdict == "fail" and at not in failed:
            verdict, reason = (
                "inconclusive",
                f"{reason}, but not when all {len(claims)} rules are held to {alpha:g} together",
            )
        if blocked:
            verdict, reason = "inconclusive", blocked
        waiver = None if blocked else waivers.get(claim.rule)
        rows.append(_row(claim, decision, alpha, verdict, reason, waiver))
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
        detectable=detectable_from_se(estimate.se, alpha, sides=1) if estimate.se else None,
        verdict="waived" if waiver is not None and verdict == "fail" else verdict,
        before_waiver=verdict,
        reason=reason,
        waiver=waiver,
    )


def _bound(claim: Claim, decision: Decision) -> float | None:
    """Return the end of the interval that decides."""
    interval = decision.estimate.interval
    if interval is None:
        return None
    return interval.low if (claim.passes == "above") == (decision.verdict != "fail") else interval.high
