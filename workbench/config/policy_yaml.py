"""What a policy must agree on with the evalset it stands in: metrics that exist, thresholds that can be reached."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from workbench.datasets import Use
from workbench.errors import Problem
from workbench.gate.policy import MetricRule, Policy
from workbench.runs import ScorerInfo

Known = Mapping[str, ScorerInfo | None]
"""The evalset's scorers by name; `None` for one that has faults of its own, so that its range is not known."""


def policy_problems(policy: Policy, known: Known, uses: Sequence[Use]) -> list[Problem]:
    """Return every fault of a policy that its own types cannot see."""
    found: list[Problem] = []
    if uses and "gate" not in uses:
        fix = "add a gate share to `split`, or `use: gate`"
        found.append(
            Problem(
                "NO_SUCH_USE", "a policy without samples of use gate decides nothing", "", None, "policy", None, fix
            )
        )
    found += _rules("policy.metrics", policy.metrics, known)
    for label, rules in policy.slices.items():
        found += _rules(f"policy.slices.{label}", rules, known)
    infos = [known.get(name) for name in policy.metrics]
    if policy.max_regressions is not None and all(info is not None and not info.binary for info in infos):
        what, fix = (
            "no metric of this policy is 0 or 1, so that no sample passes or fails",
            "add a rule for one that is",
        )
        found.append(Problem("NOT_BINARY", what, field="policy.max_regressions", fix=fix))
    return found


def _rules(field: str, rules: Mapping[str, MetricRule], known: Known) -> list[Problem]:
    found: list[Problem] = []
    for name, rule in rules.items():
        here = f"{field}.{name}"
        if name in known:
            info = known[name]
            found += (
                [] if info is None else [*_range_problems(here, rule, info), *_direction_problems(here, rule, info)]
            )
            continue
        if None in known.values():
            continue  # a rubric that could not be read may have had this name
        near = difflib.get_close_matches(name, known, n=1)
        fix = f"did you mean '{near[0]}'?" if near else f"the evalset has: {', '.join(known)}"
        found.append(
            Problem("UNKNOWN_METRIC", "no scorer of this evalset has this name", field=here, got=name, fix=fix)
        )
    return found


def _direction_problems(field: str, rule: MetricRule, info: ScorerInfo) -> list[Problem]:
    """Return the threshold that asks for worse scores than a margin does: `max` where higher is better."""
    against, limit = ("max", rule.max) if info.better == "higher" else ("min", rule.min)
    if rule.margin is None or limit is None:
        return []
    what = f"'{info.name}' is better {info.better}: the margin wants it {info.better}, and {against} forbids that"
    fix = f"drop {against}, or drop margin"
    return [Problem("THRESHOLD_RANGE", what, field=f"{field}.{against}", got=f"{limit:g}", fix=fix)]


def _range_problems(field: str, rule: MetricRule, info: ScorerInfo) -> list[Problem]:
    """Return the thresholds that lie where no bound can: beyond the scorer's range, or at its far end."""
    low, high = info.low, info.high
    if low is None or high is None:
        return []
    wrong: list[tuple[str, float, str]] = []
    if rule.min is not None and not low <= rule.min < high:
        wrong.append(("min", rule.min, f"a lower bound lies above it only from {low:g} to below {high:g}"))
    if rule.max is not None and not low < rule.max <= high:
        wrong.append(("max", rule.max, f"an upper bound lies below it only from above {low:g} to {high:g}"))
    if rule.margin is not None and not rule.margin < high - low:
        wrong.append(
            ("margin", rule.margin, f"scores lie within {low:g} … {high:g}; give a margin below {high - low:g}")
        )
    return [
        Problem(
            "THRESHOLD_RANGE",
            f"nothing could ever pass or fail this {name}",
            field=f"{field}.{name}",
            got=f"{value:g}",
            fix=fix,
        )
        for name, value, fix in wrong
    ]
