"""Which answers of a finished run fail, and why: filtered by metric, slice, cause, people's verdict and error.

DuckDB answers from the run's tables; only one page of texts is ever read.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from workbench.errors import ConfigError, Problem
from workbench.failures.entries import AnswerId
from workbench.nouns import Many, Noun
from workbench.runs import EvalRun, ScorerInfo
from workbench.store.home import RunFolder
from workbench.tables import Row, connection, rows

if TYPE_CHECKING:
    import duckdb

Key = tuple[str, int]
"""A sample's id and the number of the answer."""
HUMAN = ("fail", "pass", "conflict")
QUIET = ("no_output", "not_applicable")
"""Missing scores that are no fault of the scorer."""


class Wanted(Noun):
    """Which failures are looked for. Left out, every answer that a pass/fail scorer failed, or that has an error."""

    metric: str | None = None
    """Only what this scorer finds wrong."""
    below: float | None = None
    """For a graded metric: wrong is what lies below (above, where lower is better); else below half its scale."""
    slice: str | None = None
    """`name=value` of a tag."""
    cause: str | None = None
    """Word of a scorer that names what it found, such as `retrieval_missed`."""
    error: str | None = None
    """Kind of error: of the answer, such as `timeout`, or of a score, such as `unparsable`."""
    human: Literal["fail", "pass", "conflict"] | None = None
    """What people said, of all answers: failed · passed · otherwise than the scorer."""
    text: str | None = None
    """Words that question or answer hold, whatever their case."""
    coded: bool | None = None
    """Only answers with a note, or without one."""


class Fault(Noun):
    """What one scorer found wrong in an answer, or why it has no score."""

    scorer: str
    """Name of the metric."""
    value: float | None
    """The score; `None` where there is none."""
    label: str | None
    """The verdict in words."""
    reason: str
    """Why, in the scorer's words: hostile until escaped."""
    failure: str | None
    """Why there is no score."""


class Failure(Noun):
    """An answer that fails."""

    of: AnswerId
    """Which one."""
    family: str
    """The prompt family of its sample."""
    tags: dict[str, str]
    """Tags of its sample."""
    question: str
    """The last thing that the user said."""
    output: str | None
    """The answer; `None` where none came."""
    error: str | None
    """Why the answer is none."""
    faults: Many[Fault]
    """What was found wrong, in the run's order of scorers."""
    human: bool | None = None
    """Whether people passed it; `None`: nobody has said."""


class Found(Noun):
    """One page of the failures of a run."""

    n: int = Field(ge=0)
    """Failures in all."""
    n_answers: int = Field(ge=0)
    """Answers of the run."""
    failures: Many[Failure]
    """Those of this page, in the dataset's order."""


@dataclass(frozen=True)
class Marks:
    """What is known of a run's answers beside its tables."""

    human: Mapping[Key, bool] = field(default_factory=dict)
    """Whether people passed an answer."""
    coded: Collection[Key] = ()
    """Answers with a note."""


def find(run: EvalRun, folder: RunFolder, wanted: Wanted, marks: Marks, start: int = 0, size: int = 50) -> Found:
    """Return the failures of a run that are wanted, one page of them. Raises `ConfigError`, `DataError`."""
    with connection(samples=folder.samples, scores=folder.scores) as db:
        query = _query(run, wanted, marks)
        n = int(rows(db, f"{query.text} SELECT count(*) AS n FROM keys", query.values)[0]["n"])
        page = f"{query.text} SELECT * FROM keys ORDER BY position, repeat LIMIT {int(size)} OFFSET {int(start)}"
        keys = rows(db, page, query.values)
        return Found(n=n, n_answers=run.n_attempted, failures=_read(db, run, keys, wanted, marks))


def find_keys(run: EvalRun, folder: RunFolder, wanted: Wanted, marks: Marks) -> list[Key]:
    """Return all of them, without their texts, in the dataset's order."""
    with connection(samples=folder.samples, scores=folder.scores) as db:
        query = _query(run, wanted, marks)
        found = rows(db, f"{query.text} SELECT * FROM keys ORDER BY position, repeat", query.values)
    return [(row["sample_id"], row["repeat"]) for row in found]


