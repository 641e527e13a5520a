"""Decide a release from configuration: find the candidate's runs and the baseline, decide each gate, note the look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from workbench.config.evalset_yaml import Evalset
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, DataError, Problem
from workbench.evaluation.arms import Finished, Pool
from workbench.evaluation.run import read_start
from workbench.evaluation.seals import refuse_changed
from workbench.gate.deciding import Case, decide
from workbench.gate.decision import GateDecision, Release, joint
from workbench.gate.ledger import Ledger
from workbench.gate.looking import Inputs, Looking, Sides, inputs_of, looking, table_hashes
from workbench.gate.policy import Policy
from workbench.gate.records import Look
from workbench.jobs.planning import Asked, Plan, plan, select
from workbench.nouns import fingerprint
from workbench.runs import RunSpec
from workbench.store.home import RunFolder


@dataclass(frozen=True)
class Question:
    """What is to be decided."""

    evalsets: Sequence[str] = ()
    """Names; empty: all that have gate samples."""
    run: str | None = None
    """A run of the candidate; `None`: the current candidate of workbench.yaml."""
    baseline: str | None = None
    """Name of a baseline or whole id of a run; `None`: the one that the policy names."""


def decide_release(bench: Workbench, question: Question, now: datetime) -> Release:
    """Decide every gate and note the looks. Raises `ConfigError`, `DataError`, `LockedError`."""
    gates = [_decide_one(bench, evalset, question, now) for evalset in gate_evalsets(bench, question)]
    return Release(decision=joint(gate.decision for gate in gates), gates=tuple(gates), at=_iso(now))


def gate_evalsets(bench: Workbench, question: Question) -> list[Evalset]:
    """Return the evalsets to decide. Raises `ConfigError` for one without a policy."""
    names = question.evalsets
    if question.run is not None:
        spec = gate_run(bench, question.run).run.spec
        if names and spec.evalset not in names:
            fix = f"say: workbench gate {spec.evalset} --run {question.run}"
            what = "the run is of another evalset"
            raise ConfigError(Problem("UNKNOWN_EVALSET", what, field="--run", got=spec.evalset, fix=fix))
        names = [spec.evalset]
    found = select(bench, names, "gate")
    fix = "add a `policy:` section: docs/gate.md"
    problems = [
        Problem("NO_POLICY", "there is nothing to decide by", file=str(evalset.file), field="policy", fix=fix)
        for evalset in found
        if evalset.spec.policy is None
    ]
    if problems:
        raise ConfigError(problems)
    return found


def lacking(bench: Workbench, question: Question, repeats: int) -> list[Plan]:
    """Return the plans of the gates for which the current candidate has no finished run."""
    plans = [(evalset, _plan(bench, evalset, repeats)) for evalset in gate_evalsets(bench, question)]
    return [p for evalset, p in plans if not _runs_of(bench, evalset.name, _ruled(_policy(evalset), p))]


def gate_run(bench: Workbench, run_id: str) -> Finished:
    """Read a run that a gate may rest on. Raises `ConfigError` for one of another use, or of some samples only."""
    finished = Finished.read(bench.home.run(run_id))
    spec = finished.run.spec
    if spec.use == "gate" and spec.limit is None:
        return finished
    what = f"this run is of use {spec.use}" if spec.use != "gate" else f"this run is limited to {spec.limit} samples"
    fix = f"evaluate the whole gate: workbench eval run {spec.evalset} --use gate"
    raise ConfigError(Problem("NOT_A_GATE_RUN", what, file=str(finished.folder.path), got=run_id, fix=fix))


def _decide_one(bench: Workbench, evalset: Evalset, question: Question, now: datetime) -> GateDecision:
    policy, ledger = _policy(evalset), Ledger(bench.home.root)
    current = _ruled(policy, _plan(bench, evalset, 1))
    wanted, blocked = current, ""
    if question.run is not None:
        wanted = inputs_of(gate_run(bench, question.run).run.spec.fingerprints, current)
        blocked = _outdated(question.run, wanted, current)
    compared, runs = _needs_baseline(policy), _runs_of(bench, evalset.name, wanted)
    found = _found_baseline(bench, ledger, evalset.name, question.baseline or policy.baseline, current)
    looks = ledger.looks(evalset.name)
    every = bench.home.run_ids()
    sides = Sides(wanted, runs, others=every)
    if compared:
        sides = Sides(wanted, runs, found.inputs, found.runs, found.id, every)
    seen = looking(sides, looks)
    for finished in (*seen.pool, *seen.baseline):
        refuse_changed(finished.run, finished.folder)
    case = Case(
        evalset=evalset.name,
        policy=policy,
        at=_iso(now),
        candidate=seen.pool,
        baseline=seen.baseline,
        baseline_name=found.name,
        baseline_promoted=found.promoted,
        no_baseline=found.missing if compared else "",
        look=seen.number,
        looks=seen.earlier,
        waivers=ledger.waivers(now.date(), evalset.name),
        blocked=blocked or seen.blocked or ("" if runs else _no_run(bench, evalset.name)),
        notes=[*seen.notes, *_unfinished(bench, evalset.name, wanted)],
    )
    made = decide(case)
    if runs and not case.blocked:
        _note(ledger, _look(made, sides, seen), looks)
    return made


def _policy(evalset: Evalset) -> Policy:
    assert evalset.spec.policy is not None, "gate_evalsets has refused it"
    return evalset.spec.policy


def _ruled(policy: Policy, planned: Plan) -> dict[str, str]:
    """Return the fingerprints of a plan that rules rest on: rows, model, and scorers and judges that have a rule."""
    named = {*policy.metrics, *(name for rules in policy.slices.values() for name in rules)}
    scorers = [s for s in planned.scorers if s.info().name in named]
    judges = {f"judge:{judge}" for s in scorers for judge in s.judges()}
    return inputs_of(planned.spec.fingerprints, {"rows", "model", *(f"scorer:{n}" for n in named), *judges})


def _plan(bench: Workbench, evalset: Evalset, repeats: int) -> Plan:
    return plan(bench, Asked(evalset.name, "gate", bench.candidate(), repeats=repeats), evalset)


def _outdated(run_id: str, then: Inputs, now: Inputs) -> str:
    """Return what changed since a named run was made, apart from the model, or an empty string."""
    changed = sorted(k for k in then.keys() | now.keys() if k != "model" and then.get(k) != now.get(k))
    if not changed:
        return ""
    return f"{', '.join(changed)} changed since run {run_id} was made; evaluate again, or rescore it"


def _runs_of(bench: Workbench, evalset: str, inputs: Inputs) -> list[Finished]:
    """Return every finished run of an arm on the whole gate set, oldest first."""
    folders = [f for f in _gate_folders(bench, evalset, inputs) if f.summary.exists()]
    return [Finished.read(folder) for folder in folders]


def _unfinished(bench: Workbench, evalset: str, inputs: Inputs) -> list[str]:
    folders = [f for f in _gate_folders(bench, evalset, inputs) if not f.summary.exists()]
    return [f"run {f.id} is not finished and was not used: workbench eval run --resume {f.id}" for f in folders]


def _gate_folders(bench: Workbench, evalset: str, inputs: Inputs) -> list[RunFolder]:
    folders = [RunFolder(bench.home.runs / run_id) for run_id in bench.home.run_ids()]
    return [f for f in folders if (spec := _spec(f)) and _is_of(spec, evalset, inputs)]


def _spec(folder: RunFolder) -> RunSpec | None:
    try:
        return read_start(folder).spec
    except DataError:
        return None  # a damaged folder is listed by `workbench eval ls`; whose it is, nobody can say


def _is_of(spec: RunSpec, evalset: str, inputs: Inputs) -> bool:
    whole = (spec.evalset, spec.use, spec.limit) == (evalset, "gate", None)
    return whole and inputs_of(spec.fingerprints, inputs) == inputs


def _no_run(bench: Workbench, evalset: str) -> str:
    return (
        f"there is no finished run of '{bench.candidate()}' on the gate samples of {evalset} as they are now; "
        f"evaluate it: workbench gate {evalset} --run-missing"
    )


@dataclass(frozen=True)
class _Baseline:
    name: str
    id: str = ""
    """The run that was promoted or named."""
    inputs: Inputs = field(default_factory=dict)
    runs: Pool = ()
    """All finished runs of what that run is a run of, oldest first."""
    promoted: str = ""
    missing: str = ""


def _found_baseline(bench: Workbench, ledger: Ledger, evalset: str, name: str, keys: Inputs) -> _Baseline:
    """Return the runs of what was promoted under a name, else of the run of exactly that id, else why there are none.

    What names another run tomorrow, such as `latest` or a part of an id, is no baseline.
    """
    promotion = ledger.promotion(evalset, name)
    run_id = name if promotion is None else promotion.run
    try:
        run = Finished.read(_exactly(bench, run_id))
    except DataError as exc:
        if promotion is not None:
            return _Baseline(name, missing=f"the baseline '{name}' cannot be read: {exc}; promote another run")
        what = f"no run was promoted as baseline '{name}' of {evalset}, and no finished run has it for its whole id"
        return _Baseline(name, missing=f"{what}: workbench gate promote RUN --name {name} --why …")
    said = "" if promotion is None else f"{promotion.who}, {promotion.at}: {promotion.why}"
    inputs = inputs_of(run.run.spec.fingerprints, keys)
    runs = _runs_of(bench, evalset, inputs)
    if run.run.id not in {f.run.id for f in runs}:
        runs = [run]  # of another evalset or use: told as a baseline that does not fit
    return _Baseline(name, run.run.id, inputs, runs, said)


def _exactly(bench: Workbench, run_id: str) -> RunFolder:
    if run_id in bench.home.run_ids():
        return bench.home.run(run_id)
    raise DataError(Problem("UNKNOWN_RUN", "no run has this id", file=str(bench.home.runs), got=run_id))


def _needs_baseline(policy: Policy) -> bool:
    rules = [*policy.metrics.values(), *(rule for rules in policy.slices.values() for rule in rules.values())]
    return policy.max_regressions is not None or any(rule.margin is not None for rule in rules)


def _note(ledger: Ledger, look: Look, looks: Sequence[Look]) -> None:
    """Record a decision unless it is, but for the time, the last one that was recorded of this candidate."""
    last = next((noted for noted in reversed(looks) if noted.inputs == look.inputs), None)
    if last is None or last.model_copy(update={"at": look.at}) != look:
        ledger.add(look)


def _look(made: GateDecision, sides: Sides, seen: Looking) -> Look:
    there = [f for f in (*sides.runs, *sides.baseline) if f.run.id in (*seen.runs, *seen.baseline_runs)]
    return Look(
        evalset=made.evalset,
        inputs=dict(sides.inputs),
        runs=seen.runs,
        baseline=dict(sides.baseline_inputs),
        baseline_runs=seen.baseline_runs,
        tables=table_hashes(there),
        outcome=made.decision,
        policy=fingerprint(made.policy.model_dump(mode="json")),
        alpha=made.alpha,
        at=made.at,
    )


def _iso(now: datetime) -> str:
    return now.isoformat(timespec="seconds")
