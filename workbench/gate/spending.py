"""Claims about time and money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.evaluation.arms import Answer, Pool, answers, asked_again
from workbench.gate.claim import Claim, Judge, unknown
from workbench.gate.policy import CostLimit
from workbench.runs import Interval
from workbench.statistics.intervals import Estimate
from workbench.statistics.noninferiority import Decision, Scale, decide, decide_mean
from workbench.statistics.one_sided import mean_bounds

SLOW = 0.05
"""Share of answers that may be slower than the limit on the 95th percentile."""


def latency_claim(evalset: str, pool: Pool, seconds: float, max_missing: float) -> Claim:
    """Claim that fewer than 5 % of the answers are slower than `seconds`, which is to say that p95 lies below it.

    A share has a proven interval, also in families and for few answers; a percentile of few answers has none.
    An answer that failed, at once or at first, or that came from the cache, may have been slow: its time is missing.
    """
    given, late = answers(pool), asked_again(pool)
    failed = [a.failed or a.sample_id in late for a in given]
    slow = [
        None if no or a.latency is None else float(a.latency > seconds) for a, no in zip(given, failed, strict=True)
    ]
    families = [a.family for a in given]

    def judge(alpha: float) -> Decision:
        scale = Scale(low=0.0, high=1.0, better="lower")
        return decide_mean(slow, families, scale, limit=SLOW, allowed_missing=max_missing, level=1 - 2 * alpha)

    why = _why_untimed(slow.count(None), sum(failed), len(slow), max_missing)
    return Claim(
        rule=f"{evalset}:p95_latency",
        kind="p95_latency",
        what=f"share of answers over {seconds:g} s",
        limit=SLOW,
        passes="below",
        judge=unknown(why, len(slow) - slow.count(None)) if why else judge,
        n_failed=slow.count(None),
    )


def _why_untimed(missing: int, failed: int, n: int, allowed: float) -> str:
    """Return why too few answers were timed for a verdict, or an empty string."""
    if missing == n and not failed:
        return "no answer was timed: recorded and cached answers carry no time"
    if missing <= allowed * n:
        return ""
    parts = f"{failed} failed, {missing - failed} recorded or from the cache"
    return f"{missing} of {n} answers were not timed ({parts}); the policy allows {allowed:.1%} of scores to be missing"


def cost_claims(evalset: str, pool: Pool, limit: CostLimit) -> Iterator[Claim]:
    """Claim that an answer costs less on average, and the run in all, than their limits."""
    paid = [a for a in answers(pool) if not a.cached]
    if limit.per_sample is not None:
        yield _cost_claim(
            f"{evalset}:max_cost.per_sample", "mean price of an answer", limit.per_sample, _each(paid, limit)
        )
    if limit.total is not None:
        yield _cost_claim(f"{evalset}:max_cost.total", "money spent on the candidate", limit.total, _total(pool, limit))


def _cost_claim(rule: str, what: str, limit: float, judge: Judge) -> Claim:
    return Claim(rule=rule, kind="max_cost", what=what, limit=limit, passes="below", judge=judge)


def _each(paid: Sequence[Answer], limit: CostLimit) -> Judge:
    """Judge the mean price. A pass rests on `at_most`: answers dearer than all that were seen may carry a mean."""
    prices = [a.cost for a in paid if a.cost is not None]
    if not paid:
        return unknown("every answer came from the cache, so that what one costs was not measured")
    if len(prices) < len(paid):
        return unknown(f"{len(paid) - len(prices)} of {len(paid)} answers have no price; add `price` to the model")
    most, limited = limit.at_most, limit.per_sample or 0.0
    if max(prices) == 0:
        return _known(0.0, limited, len(prices), "no answer costs anything")
    if most is not None and max(prices) > most:
        return unknown(f"an answer cost {max(prices):.4g}, more than the at_most {most:g} of the policy", len(prices))
    families = [a.family for a in paid]

    def judge(alpha: float) -> Decision:
        bounds = mean_bounds(prices, families, low=0.0, high=most or max(prices), level=1 - 2 * alpha)
        found = decide(bounds, limited, "lower")
        if most is not None or found.verdict == "fail":
            return found
        why = (
            f"{found.reason} by an estimate that supposes no answer dearer than those seen; to pass, the policy must "
            "say what one can cost at most: max_cost.at_most = longest prompt × input price + max_tokens × output price"
        )
        return found.model_copy(update={"verdict": "inconclusive", "reason": why})

    return judge


def _total(pool: Pool, limit: CostLimit) -> Judge:
    """Judge the dearest of the pooled runs: what was spent is known and needs no interval."""
    spent = [finished.run.candidate.cost for finished in pool]
    known = [cost for cost in spent if cost is not None]
    if len(known) < len(spent):
        return unknown("some calls have no price; add `price` to the model")
    most = limit.total or 0.0
    if max(known) <= most and (why := _not_paid_for(pool)):
        return unknown(f"{why}, so that what the whole run costs was not measured")
    return _known(max(known), most, sum(f.run.n_attempted for f in pool), "what was spent is known")


def _not_paid_for(pool: Pool) -> str:
    """Return which answers cost nothing because another run had paid for them, or an empty string."""
    rescored = [f.run for f in pool if f.run.spec.parent]
    if rescored:
        return f"run {rescored[0].id} took its answers from run {rescored[0].spec.parent}"
    given = answers(pool)
    cached = sum(answer.cached for answer in given)
    return f"{cached} of {len(given)} answers came from the cache" if cached else ""


def _known(value: float, limit: float, n: int, method: str) -> Judge:
    """Return the judge of a number that was not sampled."""

    def judge(alpha: float) -> Decision:
        interval = Interval(low=value, high=value, level=1 - 2 * alpha, method=method)
        verdict = "pass" if value <= limit else "fail"
        word = "within" if value <= limit else "above"
        estimate = Estimate(value=value, n=n, interval=interval)
        return Decision.model_validate(
            {
                "verdict": verdict,
                "estimate": estimate,
                "limit": limit,
                "reason": f"{value:.4g} is {word} {limit:.4g}: {method}",
            }
        )

    return judge