def read_failures(run: EvalRun, folder: RunFolder, keys: Sequence[Key], marks: Marks) -> tuple[Failure, ...]:
    """Return answers by their keys, failing or not, in the dataset's order. Unknown ones are left out."""
    with connection(samples=folder.samples, scores=folder.scores) as db:
        chosen = """SELECT position, sample_id, repeat FROM samples
                    JOIN (SELECT unnest(?::VARCHAR[]) AS sample_id, unnest(?::INT[]) AS repeat)
                    USING (sample_id, repeat) ORDER BY 1, 3"""
        found = rows(db, chosen, [[k[0] for k in keys], [k[1] for k in keys]])
        return _read(db, run, found, Wanted(), marks)


class Facets(Noun):
    """What there is to filter by, with the number of failures of each."""

    metrics: dict[str, int]
    """Failures that each scorer found."""
    causes: dict[str, int]
    """Words of the scorers that name what they found."""
    errors: dict[str, int]
    """Errors of answers and of scores."""
    slices: dict[str, int]
    """Tags as `name=value`."""


def facets(run: EvalRun, folder: RunFolder, most: int = 40) -> Facets:
    """Count the failures of a run by what they can be filtered by; of tags the `most` frequent values."""
    bad, values = _bad(run, Wanted())
    known = {info.name: 0 for info in run.scorers}
    naming = [info.name for info in run.scorers if info.kind in ("rag_cause", "abstention")]
    with connection(samples=folder.samples, scores=folder.scores) as db:
        by_metric = rows(
            db, f"SELECT scorer AS name, count(*) AS n FROM scores WHERE {_each(run)[0]} GROUP BY 1", _each(run)[1]
        )
        causes = rows(
            db,
            f"""SELECT label AS name, count(*) AS n FROM scores WHERE label IS NOT NULL
                AND scorer IN (SELECT unnest(?::VARCHAR[])) AND {_each(run)[0]} GROUP BY 1 ORDER BY 2 DESC""",
            [naming, *_each(run)[1]],
        )
        errors = rows(
            db,
            f"""SELECT failure AS name, count(*) AS n FROM (SELECT failure FROM samples UNION ALL
                SELECT failure FROM scores WHERE failure NOT IN {QUIET}) WHERE failure IS NOT NULL
                GROUP BY 1 ORDER BY 2 DESC""",
        )
        slices = rows(
            db,
            f"""SELECT concat(e.key, '=', e.value) AS name, count(*) AS n FROM (SELECT unnest(map_entries(tags)) AS e
                FROM (SELECT any_value(tags) AS tags FROM scores WHERE {bad} GROUP BY sample_id, repeat))
                GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {int(most)}""",
            values,
        )
    return Facets(
        metrics=known | _counts(by_metric), causes=_counts(causes), errors=_counts(errors), slices=_counts(slices)
    )


# ---------------------------------------------------------------- the query


@dataclass(frozen=True)
class _Query:
    """SQL that ends with the table `keys` of position, sample_id and repeat, and its values."""

    text: str
    values: list[object]


def _query(run: EvalRun, wanted: Wanted, marks: Marks) -> _Query:
    base, values = _base(run, wanted, marks)
    tests: list[str] = []
    for test, some in _tests(wanted, marks):
        tests.append(test)
        values += some
    where = " AND ".join(tests) or "true"
    return _Query(f"WITH base AS ({base}), keys AS (SELECT * FROM base b WHERE {where})", values)


