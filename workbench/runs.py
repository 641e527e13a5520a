"""Scores, metrics and runs: what was measured, with n, failures and an interval beside every number."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.datasets import Manifest, Use
from workbench.models import Usage
from workbench.nouns import Many, Noun


class Score(Noun):
    """What one scorer says of one output."""

    value: float
    """The score, within the scorer's declared range. Never NaN, never invented."""
    label: str | None = None
    """The verdict in words, where the scorer has words, such as `pass` or `4`."""
    reason: str = ""
    """Why, in the scorer's words. A judge's reason is model text: hostile until escaped."""
    evidence: str = ""
    """The quote from the judged text on which a judge's verdict rests."""
    usage: Usage | None = None
    """What scoring consumed, for scorers that call a model."""


ScoreFailureKind = Literal[
    "no_output",
    "not_applicable",
    "judge_failed",
    "unparsable",
    "out_of_range",
    "no_evidence",
    "scorer_error",
]


class ScoreFailure(Noun):
    """A score that could not be made. Never 0, never NaN, never silence."""

    kind: ScoreFailureKind
    """`no_output` the model gave no answer · `not_applicable` the sample lacks what the scorer needs (counted apart) ·
    `judge_failed` the judge gave no answer · `unparsable` the judge's answer is not the agreed form ·
    `out_of_range` a verdict outside the scale · `no_evidence` the judge's quote is not in the judged text ·
    `scorer_error` the scorer itself broke, for example on a regex that takes too long."""
    message: str
    """What happened."""
    text: str = ""
    """The judge's raw answer, where there is one."""
    usage: Usage | None = None
    """What the attempt consumed."""


class ScorerInfo(Noun):
    """What a scorer is, saved beside its scores."""

    name: str
    """The metric's name in tables."""
    kind: str
    """The scorer's kind."""
    version: str
    """Bumped when the scorer's prompt or rule changes; scores of different versions are not compared."""
    low: float | None
    """Lowest possible value; `None`: unbounded."""
    high: float | None
    """Highest possible value; `None`: unbounded."""
    better: Literal["higher", "lower"] = "higher"
    """Which direction is good."""
    binary: bool = False
    """Whether the only values are 0 and 1."""


class Interval(Noun):
    """A confidence interval."""

    low: float
    """Lower bound."""
    high: float
    """Upper bound."""
    level: float = Field(0.95, gt=0, lt=1)
    """Two-sided confidence level."""
    method: str
    """How it was made, such as `wilson` or `t, clustered by group`."""

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        if self.low > self.high:
            raise ValueError(f"lower bound {self.low} is above upper bound {self.high}")
        return self


class Metric(Noun):
    """The mean of one scorer over one slice of a run."""

    scorer: str
    """Name of the scorer."""
    slice: str = ""
    """`name=value` of a tag; empty for the whole run."""
    value: float | None
    """Mean of the scores; repeats are averaged within a sample first. `None` when nothing was scored."""
    n: int = Field(ge=0)
    """Samples with at least one score."""
    n_groups: int = Field(0, ge=0)
    """Families among them."""
    n_failed: int = Field(0, ge=0)
    """Samples that should have a score and have none: n + n_failed + n_not_applicable is all that was asked."""
    n_partial: int = Field(0, ge=0)
    """Samples among the n that lack a score for some repeat."""
    n_not_applicable: int = Field(0, ge=0)
    """Samples to which the scorer does not apply."""
    interval: Interval | None = None
    """Confidence interval of the mean, over samples that were scored."""
    undefined: str = ""
    """Why value or interval is missing."""
    worst_case: Interval | None = None
    """Bounds on the mean if every missing score were the lowest, or the highest, possible."""
    failures: dict[str, int] = {}
    """Missing scores by kind; with repeats a sample may miss several."""


class Spending(Noun):
    """What a run consumed in all; what is unknown is `None`."""

    calls: int = Field(0, ge=0)
    """Requests sent."""
    cached: int = Field(0, ge=0)
    """Answers taken from the cache."""
    input_tokens: int = Field(0, ge=0)
    """Prompt tokens the servers counted."""
    output_tokens: int = Field(0, ge=0)
    """Answer tokens the servers counted."""
    cost: float | None = None
    """Money that is known to be spent; `None` when no call has a known price. With unpriced calls it was more."""
    unpriced_calls: int = Field(0, ge=0)
    """Calls whose cost is not known: no price, or the server counted no tokens."""


class Latency(Noun):
    """Seconds an answer took, over answers that were not cached."""

    n: int = Field(ge=0)
    """Answers measured."""
    p50: float | None = None
    """Median."""
    p95: float | None = None
    """95th percentile."""
    p99: float | None = None
    """99th percentile."""


class RunSpec(Noun):
    """Everything that decides a run's numbers, resolved; a resumed run must match it."""

    evalset: str
    """Name of the evalset."""
    use: Use
    """Which side of the firewall."""
    model_name: str
    """The candidate's name in workbench.yaml."""
    model: dict[str, Any]
    """The candidate's resolved spec, without secrets."""
    scorers: Many[dict[str, Any]]
    """The resolved scorer specs."""
    judges: dict[str, dict[str, Any]] = {}
    """Resolved specs of the models that the scorers call, by name."""
    repeats: int = Field(1, ge=1)
    """Answers per sample."""
    limit: int | None = Field(None, ge=1)
    """Only the first samples, in the order of a stable hash; `None`: all."""
    budget: float | None = Field(None, gt=0)
    """Money after which the run stops, resumable."""
    parent: str | None = None
    """Run whose answers are scored anew; `None` when this run generates its own."""
    retry_failed: bool = False
    """Whether answers that failed in the parent are asked for again; else nothing is generated."""
    harness: dict[str, Any] = {}
    """Settings of the harness that gives the samples, such as lm-eval's chat template and batch size; empty: none."""
    fingerprints: dict[str, str]
    """Content hash of each input by name: `rows`, `model`, `scorer:NAME`, `judge:NAME`. Resume compares them."""


class EvalRun(Noun):
    """A finished evaluation: spec, counts and metrics. Rows lie beside it in Parquet.

    What is under way or was stopped has no summary yet; the catalogue of a home tells it from its journal and lock.
    """

    id: str
    """Name of the run's folder."""
    state: Literal["finished"]
    """A summary is written last, so that whoever finds one may rely on it."""
    spec: RunSpec
    """What was asked for."""
    dataset: Manifest
    """What it ran on."""
    n_attempted: int = Field(ge=0)
    """Samples × repeats that were asked."""
    n_output: int = Field(ge=0)
    """Of them, answered."""
    n_output_failed: int = Field(ge=0)
    """Of them, failed."""
    output_failures: dict[str, int] = {}
    """Failed answers by kind."""
    scorers: Many[ScorerInfo]
    """The scorers, in order."""
    metrics: Many[Metric]
    """Whole run first, then slices."""
    candidate: Spending = Spending()
    """What the model under test consumed."""
    judging: Spending = Spending()
    """What the scorers consumed."""
    latency: Latency
    """How long the model under test took."""
    started: str
    """ISO 8601 time, UTC."""
    ended: str | None = None
    """ISO 8601 time, UTC."""
    environment: dict[str, str] = {}
    """Versions of Python, the workbench and the packages that matter."""
    tables: dict[str, str] = {}
    """SHA-256 of each table by file name; a gate refuses tables that have another."""
    asked_again: Many[str] = ()
    """Ids of samples that the candidate failed to answer before it was asked again: to a gate they are missing."""
