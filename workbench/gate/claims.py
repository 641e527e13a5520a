"""From a policy to claims: each rule with what was measured, ready to be judged at any level.

A missing score may have been anything, so that every claim about scores covers both ends of the scorer's range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from workbench.evaluation.arms import Pool, SampleScores, asked_again, sample_scores
from workbench.evaluation.comparable import why_other_rule
from workbench.evaluation.compare import in_slice
from workbench.gate.claim import Claim, Judge, unknown
from workbench.gate.correcting import Calibrations, corrected_judge
from workbench.gate.decision import RuleKind
from workbench.gate.policy import MetricRule, Policy
from workbench.gate.spending import cost_claims, latency_claim
from workbench.runs import ScorerInfo
from workbench.statistics.noninferiority import Decision, Scale, decide_difference, decide_mean, too_much_missing

PASSED = 0.5
"""A sample passed a binary metric before when at least this share of its answers did; one in doubt may regress."""
ON_THE_WAY = ("latency", "cost")
"""Kinds of scorers that read what an answer took, and not what it says: one from the cache has none of it."""


@dataclass(frozen=True)
class Evidence:
    """The arms that a gate judges, the baseline's absence told rather than hidden."""

    evalset: str
    candidate: Pool
    baseline: Pool
    no_baseline: str
    """Why there is no baseline to compare with; empty when there is one."""
    calibrations: Calibrations = field(default_factory=dict)
    """What is known of the judges, by metric."""
    read: dict[tuple[bool, str], dict[str, SampleScores]] = field(default_factory=dict)
    """What was read so far: several rules ask for the same scores."""

    def scores(self, of_baseline: bool, metric: str) -> dict[str, SampleScores]:
        """Return one arm's scores of a metric by sample id, read once.

        A score of an answer that came only when the model was asked again counts as missing: it failed at first. So
        does the time or price of one that came from the cache: it was asked before, and may have been slow or dear.
        """
        key = (of_baseline, metric)
        if key not in self.read:
            pool = self.baseline if of_baseline else self.candidate
            late, found, info = asked_again(pool), sample_scores(pool, metric), _info(pool, metric)
            if info is not None and info.kind in ON_THE_WAY:
                found = {k: replace(s, n_failed=s.n_failed + s.n_apart, n_apart=0) for k, s in found.items()}
            self.read[key] = {k: replace(s, n_failed=s.n_failed + (s.applies and k in late)) for k, s in found.items()}
        return self.read[key]


def claims(policy: Policy, evidence: Evidence) -> list[Claim]:
    """Return one claim a rule: whole set, slices, regressions, latency, cost."""
    found = list(_metric_claims(policy, evidence, "", policy.metrics))
    for label, rules in policy.slices.items():
        found += _metric_claims(policy, evidence, label, rules)
    if policy.max_regressions is not None:
        found += _regression_claims(policy, evidence, policy.max_regressions)
    if policy.p95_latency is not None:
        found.append(latency_claim(evidence.evalset, evidence.candidate, policy.p95_latency, policy.max_missing))
    if policy.max_cost is not None:
        found += cost_claims(evidence.evalset, evidence.candidate, policy.max_cost)
    return found


def _metric_claims(policy: Policy, evidence: Evidence, label: str, rules: Mapping[str, MetricRule]) -> Iterator[Claim]:
    for name, rule in rules.items():
        metric = _Metric(policy, evidence, name, label)
        if rule.min is not None:
            yield metric.threshold("min", rule.min, rule.corrected)
        if rule.max is not None:
            yield metric.threshold("max", rule.max, rule.corrected)
        if rule.margin is not None:
            yield metric.margin(rule.margin)


