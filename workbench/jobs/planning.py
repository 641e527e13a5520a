"""Resolve what was asked into a `RunSpec`: everything that decides the numbers, with a content hash of each input."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workbench.adapters.own_pipeline.http import as_endpoint
from workbench.calling.addresses import api_key
from workbench.config.derived_models import bare, pinned
from workbench.config.evalset_yaml import Evalset, find_evalsets, load_evalset
from workbench.config.workbench_yaml import Workbench
from workbench.datasets import Use
from workbench.errors import ConfigError, DataError, Problem
from workbench.evaluation.run import read_start
from workbench.jobs.few_shot import refuse_shown
from workbench.jobs.identities import identity
from workbench.jobs.sides import refuse_overlap
from workbench.models import NOT_IDENTITY, EndpointSpec, HttpSpec
from workbench.nouns import fingerprint
from workbench.reading.stored import StoredDataset
from workbench.runs import RunSpec
from workbench.scoring.base import Scorer
from workbench.scoring.lm_eval import TaskSet
from workbench.store.home import RunFolder


@dataclass(frozen=True)
class Asked:
    """What a person asked for on the command line or a page."""

    evalset: str
    use: Use
    model: str
    limit: int | None = None
    repeats: int = 1
    budget: float | None = None


@dataclass(frozen=True)
class Plan:
    """A run that can start: its spec and its opened rows and scorers."""

    spec: RunSpec
    rows: StoredDataset
    scorers: tuple[Scorer, ...]
    tasks: TaskSet | None = None
    """Tasks of lm-eval that give the rows."""


def select(bench: Workbench, names: Sequence[str], use: Use) -> list[Evalset]:
    """Return the evalsets of these names; without names, all that have the use. Raises `ConfigError` when none does."""
    if names:
        return [_named(bench, name) for name in dict.fromkeys(names)]
    if found := [evalset for evalset in find_evalsets(bench) if use in evalset.uses()]:
        return found
    fix = "add `split` or `use` to an evalset.yaml, or choose another --use"
    raise ConfigError(Problem("NO_SUCH_USE", f"no evalset has the use '{use}'", file=str(bench.evalsets), fix=fix))


def _named(bench: Workbench, name: str) -> Evalset:
    known = sorted(p.parent.name for p in bench.evalsets.glob("*/evalset.yaml"))
    if name in known:
        return load_evalset(bench.evalsets / name, bench)
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"did you mean '{near[0]}'?" if near else f"evalsets: {', '.join(known) or 'none'}"
    raise ConfigError(
        Problem("UNKNOWN_EVALSET", "no evalset has this name", file=str(bench.evalsets), got=name, fix=fix)
    )


def plan(bench: Workbench, asked: Asked, evalset: Evalset, parent: str | None = None) -> Plan:
    """Read the evalset, resolve models and scorers, and take every input's fingerprint."""
    if asked.use not in evalset.uses():
        problem = Problem(
            "NO_SUCH_USE",
            "this evalset has no such part",
            file=str(evalset.file),
            field="use",
            got=asked.use,
            fix=f"it has: {', '.join(evalset.uses())}",
        )
        raise ConfigError(problem)
    rows = evalset.rows(asked.use, bench.home)
    refuse_overlap(evalset, bench.home)
    name = pinned(bench, model_for(bench, asked, evalset), evalset.name)
    candidate = bench.model(name)
    refuse_shown(bench, name, rows)
    scorers = evalset.scorers
    judges = sorted({name for scorer in scorers for name in scorer.judges()})
    _require_keys(bench, [name, *judges])
    spec = RunSpec(
        evalset=evalset.name,
        use=asked.use,
        model_name=name,
        model=candidate.model_dump(mode="json"),
        scorers=tuple(scorer.model_dump(mode="json") for scorer in scorers),
        judges={name: bench.model(name).model_dump(mode="json") for name in judges},
        repeats=asked.repeats,
        limit=asked.limit,
        budget=asked.budget,
        parent=parent,
        harness={} if evalset.tasks is None else evalset.tasks.recorded(),
        fingerprints={
            "rows": rows.manifest.fingerprint,
            "model": identity(bench, name),
            **{f"scorer:{s.info().name}": fingerprint([s.info().version, s.settings()]) for s in scorers},
            **{f"judge:{name}": identity(bench, name) for name in judges},
            **({} if evalset.tasks is None else {"harness": evalset.tasks.fingerprint()}),
        },
    )
    return Plan(spec, rows, scorers, evalset.tasks)