def _base(run: EvalRun, wanted: Wanted, marks: Marks) -> tuple[str, list[object]]:
    """Return what is filtered: failing answers, or those that people spoke of."""
    if wanted.human is None:
        bad, values = _bad(run, wanted)
        return (
            f"""SELECT any_value(position) AS position, sample_id, repeat, any_value(tags) AS tags
                FROM scores WHERE {bad} GROUP BY sample_id, repeat""",
            values,
        )
    labelled = """SELECT unnest(?::VARCHAR[]) AS sample_id, unnest(?::INT[]) AS repeat, unnest(?::BOOL[]) AS passed"""
    values = [[k[0] for k in marks.human], [k[1] for k in marks.human], list(marks.human.values())]
    if wanted.human != "conflict":
        passed = "h.passed" if wanted.human == "pass" else "NOT h.passed"
        return (
            f"""SELECT s.position, s.sample_id, s.repeat, s.tags FROM samples s
                JOIN ({labelled}) h USING (sample_id, repeat) WHERE {passed}""",
            values,
        )
    good = {info.name: 1.0 if info.better == "higher" else 0.0 for info in _verdicts(run, wanted)}
    return (
        f"""SELECT any_value(s.position) AS position, s.sample_id, s.repeat, any_value(s.tags) AS tags
            FROM scores s JOIN ({labelled}) h USING (sample_id, repeat)
            JOIN (SELECT unnest(?::VARCHAR[]) AS scorer, unnest(?::DOUBLE[]) AS good) g USING (scorer)
            WHERE s.value IS NOT NULL AND (s.value = g.good) != h.passed GROUP BY s.sample_id, s.repeat""",
        [*values, list(good), list(good.values())],
    )


def _tests(wanted: Wanted, marks: Marks) -> list[tuple[str, list[object]]]:
    found: list[tuple[str, list[object]]] = []
    if wanted.slice is not None:
        name, _, value = wanted.slice.partition("=")
        found.append(("tags[?] = ?", [name, value]))
    if wanted.cause is not None:
        found.append(
            ("(sample_id, repeat) IN (SELECT (sample_id, repeat) FROM scores WHERE label = ?)", [wanted.cause])
        )
    if wanted.error is not None:
        either = """(sample_id, repeat) IN (SELECT (sample_id, repeat) FROM samples WHERE failure = ?
                    UNION ALL SELECT (sample_id, repeat) FROM scores WHERE failure = ?)"""
        found.append((either, [wanted.error, wanted.error]))
    if wanted.text:
        holds = """SELECT (sample_id, repeat) FROM samples
                   WHERE contains(lower(question), lower(?)) OR contains(lower(output), lower(?))"""
        found.append((f"(sample_id, repeat) IN ({holds})", [wanted.text, wanted.text]))
    if wanted.coded is not None:
        known = "SELECT (unnest(?::VARCHAR[]), unnest(?::INT[]))"
        word = "IN" if wanted.coded else "NOT IN"
        found.append(
            (f"(sample_id, repeat) {word} ({known})", [[k[0] for k in marks.coded], [k[1] for k in marks.coded]])
        )
    return found


def _bad(run: EvalRun, wanted: Wanted) -> tuple[str, list[object]]:
    """Return the test of a row of scores that is wrong, or missing where it should be there."""
    missing = "failure IS NOT NULL AND failure != 'not_applicable'"
    if wanted.metric is not None:
        test, values = _wrong(_named(run, wanted.metric), wanted.below)
        return f"(scorer = ? AND ({test} OR {missing}))", [wanted.metric, *values]
    infos = [info for info in run.scorers if info.binary] or list(run.scorers)
    tests, values = [], list[object]()
    for info in infos:
        test, some = _wrong(info, wanted.below if len(infos) == 1 else None)
        tests.append(f"(scorer = ? AND {test})")
        values += [info.name, *some]
    return f"({' OR '.join([*tests, missing])})", values


def _each(run: EvalRun) -> tuple[str, list[object]]:
    """Return the test of a row of scores that its own scorer finds wrong."""
    tests, values = [], list[object]()
    for info in run.scorers:
        test, some = _wrong(info, None)
        tests.append(f"(scorer = ? AND {test})")
        values += [info.name, *some]
    return f"({' OR '.join(tests) or 'false'})", values


