"""What people do to gates: promote a baseline, waive a rule, end a waiver. Each is a record with who, when and why."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import date, datetime

from workbench.config.evalset_yaml import Evalset, find_evalsets
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.gate.ledger import Ledger
from workbench.gate.policy import LATEST, MetricRule, Policy
from workbench.gate.records import Promotion, Unwaiver, Waiver
from workbench.jobs.acting import legible, who
from workbench.jobs.gating import gate_run


def promote(bench: Workbench, run_id: str, name: str | None, why: str, now: datetime) -> Promotion:
    """Make a finished gate run the baseline of its evalset; without a name, the one that the policy asks for."""
    if name == LATEST:
        fix = "give the baseline a name that stays, such as main"
        raise ConfigError(
            Problem("FIELD_VALUE", "'latest' is no name of a baseline", field="--name", got=name, fix=fix)
        )
    run, ledger = gate_run(bench, run_id).run, Ledger(bench.home.root)
    evalset = next((e for e in find_evalsets(bench) if e.name == run.spec.evalset), None)
    policy = None if evalset is None else evalset.spec.policy
    record = Promotion(
        evalset=run.spec.evalset,
        name=legible(name) if name else (policy.baseline if policy else Policy.model_fields["baseline"].default),
        run=run.id,
        who=who(),
        at=_iso(ledger.now(now)),
        why=_given(why),
    )
    ledger.add(record)
    return record


def waive(bench: Workbench, rule: str, until: str, why: str, now: datetime) -> Waiver:
    """Let a rule not hold until a day. Raises `ConfigError` for a rule that no policy has, or a day that is over."""
    known = [name for evalset in find_evalsets(bench) for name in rules_of(evalset)]
    _refuse_unknown(rule, known, "no policy has this rule")
    ledger = Ledger(bench.home.root)
    then = ledger.now(now)
    record = Waiver(rule=rule, until=_last_day(until, then.date()), who=who(), at=_iso(then), why=_given(why))
    ledger.add(record)
    return record


def unwaive(bench: Workbench, rule: str, why: str, now: datetime) -> Unwaiver:
    """End a waiver before its day. Raises `ConfigError` where none stands."""
    ledger = Ledger(bench.home.root)
    then = ledger.now(now)
    _refuse_unknown(rule, [w.rule for w in ledger.waivers(then.date())], "no waiver of this rule stands")
    record = Unwaiver(rule=rule, who=who(), at=_iso(then), why=_given(why))
    ledger.add(record)
    return record


def rules_of(evalset: Evalset) -> list[str]:
    """Return the ids of all rules of an evalset's policy, as decisions name them."""
    policy = evalset.spec.policy
    if policy is None:
        return []
    named = _rule_names("", policy.metrics.items())
    for label, rules in policy.slices.items():
        named += _rule_names(f"[{label}]", rules.items())
    if policy.max_regressions is not None:
        binary = {scorer.info().name for scorer in evalset.scorers if scorer.info().binary}
        named += [f"{name}.max_regressions" for name in policy.metrics if name in binary]
    if policy.p95_latency is not None:
        named.append("p95_latency")
    if policy.max_cost is not None:
        limits = policy.max_cost.model_dump()
        named += [f"max_cost.{name}" for name, limit in limits.items() if limit is not None]
    return [f"{evalset.name}:{name}" for name in named]


def _rule_names(where: str, rules: Iterable[tuple[str, MetricRule]]) -> list[str]:
    return [
        f"{name}{where}.{kind}"
        for name, rule in rules
        for kind in ("min", "max", "margin")
        if getattr(rule, kind) is not None
    ]


def _given(why: str) -> str:
    if why.strip():
        return " ".join(legible(why).split())
    fix = 'say --why "…"; it is shown in every decision'
    raise ConfigError(Problem("FIELD_VALUE", "the reason is empty", field="--why", fix=fix))


def _last_day(until: str, today: date) -> str:
    fix = "give the last day, such as --until 2030-12-31"
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", until):
        raise ConfigError(Problem("WAIVER_DATE", "this is no day", field="--until", got=until, fix=fix))
    try:
        day = date.fromisoformat(until)
    except ValueError as exc:
        raise ConfigError(Problem("WAIVER_DATE", "there is no such day", field="--until", got=until, fix=fix)) from exc
    if day < today:
        raise ConfigError(Problem("WAIVER_DATE", "this day is over", field="--until", got=until, fix=fix))
    return until


def _refuse_unknown(rule: str, known: list[str], what: str) -> None:
    if rule in known:
        return
    near = difflib.get_close_matches(rule, known, n=1)
    fix = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known) or 'none'}"
    raise ConfigError(Problem("UNKNOWN_RULE", what, got=rule, fix=fix))


def _iso(now: datetime) -> str:
    return now.isoformat(timespec="seconds")
