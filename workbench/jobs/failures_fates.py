"""What became of failures: labelled, in which dataset, trained on by which run, and in which later run they pass.

Nothing of it is written down: it is read from what names them, so that it is never out of step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import orjson
from pydantic import Field

from workbench.config.workbench_yaml import Workbench
from workbench.curation.stored_datasets import Listed
from workbench.errors import DataError
from workbench.evaluation.run import read_run
from workbench.failures.entries import Act, AnswerId
from workbench.jobs.atlas import Atlas
from workbench.labelling.snapshot import Snapshot, latest_snapshot
from workbench.nouns import Many, Noun
from workbench.runs import EvalRun, ScorerInfo
from workbench.store.home import Home, RunFolder
from workbench.tables import connection, rows


class Labelled(Noun):
    """Where people said something of an answer."""

    dataset: str
    """The labelling dataset."""
    n: int = Field(ge=1)
    """Labels."""


class InRow(Noun):
    """A row that was made of an answer."""

    dataset: str
    """`<name>-<use>@<fingerprint>`."""
    fingerprint: str
    """The dataset's whole fingerprint."""
    row: str
    """The row's id."""


class Later(Noun):
    """How a later run on the same evalset did on the sample."""

    run: str
    """Its id."""
    model: str
    """Its candidate."""
    passes: bool
    """Whether every metric that found fault with the answer is content now."""
    learnt: bool
    """Whether its model was trained on a row made of the answer."""


class Fate(Noun):
    """What became of one answer."""

    of: AnswerId
    """The answer."""
    labelled: Many[Labelled] = ()
    """Where it was labelled."""
    rows: Many[InRow] = ()
    """Rows that it is in."""
    trained: Many[str] = ()
    """Trainings on one of those datasets."""
    later: Many[Later] = ()
    """Later runs on the same evalset, oldest first."""

    def fixed_in(self) -> tuple[Later, ...]:
        """Return the later runs in which it passes."""
        return tuple(one for one in self.later if one.passes)

    def told(self) -> str:
        """Return it in words, such as `labelled · in pairs-train · trained on · fixed in …`."""
        parts = [f"labelled in {', '.join(one.dataset for one in self.labelled)}"] if self.labelled else []
        parts += [f"in {', '.join(dict.fromkeys(one.dataset for one in self.rows))}"] if self.rows else []
        parts += [f"trained on by {', '.join(self.trained)}"] if self.trained else []
        fixed = self.fixed_in()
        learnt = " by a model that learnt from this very answer"
        parts += [f"fixed in {one.run}{learnt if one.learnt else ''}" for one in fixed]
        still = [one.run for one in self.later if not one.passes]
        parts += [f"still failing in {still[-1]}"] if still and not fixed else []
        return " · ".join(parts) or "nothing yet"


def fates(bench: Workbench, answers: Sequence[AnswerId]) -> dict[AnswerId, Fate]:
    """Return what became of each answer. Damaged runs and snapshots are left out."""
    atlas = Atlas(bench.home)
    named = _named(bench.home, answers)
    in_rows = _rows_of(atlas, answers, named)
    trained = {f: _trainings(atlas, f) for f in {row.fingerprint for some in in_rows.values() for row in some}}
    later = _later(bench.home, atlas, answers)
    found = {}
    for of in answers:
        mine = tuple(in_rows.get(of, ()))
        trainings = tuple(dict.fromkeys(t for row in mine for t in trained[row.fingerprint]))
        runs = tuple(_told(bench.home, atlas, run, passes, trainings) for run, passes in later.get(of, ()))
        labelled = tuple(Labelled(dataset=name, n=n) for name, _, n in named.get(of, ()) if n)
        found[of] = Fate(of=of, labelled=labelled, rows=mine, trained=trainings, later=runs)
    return found


