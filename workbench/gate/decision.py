"""The decision: ship, don't ship, or not enough evidence, with a row for each rule that it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from workbench.evaluation.comparison import Arm, Comparison
from workbench.gate.policy import Policy
from workbench.gate.records import Look, Outcome, Waiver
from workbench.nouns import Many, Noun
from workbench.runs import Interval

RuleKind = Literal["min", "max", "margin", "max_regressions", "p95_latency", "max_cost"]
Verdict = Literal["pass", "fail", "inconclusive", "waived"]


class RuleRow(Noun):
    """One rule of the policy, what was measured, and whether the rule holds."""

    rule: str
    """The rule's id, unique in a workbench, such as `helpcentre:exact_match.margin`: what a waiver names."""
    kind: RuleKind
    """`min`, `max`: the mean against a threshold · `margin`: the difference to the baseline · `max_regressions`:
    share of what passed before and fails now · `p95_latency`: share of answers slower than the limit · `max_cost`."""
    what: str
    """What the estimate is, such as `mean`, `candidate - baseline` or `share of answers over 2 s`."""
    metric: str = ""
    """The scorer's name; empty for latency and cost."""
    slice: str = ""
    """`name=value` of a tag; empty for the whole set."""
    estimate: float | None = None
    """The point estimate over what was scored."""
    interval: Interval | None = None
    """Its interval, each bound one-sided at the gate's level; it covers whatever missing scores could have been."""
    bound: float | None = None
    """The end of the interval that decides: the one on the bad side for a pass, on the good side for a fail."""
    limit: float
    """What the bound is held against: the threshold, minus the margin (plus, where lower is better), the cap."""
    margin: float | None = None
    """The margin as the policy gives it; `None` for other rules."""
    passes: Literal["above", "below"]
    """On which side of the limit the whole interval must lie to pass."""
    n: int = Field(0, ge=0)
    """Samples (answers, for latency and cost) that the estimate rests on."""
    n_groups: int = Field(0, ge=0)
    """Families among them."""
    n_failed: int = Field(0, ge=0)
    """Samples that should be in it and lack a score."""
    detectable: float | None = None
    """Minimum detectable effect: how far from the limit the truth must be to be seen in 80 % of gates of this size."""
    n_needed: int | None = None
    """Samples that would settle an inconclusive rule in 80 % of gates; `None` where no number of them is known."""
    better: Literal["higher", "lower"] | None = None
    """Which direction of the metric is good; `None` where the rule has no metric."""
    verdict: Verdict
    """Whether the rule holds."""
    before_waiver: Outcome
    """The verdict without regard to waivers."""
    reason: str
    """Why, in one sentence."""
    waiver: Waiver | None = None
    """The waiver that covers its fail, whether it was needed or not; what is inconclusive cannot be waived."""


class Reconciliation(Noun):
    """Whether everything that was asked is accounted for: attempted = scored + failed + not applicable."""

    arm: Literal["candidate", "baseline"]
    """Which side."""
    run: str
    """Id of the run."""
    metric: str
    """The scorer's name."""
    attempted: int = Field(ge=0)
    """Samples × repeats that the dataset and the run's spec call for."""
    scored: int = Field(ge=0)
    """Scores that were made."""
    failed: int = Field(ge=0)
    """Scores that could not be made."""
    not_applicable: int = Field(0, ge=0)
    """Answers to which the scorer does not apply."""
    asked_again: int = Field(0, ge=0)
    """Samples whose answer failed and was asked for again: whatever came then, the gate takes them as missing."""
    shortfall: str = ""
    """What does not add up; empty when all does."""


class GateDecision(Noun):
    """The decision on one evalset."""

    evalset: str
    """Name of the evalset."""
    decision: Outcome
    """`pass`: every rule holds or is waived · `fail`: one does not · `inconclusive`: not enough evidence."""
    reason: str
    """Why, in one sentence."""
    candidate: Arm | None = None
    """What was judged; `None` when there is no finished run of it."""
    baseline: Arm | None = None
    """What it was compared with; `None` when there is none or it does not fit."""
    baseline_name: str = ""
    """The name or id by which the baseline was asked for."""
    baseline_promoted: str = ""
    """Who promoted the baseline, when and why; empty when a run was named instead."""
    rows: Many[RuleRow] = ()
    """One row a rule, in the policy's order."""
    reconciliation: Many[Reconciliation] = ()
    """One row an arm, run and metric."""
    comparison: Comparison | None = None
    """The whole comparison with the baseline: all metrics and slices, regressions and fixes."""
    policy: Policy
    """The rules."""
    alpha: float = Field(gt=0, lt=1)
    """One-sided level at which this look was judged."""
    look: int = Field(1, ge=1)
    """Which look at this model on these samples it is; the second is judged at half the level, a third is refused."""
    looks: Many[Look] = ()
    """Earlier looks at it."""
    waivers: Many[Waiver] = ()
    """Waivers of this evalset that hold today, needed or not."""
    notes: Many[str] = ()
    """What else a reader must know, such as a baseline that does not fit and what to do."""
    at: str
    """When it was decided: ISO 8601 time, UTC."""


class Release(Noun):
    """The decision on all gate evalsets: pass only if each passes, fail if any fails, else inconclusive."""

    decision: Outcome
    """What the exit code says: 0 pass, 1 fail, 4 inconclusive."""
    gates: Many[GateDecision] = Field(min_length=1)
    """One decision an evalset."""
    at: str
    """When it was decided: ISO 8601 time, UTC."""


def joint(verdicts: Iterable[Verdict]) -> Outcome:
    """Return what several verdicts come to: any fail fails, all passed or waived pass, else inconclusive.

    Where all are waived, nothing was shown to hold, and that is inconclusive.
    """
    given = list(verdicts)
    if "fail" in given:
        return "fail"
    return "pass" if "pass" in given and "inconclusive" not in given else "inconclusive"
