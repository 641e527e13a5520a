"""The filter of failures as SQL over a run's tables. What a person typed stands in the values alone."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from workbench.errors import ConfigError, Problem
from workbench.failures.failure import Marks, Wanted
from workbench.runs import EvalRun, ScorerInfo

QUIET = ("no_output", "not_applicable")
"""Missing scores that are no fault of the scorer."""


@dataclass(frozen=True)
class Query:
    """SQL that ends with the table `keys` of position, sample_id and repeat, and its values."""

    text: str
    values: list[object]


def keys_query(run: EvalRun, wanted: Wanted, marks: Marks) -> Query:
    base, values = _base(run, wanted, marks)
    tests: list[str] = []
    for test, some in _tests(wanted, marks):
        tests.append(test)
        values += some
    where = " AND ".join(tests) or "true"
    return Query(f"WITH base AS ({base}), keys AS (SELECT * FROM base b WHERE {where})", values)


def _base(run: EvalRun, wanted: Wanted, marks: Marks) -> tuple[str, list[object]]:
    """Return what is filtered: failing answers, or those that people spoke of."""
    if wanted.human is None:
        bad, values = bad_rows(run, wanted)
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


def bad_rows(run: EvalRun, wanted: Wanted) -> tuple[str, list[object]]:
    """Return the test of a row of scores that is wrong, or missing where it should be there."""
    missing = "failure IS NOT NULL AND failure != 'not_applicable'"
    if wanted.metric is not None:
        test, values = wrong_value(scorer_named(run, wanted.metric), wanted.below)
        return f"(scorer = ? AND ({test} OR {missing}))", [wanted.metric, *values]
    infos = [info for info in run.scorers if info.binary] or list(run.scorers)
    tests, values = [], list[object]()
    for info in infos:
        test, some = wrong_value(info, wanted.below if len(infos) == 1 else None)
        tests.append(f"(scorer = ? AND {test})")
        values += [info.name, *some]
    return f"({' OR '.join([*tests, missing])})", values


def rows_each_finds_wrong(run: EvalRun) -> tuple[str, list[object]]:
    """Return the test of a row of scores that its own scorer finds wrong."""
    tests, values = [], list[object]()
    for info in run.scorers:
        test, some = wrong_value(info, None)
        tests.append(f"(scorer = ? AND {test})")
        values += [info.name, *some]
    return f"({' OR '.join(tests) or 'false'})", values


def wrong_value(info: ScorerInfo, below: float | None) -> tuple[str, list[object]]:
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
        info = scorer_named(run, wanted.metric)
        if not info.binary:
            fix = "people pass or fail; choose a metric of 0 and 1"
            raise ConfigError(
                Problem("NOT_BINARY", "this metric is not binary", field="metric", got=info.name, fix=fix)
            )
        return [info]
    binary = [info for info in run.scorers if info.binary]
    return [info for info in binary if "judge" in info.kind] or binary


def scorer_named(run: EvalRun, name: str) -> ScorerInfo:
    names = [info.name for info in run.scorers]
    if name in names:
        return run.scorers[names.index(name)]
    near = difflib.get_close_matches(name, names, n=1)
    fix = f"did you mean '{near[0]}'?" if near else f"it has: {', '.join(names)}"
    raise ConfigError(Problem("UNKNOWN_METRIC", "the run has no such metric", field="metric", got=name, fix=fix))