class ActFate(Noun):
    """What became of an act, over all its answers."""

    act: Act
    """The act."""
    n_labelled: int
    """Answers that people labelled."""
    n_in_rows: int
    """Answers that a stored row is made of."""
    trained: Many[str]
    """Trainings on such rows."""
    n_fixed: int
    """Answers that pass in the latest later run."""
    n_learnt: int = 0
    """Of these, answers that its model learnt from: that it passes there says nothing of others."""
    latest: str
    """That run; empty: there is none."""

    def told(self) -> str:
        """Return it in words."""
        n = len(self.act.what)
        parts = [f"{self.n_labelled} of {n} labelled", f"{self.n_in_rows} in a dataset"]
        parts += [f"trained on by {', '.join(self.trained)}"] if self.trained else ["not trained on"]
        learnt = f", {self.n_learnt} of them learnt by its model" if self.n_learnt else ""
        parts += [f"{self.n_fixed} of {n} pass in {self.latest}{learnt}"] if self.latest else ["no later run"]
        return " · ".join(parts)


def act_fates(bench: Workbench, acts: Sequence[Act]) -> list[ActFate]:
    """Return what became of acts, in their order."""
    every = fates(bench, list(dict.fromkeys(of for act in acts for of in act.what)))
    found = []
    for act in acts:
        mine = [every[of] for of in act.what]
        latest = max((one.later[-1].run for one in mine if one.later), default="")
        found.append(
            ActFate(
                act=act,
                n_labelled=sum(bool(one.labelled) for one in mine),
                n_in_rows=sum(bool(one.rows) for one in mine),
                trained=tuple(dict.fromkeys(t for one in mine for t in one.trained)),
                n_fixed=sum(any(one.run == latest and one.passes for one in fate.later) for fate in mine),
                n_learnt=sum(any(o.run == latest and o.passes and o.learnt for o in fate.later) for fate in mine),
                latest=latest,
            )
        )
    return found


# ---------------------------------------------------------------- labels


def _named(home: Home, answers: Sequence[AnswerId]) -> dict[AnswerId, list[tuple[str, str, int]]]:
    """Return by answer the labelling datasets that were pulled with it: name, fingerprint, labels."""
    wanted = {(f"run:{of.run}", of.record()): of for of in answers}
    found: dict[AnswerId, list[tuple[str, str, int]]] = {}
    for snapshot in _snapshots(home):
        counts: dict[str, int] = {}
        for label in snapshot.labels():
            counts[label.record_id] = counts.get(label.record_id, 0) + 1
        for task in snapshot.tasks():
            if (of := wanted.get((task.origin, task.id))) is not None:
                m = snapshot.manifest
                found.setdefault(of, []).append((m.name, m.fingerprint, counts.get(task.id, 0)))
    return found


def _snapshots(home: Home) -> Iterator[Snapshot]:
    for latest in sorted((home.root / "records").glob("*/latest.json")):
        try:
            yield latest_snapshot(latest.parent)
        except (DataError, OSError, ValueError):
            continue  # `data ls` and `label pull` tell of it


# ---------------------------------------------------------------- rows


def _rows_of(
    atlas: Atlas, answers: Sequence[AnswerId], named: dict[AnswerId, list[tuple[str, str, int]]]
) -> dict[AnswerId, list[InRow]]:
    """Return by answer the rows whose lineage names it, or a record that it was labelled as."""
    sources: dict[str, list[AnswerId]] = {}
    parents: set[str] = set()
    for of in answers:
        for source in (
            of.source(),
            f"{of.run}/{of.record()}",
            *(f"{n}/{of.record()}" for n, _, _ in named.get(of, ())),
        ):
            sources.setdefault(source, []).append(of)
        parents |= {of.run, *(fingerprint for _, fingerprint, _ in named.get(of, ()))}
    found: dict[AnswerId, list[InRow]] = {}
    for several in atlas.versions.values():
        for listed in several:
            if not parents & set(listed.manifest.parents):
                continue
            for row, said in _lineage(listed.path):
                for of in {of for source in said for of in sources.get(source, ())}:
                    found.setdefault(of, []).append(_in_row(listed, row))
    return found


