"""Decide a release from configuration: find the candidate's runs and the baseline, decide each gate, note the look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from workbench.config.evalset_yaml import Evalset
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.evaluation.arms import Finished
from workbench.evaluation.seals import refuse_changed
from workbench.gate.deciding import Case, decide
from workbench.gate.decision import GateDecision, Release, joint
from workbench.gate.last import keep
from workbench.gate.ledger import Ledger
from workbench.gate.looking import Inputs, Looking, Sides, inputs_of, looking, table_hashes
from workbench.gate.policy import Policy
from workbench.gate.records import Look
from workbench.gate.series import Book
from workbench.jobs.alike import SameSamples
from workbench.jobs.calibrating import calibrations_for
from workbench.jobs.gate_arms import began_here, begun_on, found_baseline, runs_of, unfinished
from workbench.jobs.planning import Asked, Plan, plan, select
from workbench.nouns import fingerprint


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
    ledger = Ledger(bench.home.root)
    then, evalsets = ledger.now(now), gate_evalsets(bench, question)
    together = [evalset.name for evalset in evalsets]
    gates = [_decide_one(bench, evalset, question, Setting(ledger, then, then > now, together)) for evalset in evalsets]
    for gate in gates:
        keep(bench.home.root, gate)
    return Release(decision=joint(gate.decision for gate in gates), gates=tuple(gates), at=_iso(then))


@dataclass(frozen=True)
class Setting:
    """When and with what a gate is decided."""

    ledger: Ledger
    now: datetime
    """The time, never before the book's last record."""
    set_back: bool
    """Whether the clock says that it is earlier than that."""
    together: Sequence[str]
    """Names of all evalsets of the release."""


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
    ledger = Ledger(bench.home.root)
    book = Book(ledger.starts())
    return [
        p for evalset, p in plans if not began_here(book, runs_of(bench, evalset.name, _ruled(_policy(evalset), p)))[0]
    ]


def gate_run(bench: Workbench, run_id: str) -> Finished:
    """Read a run that a gate may rest on. Raises `ConfigError` for one of another use, or of some samples only."""
    finished = Finished.read(bench.home.run(run_id))
    spec = finished.run.spec
    if spec.use == "gate" and spec.limit is None:
        return finished
    what = f"this run is of use {spec.use}" if spec.use != "gate" else f"this run is limited to {spec.limit} samples"
    fix = f"evaluate the whole gate: workbench eval run {spec.evalset} --use gate"
    raise ConfigError(Problem("NOT_A_GATE_RUN", what, file=str(finished.folder.path), got=run_id, fix=fix))


def _decide_one(bench: Workbench, evalset: Evalset, question: Question, setting: Setting) -> GateDecision:
    policy, ledger = _policy(evalset), setting.ledger
    book = Book(ledger.starts(), ledger.looks())
    current = _ruled(policy, _plan(bench, evalset, 1))
    wanted, blocked = current, ""
    if question.run is not None:
        wanted = inputs_of(gate_run(bench, question.run).run.spec.fingerprints, current)
        blocked = _outdated(question.run, wanted, current)
    compared = _needs_baseline(policy)
    runs, strangers = began_here(book, runs_of(bench, evalset.name, wanted))
    found = found_baseline(bench, ledger, evalset.name, question.baseline or policy.baseline, current)
    every = bench.home.run_ids()
    sides = Sides(wanted, runs, others=every)
    if compared:
        arm = [f for f in found.runs if f.run.id == found.id or book.known(f.run.id, f.run.spec.parent)]
        sides = Sides(wanted, runs, found.inputs, arm, found.id, every, begun_on(book, evalset.name, arm))
    seen = looking(sides, _series(bench, evalset.name, book, sides, setting.together))
    for finished in (*seen.pool, *seen.baseline):
        refuse_changed(finished.run, finished.folder)
    case = Case(
        evalset=evalset.name,
        policy=policy,
        at=_iso(setting.now),
        candidate=seen.pool,
        baseline=seen.baseline,
        baseline_name=found.name,
        baseline_promoted=found.promoted,
        no_baseline=found.missing if compared else "",
        look=seen.number,
        looks=seen.earlier,
        waivers=ledger.waivers(setting.now.date(), evalset.name),
        calibrations=calibrations_for(bench, policy, seen.pool[0].run) if seen.pool else {},
        blocked=blocked or seen.blocked or ("" if runs else _no_run(bench, evalset)),
        notes=[*seen.notes, *strangers, *unfinished(bench, evalset.name, wanted), *_told(book, sides, setting, policy)],
    )
    made = decide(case)
    if runs and not case.blocked:
        _note(ledger, _look(made, sides, seen), book.looks)
    return made


