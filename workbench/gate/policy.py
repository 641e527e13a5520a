"""What must hold for a release: the `policy` section of evalset.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator, model_validator

from workbench.nouns import Noun

Slice = Annotated[str, StringConstraints(pattern=r"^[^=]+=.+$")]

LATEST = "latest"
"""No name of a baseline: elsewhere it is whatever run was made last."""


class MetricRule(Noun):
    """What must hold of one metric. A bound decides, never the point estimate."""

    min: float | None = None
    """The mean must lie above this: its lower bound decides."""
    max: float | None = None
    """The mean must lie below this: its upper bound decides."""
    margin: float | None = Field(None, ge=0)
    """How much worse than the baseline is still good enough, in the score's unit (non-inferiority)."""
    corrected: bool = False
    """Whether `min` and `max` are held against the pass rate corrected for the judge's measured error. Without a
    calibration that holds (`workbench judge calibrate --test`) there is no verdict."""

    @model_validator(mode="after")
    def _says_something(self) -> MetricRule:
        if self.min is None and self.max is None and self.margin is None:
            raise ValueError("the rule is empty: give min, max or margin")
        if self.corrected and self.min is None and self.max is None:
            raise ValueError("corrected belongs to min or max; a margin compares what one judge says of both sides")
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError(f"min {self.min:g} is not below max {self.max:g}, so that nothing could pass")
        return self


class CostLimit(Noun):
    """What the candidate's answers may cost, in the currency of its price table."""

    per_sample: float | None = Field(None, gt=0)
    """Mean price of one answer; answers from the cache do not count. It can fail, but not pass, without `at_most`."""
    at_most: float | None = Field(None, gt=0)
    """The most that one answer can cost: longest prompt × input price + `max_tokens` × output price. Without an end,
    answers too rare to be drawn could cost anything, and no bound of the mean is true."""
    total: float | None = Field(None, gt=0)
    """Money that the whole run spent on the candidate."""

    @model_validator(mode="after")
    def _says_something(self) -> CostLimit:
        if self.per_sample is None and self.total is None:
            raise ValueError("the limit is empty: give per_sample or total")
        if self.at_most is not None and self.per_sample is None:
            raise ValueError("at_most belongs to per_sample, which is not given")
        if self.at_most is not None and self.per_sample is not None and self.at_most <= self.per_sample:
            raise ValueError(
                f"no answer can cost more than at_most {self.at_most:g}, so that per_sample {self.per_sample:g} always "
                "holds"
            )
        return self


class Policy(Noun):
    """The rules of a gate. All must hold."""

    metrics: dict[str, MetricRule] = Field(min_length=1)
    """Rules over the whole set, by the scorer's name."""
    slices: dict[Slice, Annotated[dict[str, MetricRule], Field(min_length=1)]] = {}
    """Rules over slices that must hold too, by `tag=value`, then by the scorer's name."""
    baseline: str = Field("main", min_length=1)
    """What margins compare with: a name under which `workbench gate promote` recorded a run, or else the whole id of a
    finished run, never `latest` or a part of an id. All runs of what that run is a run of are pooled."""
    max_missing: float = Field(0.02, ge=0, lt=1)
    """Share of samples without a score above which no verdict is given. Fewer are taken at their worst."""
    max_regressions: float | None = Field(None, gt=0, lt=1)
    """Share of the samples that passed before which may fail now, for each binary metric with a rule."""
    p95_latency: float | None = Field(None, gt=0)
    """Seconds within which 95 % of the answers must come."""
    max_cost: CostLimit | None = None
    """What the answers may cost."""
    alpha: float = Field(0.05, gt=0, le=0.2)
    """One-sided error rate of every bound; fails are held to it over all rules together (Holm)."""

    @model_validator(mode="after")
    def _corrects_the_whole(self) -> Policy:
        named = [f"{label}: {name}" for label, rules in self.slices.items() for name, r in rules.items() if r.corrected]
        if named:
            raise ValueError(f"a judge's error is known over all samples, not in a slice: {', '.join(named)}")
        return self

    @field_validator("baseline")
    @classmethod
    def _stays_what_it_is(cls, name: str) -> str:
        if name == LATEST:
            raise ValueError("the latest run is the candidate itself; name a promoted baseline, or a run's whole id")
        return name