@dataclass(frozen=True)
class _Metric:
    """One metric over one slice, about to be held against rules."""

    policy: Policy
    evidence: Evidence
    name: str
    label: str

    def threshold(self, kind: Literal["min", "max"], limit: float, corrected: bool) -> Claim:
        """Claim that the candidate's mean lies on the good side of a threshold."""
        info = _info(self.evidence.candidate, self.name)
        if info is None:
            return self.claim(kind, limit, unknown(f"the run has no metric '{self.name}'; evaluate again"), 0)
        there = [s for s in self.scores(of_baseline=False).values() if s.applies]
        values, families = [s.mean for s in there], [s.family for s in there]
        scale = Scale(low=info.low, high=info.high, better="higher" if kind == "min" else "lower")

        def at_level(level: float) -> Decision:
            return decide_mean(
                values, families, scale, limit=limit, allowed_missing=self.policy.max_missing, level=level
            )

        judge: Judge = lambda alpha: at_level(1 - 2 * alpha)  # noqa: E731
        # More missing than allowed is not decided by correcting what is there.
        if corrected and not too_much_missing(values.count(None), len(values), self.policy.max_missing, scale):
            held = self.evidence.calibrations.get(self.name)
            judge = corrected_judge(held, self.name, at_level, limit, scale.better)
        return self.claim(kind, limit, judge if there else unknown(self.nothing()), values.count(None))

    def margin(self, margin: float) -> Claim:
        """Claim that the candidate is not worse than the baseline by the margin or more."""
        info = _info(self.evidence.candidate, self.name)
        limit = margin if info and info.better == "lower" else 0.0 - margin
        why = self.evidence.no_baseline or why_other_rule(
            self.evidence.baseline[0].run, self.evidence.candidate[0].run, self.name
        )
        if why or info is None:
            return self.claim("margin", limit, unknown(why), 0, margin)
        old, new = self.scores(of_baseline=True), self.scores(of_baseline=False)
        pairs = [(new[key], old[key]) for key in new if new[key].applies or old[key].applies]
        a, b = [x.mean for x, _ in pairs], [y.mean for _, y in pairs]
        families = [x.family for x, _ in pairs]
        scale = Scale(low=info.low, high=info.high, better=info.better)

        def judge(alpha: float) -> Decision:
            return decide_difference(
                a,
                b,
                families,
                scale,
                margin=margin,
                allowed_missing=self.policy.max_missing,
                level=1 - 2 * alpha,
            )

        missing = sum(x is None or y is None for x, y in zip(a, b, strict=True))
        return self.claim("margin", limit, judge if pairs else unknown(self.nothing()), missing, margin)

    def scores(self, of_baseline: bool) -> dict[str, SampleScores]:
        """Return one arm's scores within the slice."""
        found = self.evidence.scores(of_baseline, self.name)
        return {key: s for key, s in found.items() if in_slice(s, self.label)}

    def nothing(self) -> str:
        """Return why there is nothing to judge."""
        return f"'{self.name}' applies to no sample" + (f" with {self.label}" if self.label else "")

    def claim(self, kind: RuleKind, limit: float, judge: Judge, missing: int, margin: float | None = None) -> Claim:
        """Return the claim with its id and direction."""
        info = _info(self.evidence.candidate, self.name)
        worse_up = kind == "max" or (kind == "margin" and info is not None and info.better == "lower")
        where = f"[{self.label}]" if self.label else ""
        return Claim(
            rule=f"{self.evidence.evalset}:{self.name}{where}.{kind}",
            kind=kind,
            what="candidate - baseline" if kind == "margin" else "mean",
            limit=limit,
            passes="below" if worse_up else "above",
            judge=judge,
            metric=self.name,
            slice=self.label,
            margin=margin,
            n_failed=missing,
            better=None if info is None else info.better,
        )


def _regression_claims(policy: Policy, evidence: Evidence, cap: float) -> Iterator[Claim]:
    """Claim that few of the samples that passed before fail now, for each binary metric that has a rule."""
    for name in policy.metrics:
        info = _info(evidence.candidate, name)
        if info is None or not info.binary:
            continue
        judge, missing = _regressions(policy, evidence, info, cap)
        yield Claim(
            rule=f"{evidence.evalset}:{name}.max_regressions",
            kind="max_regressions",
            what="share that passed before and fails now",
            limit=cap,
            passes="below",
            judge=judge,
            metric=name,
            n_failed=missing,
            better=info.better,
        )


def _regressions(policy: Policy, evidence: Evidence, info: ScorerInfo, cap: float) -> tuple[Judge, int]:
    why = evidence.no_baseline or why_other_rule(evidence.baseline[0].run, evidence.candidate[0].run, info.name)
    if why:
        return unknown(why), 0
    old, new = evidence.scores(True, info.name), evidence.scores(False, info.name)
    pairs = [(old[key], new[key]) for key in new]
    asked = [(y.family, _regressed(x, y, info)) for x, y in pairs if _may_have_passed(x, y, info)]
    lost, families = [lost for _, lost in asked], [family for family, _ in asked]
    if not asked:
        return unknown(f"no sample passed '{info.name}' before, so that none can regress"), 0
    # The policy's share is one of all samples, not of those that passed before.
    allowed = policy.max_missing * sum(s.applies for s in new.values()) / len(asked)

    def judge(alpha: float) -> Decision:
        scale = Scale(low=0.0, high=1.0, better="lower")
        return decide_mean(lost, families, scale, limit=cap, allowed_missing=allowed, level=1 - 2 * alpha)

    return judge, lost.count(None)


def _may_have_passed(old: SampleScores, new: SampleScores, info: ScorerInfo) -> bool:
    """Return whether a sample passed before; one whose old score is missing may have, unless it passes now."""
    if old.mean is None:
        return old.applies and (new.mean is None or _failing_share(new.mean, info) > 0)
    return _passes(old.mean, info)


def _regressed(old: SampleScores, new: SampleScores, info: ScorerInfo) -> float | None:
    """Return the share of the new answers that fail: the cap means the same however often a sample is asked."""
    if old.mean is None or new.mean is None:
        return None
    return _failing_share(new.mean, info)


def _failing_share(mean: float, info: ScorerInfo) -> float:
    return 1 - mean if info.better == "higher" else mean


def _passes(mean: float, info: ScorerInfo) -> bool:
    return 1 - _failing_share(mean, info) >= PASSED


def _info(pool: Pool, name: str) -> ScorerInfo | None:
    return pool[0].info(name)
