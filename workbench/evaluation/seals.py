"""Hashes of a run's tables: in its summary when it is finished, and checked before a release rests on them."""

from __future__ import annotations

from workbench.errors import DataError, Problem
from workbench.evaluation.summary import sum_up
from workbench.runs import EvalRun, Metric
from workbench.store.files import sha256_of
from workbench.store.home import RunFolder


def seals(folder: RunFolder) -> dict[str, str]:
    """Return the SHA-256 of each table of a run by file name."""
    return {path.name: sha256_of(path) for path in (folder.samples, folder.scores)}


def refuse_changed(run: EvalRun, folder: RunFolder) -> None:
    """Raise `DataError` for each table that is not what the run wrote, with the numbers that are others now."""
    fix = "restore the run's folder; what was measured is never edited"
    try:
        now = seals(folder)
    except OSError as exc:
        what = f"a table of this run is gone: {exc.strerror}"
        raise DataError(Problem("DAMAGED_TABLE", what, str(exc.filename), fix=fix)) from exc
    changed = [name for name, hashed in now.items() if run.tables.get(name) != hashed]
    if not changed:
        return
    moved = "; ".join(_moved(run, folder)) or "no mean is another, but rows are"
    raise DataError(
        Problem("TABLE_CHANGED", f"this table is not what the run wrote: {_hashes(run, now, name)}; {moved}",
                file=str(folder.path / name), fix=fix)
        for name in changed
    )  # fmt: skip


def _hashes(run: EvalRun, now: dict[str, str], name: str) -> str:
    then = run.tables.get(name)
    noted = f"its hash was {then[:12]}…" if then else "its summary holds no hash of it"
    return f"{noted} and is {now[name][:12]}…"


def _moved(run: EvalRun, folder: RunFolder) -> list[str]:
    """Return the means over the whole run that the tables no longer give."""
    found = {m.scorer: m for m in sum_up(folder, run.scorers).metrics if not m.slice}
    pairs = [(m, found[m.scorer]) for m in run.metrics if not m.slice and m.scorer in found]
    return [f"{a.scorer} was {_told(a)} and is {_told(b)}" for a, b in pairs if _told(a) != _told(b)]


def _told(m: Metric) -> str:
    mean = "undefined" if m.value is None else f"{m.value:.4f}"
    return f"{mean} over {m.n} samples ({m.n_failed} failed)"