def _wrong(info: ScorerInfo, below: float | None) -> tuple[str, list[object]]:
    sign = "<" if info.better == "higher" else ">"
    if info.binary and below is None:
        return "value = ?", [0.0 if info.better == "higher" else 1.0]
    if below is not None:
        return f"value {sign} ?", [below]
    if info.low is None or info.high is None:
        return "false", []  # of a scale without ends nobody knows what is wrong
    return f"value {sign} ?", [(info.low + info.high) / 2]


def _verdicts(run: EvalRun, wanted: Wanted) -> list[ScorerInfo]:
    """Return the pass/fail scorers that are held against people: the named one, or the judges, or all."""
    if wanted.metric is not None:
        info = _named(run, wanted.metric)
        if not info.binary:
            fix = "people pass or fail; choose a metric of 0 and 1"
            raise ConfigError(
                Problem("NOT_BINARY", "this metric is not binary", field="metric", got=info.name, fix=fix)
            )
        return [info]
    binary = [info for info in run.scorers if info.binary]
    return [info for info in binary if "judge" in info.kind] or binary


def _named(run: EvalRun, name: str) -> ScorerInfo:
    names = [info.name for info in run.scorers]
    if name in names:
        return run.scorers[names.index(name)]
    near = difflib.get_close_matches(name, names, n=1)
    fix = f"did you mean '{near[0]}'?" if near else f"it has: {', '.join(names)}"
    raise ConfigError(Problem("UNKNOWN_METRIC", "the run has no such metric", field="metric", got=name, fix=fix))


# ---------------------------------------------------------------- reading a page


def _read(
    db: duckdb.DuckDBPyConnection, run: EvalRun, keys: Sequence[Row], wanted: Wanted, marks: Marks
) -> tuple[Failure, ...]:
    """Return the failures of a page, with their texts and all that was found wrong in them."""
    if not keys:
        return ()
    # Row groups are skipped by the range of positions, which the tables are sorted by.
    first, last = min(k["position"] for k in keys), max(k["position"] for k in keys)
    places = [first, last, [k["position"] for k in keys]]
    here = "position BETWEEN ? AND ? AND position IN (SELECT unnest(?::BIGINT[]))"
    columns = "sample_id, repeat, family, tags, question, output, failure"
    texts = {(r["sample_id"], r["repeat"]): r for r in rows(db, f"SELECT {columns} FROM samples WHERE {here}", places)}
    wrong, values = _each(run)
    if wanted.metric is not None and wanted.below is not None:
        test, some = _wrong(_named(run, wanted.metric), wanted.below)
        wrong, values = f"({wrong} OR (scorer = ? AND {test}))", [*values, wanted.metric, *some]
    query = f"""SELECT sample_id, repeat, scorer, value, label, reason, failure, failure_message FROM scores
                WHERE {here} AND ({wrong} OR (failure IS NOT NULL AND failure NOT IN {QUIET}))"""
    order = {info.name: at for at, info in enumerate(run.scorers)}
    faults: dict[Key, list[Row]] = {}
    for row in sorted(rows(db, query, [*places, *values]), key=lambda r: order.get(r["scorer"], len(order))):
        faults.setdefault((row["sample_id"], row["repeat"]), []).append(row)
    found = [(key["sample_id"], key["repeat"]) for key in keys]
    return tuple(_failure(run.id, texts[key], faults.get(key, []), marks.human.get(key)) for key in found)


def _failure(run: str, row: Row, faults: Sequence[Row], human: bool | None) -> Failure:
    return Failure(
        of=AnswerId(run=run, sample=row["sample_id"], repeat=row["repeat"]),
        family=row["family"],
        tags=row["tags"] or {},
        question=row["question"],
        output=row["output"],
        error=row["failure"],
        faults=tuple(
            Fault(scorer=f["scorer"], value=f["value"], label=f["label"],
                  reason=f["reason"] or f["failure_message"] or "", failure=f["failure"])
            for f in faults
        ),
        human=human,
    )  # fmt: skip


def _counts(found: Sequence[Row]) -> dict[str, int]:
    return {str(row["name"]): int(row["n"]) for row in found}