def model_for(bench: Workbench, asked: Asked, evalset: Evalset) -> str:
    """Return the name of the model to evaluate: the asked one, the evalset's own, or the candidate."""
    return asked.model or evalset.spec.model or bench.candidate()


def _require_keys(bench: Workbench, names: Sequence[str]) -> None:
    """Raise `ConfigError` for a key that is not set, before a run begins and any other model is paid."""
    for name in names:
        spec = bench.model(bare(bench, name))
        if isinstance(spec, EndpointSpec | HttpSpec):
            api_key(as_endpoint(spec) if isinstance(spec, HttpSpec) else spec)


def folder_for(bench: Workbench, spec: RunSpec, fresh: bool) -> tuple[RunFolder, bool]:
    """Return the folder to write and whether it resumes: an unfinished run of the very same spec is taken up again."""
    if not fresh:
        for run_id in reversed(bench.home.run_ids()):
            folder = RunFolder(bench.home.runs / run_id)
            if not folder.summary.exists() and _is_of(folder, spec):
                return folder, True
    return bench.home.new_run(spec, datetime.now(UTC)), False


def finished_run(bench: Workbench, spec: RunSpec) -> RunFolder | None:
    """Return the newest finished run of the very same spec, or `None`."""
    for run_id in reversed(bench.home.run_ids()):
        folder = RunFolder(bench.home.runs / run_id)
        if folder.summary.exists() and _is_of(folder, spec):
            return folder
    return None


def _is_of(folder: RunFolder, spec: RunSpec) -> bool:
    try:
        return not changes(read_start(folder).spec, spec)
    except DataError:
        return False  # a damaged run is listed as such and hinders no other


def refuse_changes(folder: RunFolder, now: RunSpec) -> None:
    """Raise `DataError` naming every input that differs from what the unfinished run began with."""
    found = changes(read_start(folder).spec, now)
    if found:
        fix = "undo the change to resume, or start a new run with `workbench eval run --new`"
        raise DataError(
            [
                Problem(
                    "CHANGED_INPUT", f"{name} changed since this run began", file=str(folder.path), got=what, fix=fix
                )
                for name, what in found
            ]
        )


FREE = NOT_IDENTITY | {"base", "adapter", "path"}
"""Settings of a model that may change within a run: no answer depends on them, or the hash of their files tells."""


def changes(before: RunSpec, now: RunSpec) -> list[tuple[str, str]]:
    """Return (name, `old → new`) of every difference that could change a number. The budget is free to change."""
    old, new = _comparable(before), _comparable(now)
    # What a later version of the workbench added to a spec says nothing while the fingerprint is the same.
    if _same(before, now, "model"):
        new["model"] = old["model"]
    for many, one in (("scorers", "scorer"), ("judges", "judge")):
        new[many] |= {name: spec for name, spec in old[many].items() if _same(before, now, f"{one}:{name}")}
    found = list(_differences("", old, new))
    named = {name.split(".")[0] for name, _ in found}
    for name in sorted(before.fingerprints.keys() | now.fingerprints.keys()):
        a, b = before.fingerprints.get(name, "none"), now.fingerprints.get(name, "none")
        if a != b and not (name == "model" and "model" in named):
            found.append((FILES.get(name, name), f"{a} → {b}"))
    return found


def _same(before: RunSpec, now: RunSpec, part: str) -> bool:
    return part in before.fingerprints and before.fingerprints[part] == now.fingerprints.get(part)


FILES = {"rows": "rows", "model": "model (its files)"}


def _comparable(spec: RunSpec) -> dict[str, Any]:
    plain = spec.model_dump(mode="json", exclude={"fingerprints", "budget"})
    for model in (plain["model"], *plain["judges"].values()):
        for name in FREE:
            model.pop(name, None)
    plain["scorers"] = {s["name"] or s["kind"]: s for s in plain["scorers"]}
    return plain


def _differences(path: str, a: Any, b: Any) -> list[tuple[str, str]]:
    if isinstance(a, dict) and isinstance(b, dict):
        keys = [*a, *(k for k in b if k not in a)]
        return [d for k in keys for d in _differences(f"{path}.{k}" if path else str(k), a.get(k), b.get(k))]
    return [] if a == b else [(path, f"{a!r} → {b!r}")]