def _series(bench: Workbench, evalset: str, book: Book, sides: Sides, together: Sequence[str]) -> Book:
    model = sides.inputs["model"]
    name = book.name_of(sides.runs[-1].run.id, model) if sides.runs else model
    return book.of(name, model, SameSamples(bench.home, evalset, together, sides.runs))


def _told(book: Book, sides: Sides, setting: Setting, policy: Policy) -> Iterator[str]:
    """Yield what else a reader must know: many candidates, a baseline from elsewhere, a clock that was set back."""
    if setting.set_back:
        yield f"the clock is behind the last record of this home's gates; {_iso(setting.now)} was taken for now"
    base = next((f.run for f in sides.baseline if f.run.id == sides.promoted), None)
    if base is not None and not book.known(base.id, base.spec.parent):
        yield f"the baseline's run {base.id} did not begin in this home; who promoted it answers for it"
    if softer := _last_under_another_policy(book, sides, policy):
        yield f"{softer.outcome} on {softer.at} with these very runs, before the policy changed"
    models = {look.inputs["model"] for look in book.looks if look.inputs.get("rows") == sides.inputs["rows"]}
    if others := len(models - {sides.inputs["model"], sides.baseline_inputs.get("model", "")}):
        yield (
            f"other candidates that were judged on these rows: {others}; each that is too bad passes with a chance of "
            "up to alpha, so that of many one may have passed by luck"
        )


def _last_under_another_policy(book: Book, sides: Sides, policy: Policy) -> Look | None:
    """Return the last look at the candidate's runs that was taken with other rules."""
    ids, now = tuple(f.run.id for f in sides.runs), _print(policy)
    return next((x for x in reversed(book.looks) if ids and x.runs == ids and x.policy != now), None)


def _print(policy: Policy) -> str:
    return fingerprint(policy.settings())


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
    return plan(bench, Asked(evalset.name, "gate", "", repeats=repeats), evalset)


def _outdated(run_id: str, then: Inputs, now: Inputs) -> str:
    """Return what changed since a named run was made, apart from the model, or an empty string."""
    changed = sorted(k for k in then.keys() | now.keys() if k != "model" and then.get(k) != now.get(k))
    if not changed:
        return ""
    return f"{', '.join(changed)} changed since run {run_id} was made; evaluate again, or rescore it"


def _no_run(bench: Workbench, evalset: Evalset) -> str:
    model = evalset.spec.model or bench.candidate()
    return (
        f"there is no finished run of '{model}' on the gate samples of {evalset.name} as they are now; "
        f"evaluate it: workbench gate {evalset.name} --run-missing"
    )


def _needs_baseline(policy: Policy) -> bool:
    rules = [*policy.metrics.values(), *(rule for rules in policy.slices.values() for rule in rules.values())]
    return policy.max_regressions is not None or any(rule.margin is not None for rule in rules)


def _note(ledger: Ledger, look: Look, looks: Sequence[Look]) -> None:
    """Record a decision unless it is, but for the time, the last one that was recorded of this candidate."""
    last = next(
        (noted for noted in reversed(looks) if (noted.evalset, noted.inputs) == (look.evalset, look.inputs)), None
    )
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
        policy=_print(made.policy),
        alpha=made.alpha,
        at=made.at,
    )


def _iso(now: datetime) -> str:
    return now.isoformat(timespec="seconds")
