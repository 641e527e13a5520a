"""What two or more runs on the same samples say of each other: candidate minus baseline, never the other way round."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.nouns import Many, Noun
from workbench.runs import Interval, Latency, Spending


class Arm(Noun):
    """One side of a comparison: a run, or several runs of the same candidate with their repeats pooled."""

    model: str
    """The model's name in workbench.yaml."""
    runs: Many[str] = Field(min_length=1)
    """Ids of the pooled runs, oldest first."""
    repeats: int = Field(ge=1)
    """Answers per sample, over all pooled runs."""
    n_attempted: int = Field(ge=0)
    """Answers asked for."""
    n_answered: int = Field(ge=0)
    """Of them, answered."""
    fingerprints: dict[str, str]
    """Content hash of each input by name, as in `RunSpec.fingerprints`."""
    served_models: Many[str] = ()
    """Names by which the answering models called themselves; empty where nothing says."""
    n_asked_again: int = Field(0, ge=0)
    """Samples that the model failed to answer before it was asked again; to a gate they are missing."""
    latency: Latency
    """How long answers took, over all pooled runs."""
    spending: Spending
    """What the model under test consumed, over all pooled runs."""


class Bin(Noun):
    """One bar of a histogram: differences in [low, high), the last bar in [low, high]."""

    low: float
    """Lower edge."""
    high: float
    """Upper edge."""
    n: int = Field(ge=0)
    """Samples in it."""


class MetricDifference(Noun):
    """One metric over the whole set or one slice: both means and their paired difference."""

    scorer: str
    """Name of the metric."""
    slice: str = ""
    """`name=value` of a tag; empty for the whole set. Slices are exploratory."""
    better: Literal["higher", "lower"] = "higher"
    """Which direction is good."""
    n: int = Field(ge=0)
    """Samples scored on both sides: the pairs that every number here rests on."""
    n_groups: int = Field(ge=0)
    """Families among them."""
    n_missing_baseline: int = Field(0, ge=0)
    """Samples left out because the baseline lacks a score of theirs, or one of some repeat."""
    n_missing_candidate: int = Field(0, ge=0)
    """The same of the candidate; a sample that both lack is in both counts."""
    n_not_applicable: int = Field(0, ge=0)
    """Samples to which the scorer applies on neither side."""
    baseline: float | None = None
    """Mean of the baseline over the pairs."""
    candidate: float | None = None
    """Mean of the candidate over the pairs."""
    delta: float | None = None
    """Candidate minus baseline, repeats averaged within a sample first."""
    interval: Interval | None = None
    """Confidence interval of the difference, over the pairs."""
    worst_case: Interval | None = None
    """Lowest and highest the mean difference could be, whatever the missing scores were; `None`: no declared range."""
    p: float | None = None
    """Two-sided p-value of no difference."""
    p_method: str = ""
    """`exact McNemar`, `t`, `t, clustered by group` or `exact sign test over families`."""
    p_adjusted: float | None = None
    """The p-value after `adjustment`."""
    adjustment: Literal["", "holm", "benjamini-hochberg"] = ""
    """Holm over several runs against one baseline; Benjamini–Hochberg over slices."""
    detectable: float | None = None
    """Minimum detectable effect: the true difference this comparison would show in 80 % of repetitions at alpha .05."""
    wins: int = Field(0, ge=0)
    """Samples on which the candidate is better."""
    losses: int = Field(0, ge=0)
    """Samples on which the baseline is better."""
    ties: int = Field(0, ge=0)
    """Samples on which both score the same."""
    flips_baseline: float | None = None
    """Chance that two of the baseline's answers to one sample score differently; `None` without repeats."""
    flips_candidate: float | None = None
    """The same of the candidate."""
    histogram: Many[Bin] = ()
    """How the paired differences are distributed; empty for slices and without pairs."""
    undefined: str = ""
    """Why a number is missing; empty when all are there."""


class Change(Noun):
    """One sample whose score changed, and both answers. Questions, answers and reasons are hostile until escaped."""

    scorer: str
    """Name of the metric."""
    kind: Literal["regression", "fix"]
    """Whether the candidate is worse or better than the baseline."""
    sample_id: str
    """The sample; look it up in the runs' tables."""
    family: str
    """The sample's family."""
    before: float
    """The baseline's score, repeats averaged."""
    after: float
    """The candidate's score, repeats averaged."""
    question: str
    """What was asked."""
    answer_before: str
    """The baseline's first answer."""
    answer_after: str
    """The candidate's first answer."""
    reason_before: str = ""
    """Why the baseline's answer scores as it does, in the scorer's words."""
    reason: str = ""
    """Why the candidate's answer scores as it does, in the scorer's words."""


class Refusal(Noun):
    """A metric that cannot be compared."""

    scorer: str
    """Name of the metric."""
    reason: str
    """What differs, in one sentence."""


class Comparison(Noun):
    """One candidate against one baseline on the same samples."""

    evalset: str
    """Name of the evalset."""
    use: str
    """Side of the firewall."""
    dataset: str
    """Fingerprint of the rows that both ran on."""
    n: int = Field(ge=0)
    """Samples that both ran on."""
    baseline: Arm
    """What is compared with."""
    candidate: Arm
    """What is compared."""
    metrics: Many[MetricDifference]
    """Whole set first, in the scorers' order, then slices."""
    refused: Many[Refusal] = ()
    """Metrics that cannot be compared."""
    n_regressions: dict[str, int] = {}
    """Samples that score worse than before, by metric."""
    n_fixes: dict[str, int] = {}
    """Samples that score better than before, by metric."""
    changes: Many[Change] = ()
    """The largest changes, regressions first; at most so many a metric and kind as were asked for."""
    latency_p50: float | None = None
    """Median latency of the candidate minus the baseline's, in seconds; `None` when either was not timed."""
    latency_p95: float | None = None
    """The same of the 95th percentile."""
    cost_per_answer: float | None = None
    """Mean price of an answer that was paid for, candidate minus baseline; `None` where a price is unknown."""


class Comparisons(Noun):
    """Several candidates against one baseline; the whole-set p-values of each metric are adjusted by Holm's rule."""

    against: Many[Comparison] = Field(min_length=1)
    """One comparison a candidate, in the order asked for; all with the same baseline."""
