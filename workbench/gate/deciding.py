"""Decide one gate: reconcile, hold the evidence against the policy, and say why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.evaluation.arms import Pool, arm
from workbench.evaluation.comparable import why_mixed, why_other_samples
from workbench.evaluation.compare import compare
from workbench.gate.claims import Evidence, claims
from workbench.gate.correcting import Calibrations
from workbench.gate.decision import GateDecision, Reconciliation, RuleRow, joint
from workbench.gate.judging import judged
from workbench.gate.looking import level_of
from workbench.gate.policy import Policy
from workbench.gate.reconciling import reconciled
from workbench.gate.records import Look, Outcome, Waiver


@dataclass(frozen=True)
class Case:
    """Everything that one decision rests on."""

    evalset: str
    policy: Policy
    at: str
    """ISO 8601 time, UTC."""
    candidate: Pool
    """Finished runs of one candidate, oldest first; empty when there is none."""
    baseline: Pool = ()
    """Finished runs of the baseline, oldest first; empty when there is none."""
    baseline_name: str = ""
    baseline_promoted: str = ""
    no_baseline: str = ""
    """Why there is no baseline, and what to do."""
    look: int = 1
    looks: Sequence[Look] = ()
    waivers: Sequence[Waiver] = ()
    """Those that hold today."""
    blocked: str = ""
    """Why no verdict may be given whatever the numbers say, such as a third look; empty otherwise."""
    notes: Sequence[str] = field(default=())
    calibrations: Calibrations = field(default_factory=dict)
    """What is known of the judges, by metric."""

    def alpha(self) -> float:
        """Return the one-sided level of this look: half the policy's from the second on."""
        return level_of(self.look, self.policy.alpha)

    def next_alpha(self) -> float:
        """Return the level at which more samples would be judged."""
        return level_of(self.look + 1, self.policy.alpha)


def decide(case: Case) -> GateDecision:
    """Return the decision on one evalset. Nothing is counted as good because it is missing."""
    if not case.candidate:
        return _decision(case, "inconclusive", case.blocked or "there is no finished run of the candidate", (), ())
    baseline, no_baseline = case.baseline, case.no_baseline
    if baseline and (why := why_other_samples(baseline, case.candidate)):
        no_baseline, baseline = f"the baseline does not fit: {why}; promote a run of this evalset", []
    if _is_itself(case):
        no_baseline, baseline = "the candidate is its own baseline, and who is compared with himself proves nothing", []
    metrics = tuple(dict.fromkeys([*case.policy.metrics, *(m for rules in case.policy.slices.values() for m in rules)]))
    accounts = [*reconciled("candidate", case.candidate, metrics), *reconciled("baseline", baseline, metrics)]
    blocked = case.blocked or why_mixed(case.candidate) or why_mixed(baseline) or _unaccounted(accounts)
    evidence = Evidence(case.evalset, case.candidate, baseline, no_baseline if not baseline else "", case.calibrations)
    waivers = {waiver.rule: waiver for waiver in case.waivers}
    rows = judged(claims(case.policy, evidence), case.alpha(), waivers, blocked, next_alpha=case.next_alpha())
    outcome = joint(row.verdict for row in rows)
    made = _decision(case, outcome, blocked or _why(outcome, rows), rows, accounts)
    comparison = compare(baseline, case.candidate) if baseline and not blocked else None
    notes = [*case.notes, *([no_baseline] if no_baseline else [])]
    arms = {"candidate": arm(case.candidate), "baseline": arm(baseline) if baseline else None}
    return made.model_copy(update={**arms, "comparison": comparison, "notes": tuple(notes)})


def _decision(
    case: Case, outcome: Outcome, reason: str, rows: Sequence[RuleRow], accounts: Sequence[Reconciliation]
) -> GateDecision:
    return GateDecision(
        evalset=case.evalset,
        decision=outcome,
        reason=reason,
        baseline_name=case.baseline_name,
        baseline_promoted=case.baseline_promoted,
        rows=tuple(rows),
        reconciliation=tuple(accounts),
        policy=case.policy,
        alpha=case.alpha(),
        look=case.look,
        looks=tuple(case.looks),
        waivers=tuple(case.waivers),
        notes=tuple(case.notes),
        at=case.at,
    )


def _is_itself(case: Case) -> bool:
    """Return whether the baseline gave the very answers that are judged, rescored or not."""
    given, judged_answers = (
        {name for f in pool for name in (f.run.id, f.run.spec.parent) if name is not None}
        for pool in (case.baseline, case.candidate)
    )
    return bool(given & judged_answers)


def _unaccounted(accounts: Sequence[Reconciliation]) -> str:
    """Return why the counts forbid a verdict, or an empty string."""
    short = [account for account in accounts if account.shortfall]
    if not short:
        return ""
    first = short[0]
    return f"run {first.run} does not add up for '{first.metric}': {first.shortfall}"


def _why(outcome: Outcome, rows: Sequence[RuleRow]) -> str:
    """Return the decision's reason: the first rule that decided it, and how many did."""
    if outcome == "pass":
        waived = sum(row.verdict == "waived" for row in rows)
        return f"all {len(rows)} rules hold" if not waived else f"{len(rows) - waived} rules hold, {waived} are waived"
    deciding = [row for row in rows if row.verdict == outcome]
    if not deciding:
        return "every rule is waived, so that nothing was shown to hold"
    more = f" (and {len(deciding) - 1} more)" if len(deciding) > 1 else ""
    return f"{deciding[0].rule}: {deciding[0].reason}{more}"