@lru_cache(maxsize=64)
def _lineage(path: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the sources of each row of a stored dataset, which never changes."""
    import pyarrow.parquet as pq

    table = pq.read_table(path / "rows.parquet", columns=["id", "row"], use_threads=False)
    pairs = zip(table["id"].to_pylist(), table["row"].to_pylist(), strict=True)
    return tuple((name, tuple(orjson.loads(row).get("lineage", {}).get("sources", ()))) for name, row in pairs)


def _in_row(listed: Listed, row: str) -> InRow:
    f = listed.manifest.fingerprint
    return InRow(dataset=f"{listed.label}@{f[:8]}", fingerprint=f, row=row)


def _trainings(atlas: Atlas, fingerprint: str) -> tuple[str, ...]:
    return tuple(one.id for one in atlas.trainings.values() if fingerprint in one.text)


# ---------------------------------------------------------------- later runs


def _later(home: Home, atlas: Atlas, answers: Sequence[AnswerId]) -> dict[AnswerId, list[tuple[str, bool]]]:
    """Return by answer the later runs on its evalset and whether it passes there what it failed before."""
    found: dict[AnswerId, list[tuple[str, bool]]] = {}
    for run_id in sorted({of.run for of in answers}):
        mine = [of for of in answers if of.run == run_id]
        try:
            run = read_run(RunFolder(home.runs / run_id))
        except DataError:
            continue
        after = [RunFolder(home.runs / name) for name in atlas.runs if name > run_id and _same(atlas, name, run)]
        tables = [folder.scores for folder in after if folder.summary.exists() and folder.scores.exists()]
        if tables:
            for of, name, passes in _passing(RunFolder(home.runs / run_id), run, tables, mine):
                found.setdefault(of, []).append((name, passes))
    return found


def _same(atlas: Atlas, name: str, run: EvalRun) -> bool:
    spec = atlas.runs[name].spec.get("spec", {})
    return isinstance(spec, dict) and spec.get("evalset") == run.spec.evalset


def _passing(
    folder: RunFolder, run: EvalRun, tables: Sequence[Path], answers: Sequence[AnswerId]
) -> list[tuple[AnswerId, str, bool]]:
    """Return for each answer and later run whether every metric that was not content is now, by the same rule."""
    infos = [info for info in run.scorers if info.binary] or list(run.scorers)
    with connection(before=folder.scores, after=tables) as db:
        query = f"""
            WITH chosen AS (SELECT unnest(?::VARCHAR[]) AS sample_id, unnest(?::INT[]) AS repeat),
            rule AS (SELECT unnest(?::VARCHAR[]) AS scorer, unnest(?::DOUBLE[]) AS line, unnest(?::BOOL[]) AS up),
            wrong AS (SELECT b.sample_id, b.repeat, b.scorer, b.version, r.line, r.up FROM before b
                      JOIN chosen USING (sample_id, repeat) JOIN rule r USING (scorer)
                      WHERE b.failure IS NOT NULL AND b.failure != 'not_applicable' OR NOT {_content("b")})
            SELECT w.sample_id, w.repeat, a.run, bool_and(a.failure IS NULL AND {_content("a")}) AS passes
            FROM wrong w JOIN after a ON a.sample_id = w.sample_id AND a.scorer = w.scorer AND a.version = w.version
            JOIN rule r ON r.scorer = w.scorer GROUP BY 1, 2, 3 ORDER BY 3"""
        lines = [_line(info) for info in infos]
        values = [[of.sample for of in answers], [of.repeat for of in answers], [i.name for i in infos],
                  [line for line, _ in lines], [up for _, up in lines]]  # fmt: skip
        got = rows(db, query, values)
    by = {(of.sample, of.repeat): of for of in answers}
    return [(by[row["sample_id"], row["repeat"]], row["run"], bool(row["passes"])) for row in got]


def _content(table: str) -> str:
    """Return the test of a score that its scorer is content with."""
    return f"CASE WHEN r.up THEN {table}.value >= r.line ELSE {table}.value <= r.line END"


def _line(info: ScorerInfo) -> tuple[float, bool]:
    """Return the value from which a scorer is content, and whether higher is better."""
    up = info.better == "higher"
    if info.binary:
        return (1.0 if up else 0.0), up
    low, high = info.low if info.low is not None else 0.0, info.high if info.high is not None else 1.0
    return (low + high) / 2, up


def _told(home: Home, atlas: Atlas, run: str, passes: bool, trainings: Sequence[str]) -> Later:
    told = atlas.runs[run]
    spec = told.spec.get("spec", {})
    model = spec.get("model_name", "") if isinstance(spec, dict) else ""
    learnt = any(f"training/{one}" in told.text for one in trainings)
    return Later(run=run, model=str(model), passes=passes, learnt=learnt)
