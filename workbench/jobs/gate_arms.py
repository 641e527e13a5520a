"""Find the runs of a gate's two arms in a home: those of the candidate, and what was promoted with its kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError, Problem
from workbench.evaluation.arms import Finished, Pool
from workbench.evaluation.run import read_start
from workbench.gate.ledger import Ledger
from workbench.gate.looking import Inputs, inputs_of
from workbench.gate.records import Start
from workbench.gate.series import Book
from workbench.runs import RunSpec
from workbench.store.home import RunFolder


def runs_of(bench: Workbench, evalset: str, inputs: Inputs) -> list[Finished]:
    """Return every finished run of an arm on the whole gate set, oldest first."""
    folders = [f for f in _gate_folders(bench, evalset, inputs) if f.summary.exists()]
    return [Finished.read(folder) for folder in folders]


def unfinished(bench: Workbench, evalset: str, inputs: Inputs) -> list[str]:
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


def began_here(book: Book, runs: Sequence[Finished]) -> tuple[list[Finished], list[str]]:
    """Return the runs that began in this home, and a word on each of the others."""
    known = [f for f in runs if book.known(f.run.id, f.run.spec.parent)]
    others = [f.run.id for f in runs if f not in known]
    what = "did not begin in this home, by its book of gates, and was not used: it may be the best of several"
    return known, [f"run {run} {what}" for run in others]


@dataclass(frozen=True)
class Baseline:
    name: str
    id: str = ""
    """The run that was promoted or named."""
    inputs: Inputs = field(default_factory=dict)
    runs: Pool = ()
    """All finished runs of what that run is a run of, oldest first."""
    promoted: str = ""
    missing: str = ""


def found_baseline(bench: Workbench, ledger: Ledger, evalset: str, name: str, keys: Inputs) -> Baseline:
    """Return the runs of what was promoted under a name, else of the run of exactly that id, else why there are none.

    What names another run tomorrow, such as `latest` or a part of an id, is no baseline.
    """
    promotion = ledger.promotion(evalset, name)
    run_id = name if promotion is None else promotion.run
    try:
        run = Finished.read(_exactly(bench, run_id))
    except DataError as exc:
        if promotion is not None:
            return Baseline(name, missing=f"the baseline '{name}' cannot be read: {exc}; promote another run")
        what = f"no run was promoted as baseline '{name}' of {evalset}, and no finished run has it for its whole id"
        return Baseline(name, missing=f"{what}: workbench gate promote RUN --name {name} --why …")
    said = "" if promotion is None else f"{promotion.who}, {promotion.at}: {promotion.why}"
    inputs = inputs_of(run.run.spec.fingerprints, keys)
    runs = runs_of(bench, evalset, inputs)
    if run.run.id not in {f.run.id for f in runs}:
        runs = [run]  # of another evalset or use: told as a baseline that does not fit
    return Baseline(name, run.run.id, inputs, runs, said)


def _exactly(bench: Workbench, run_id: str) -> RunFolder:
    if run_id in bench.home.run_ids():
        return bench.home.run(run_id)
    raise DataError(Problem("UNKNOWN_RUN", "no run has this id", file=str(bench.home.runs), got=run_id))


def begun_on(book: Book, evalset: str, arm: Pool) -> list[Start]:
    """Return the runs of the baseline's model that were begun on its rows."""
    if not arm:
        return []
    run = arm[-1].run
    name, rows = book.name_of(run.id, ""), run.spec.fingerprints["rows"]
    return [s for s in book.starts if (s.series, s.evalset, s.rows) == (name, evalset, rows)]
