"""Which answers of a finished run fail, and why: filtered by metric, slice, cause, people's verdict and error.

DuckDB answers from the run's tables; only one page of texts is ever read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.failures.entries import AnswerId
from workbench.failures.failure import Facets, Failure, Fault, Found, Key, Marks, Wanted
from workbench.failures.queries import QUIET, bad_rows, keys_query, rows_each_finds_wrong, scorer_named, wrong_value
from workbench.runs import EvalRun
from workbench.store.home import RunFolder
from workbench.tables import Row, connection, rows

if TYPE_CHECKING:
    import duckdb


def find(run: EvalRun, folder: RunFolder, wanted: Wanted, marks: Marks, start: int = 0, size: int = 50) -> Found:
    """Return the failures of a run that are wanted, one page of them. Raises `ConfigError`, `DataError`."""
    with connection(samples=folder.samples, scores=folder.scores) as db:
        query = keys_query(run, wanted, marks)
        n = int(rows(db, f"{query.text} SELECT count(*) AS n FROM keys", query.values)[0]["n"])
        page = f"{query.text} SELECT * FROM keys ORDER BY position, repeat LIMIT {int(size)} OFFSET {int(start)}"
        keys = rows(db, page, query.values)
        return Found(n=n, n_answers=run.n_attempted, failures=_read(db, run, keys, wanted, marks))


def find_keys(run: EvalRun, folder: RunFolder, wanted: Wanted, marks: Marks) -> list[Key]:
    """Return all of them, without their texts, in the dataset's order."""
    with connection(samples=folder.samples, scores=folder.scores) as db:
        query = keys_query(run, wanted, marks)
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


def facets(run: EvalRun, folder: RunFolder, most: int = 40) -> Facets:
    """Count the failures of a run by what they can be filtered by; of tags the `most` frequent values."""
    bad, values = bad_rows(run, Wanted())
    wrong, wrong_values = rows_each_finds_wrong(run)
    known = {info.name: 0 for info in run.scorers}
    naming = [info.name for info in run.scorers if info.kind in ("rag_cause", "abstention")]
    with connection(samples=folder.samples, scores=folder.scores) as db:
        by_metric = rows(db, f"SELECT scorer AS name, count(*) AS n FROM scores WHERE {wrong} GROUP BY 1", wrong_values)
        causes = rows(
            db,
            f"""SELECT label AS name, count(*) AS n FROM scores WHERE label IS NOT NULL
                AND scorer IN (SELECT unnest(?::VARCHAR[])) AND {wrong} GROUP BY 1 ORDER BY 2 DESC""",
            [naming, *wrong_values],
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
    wrong, values = rows_each_finds_wrong(run)
    if wanted.metric is not None and wanted.below is not None:
        test, some = wrong_value(scorer_named(run, wanted.metric), wanted.below)
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
