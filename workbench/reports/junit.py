"""JUnit XML, which every CI shows: a suite an evalset, a test case a rule.

A rule that fails is a `failure`; one that could not be decided is an `error`; a waived one is `skipped`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.gate.decision import GateDecision, Release, RuleRow, joint
from workbench.reports.escaping import xml_attribute, xml_text
from workbench.reports.words import interval_or_reason, interval_text, kinds, number, whole
from workbench.runs import EvalRun, Metric

Result = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True)
class Case:
    """One line in a CI's list of tests."""

    name: str
    result: Result
    message: str
    """Why, in one sentence."""
    details: str = ""


@dataclass(frozen=True)
class Suite:
    """The test cases of one evalset."""

    name: str
    at: str
    """ISO 8601 time."""
    cases: Sequence[Case]


def gate_junit(release: Release) -> str:
    """Return a release decision; a CI is green exactly when the release passes."""
    return _xml("workbench gate", [Suite(gate.evalset, gate.at, _gate_cases(gate)) for gate in release.gates])


def run_junit(run: EvalRun) -> str:
    """Return a run, a test case a metric. A run judges nothing: a metric without a value is an error, no other."""
    return _xml("workbench eval", [Suite(run.spec.evalset, run.started, [_metric(m) for m in whole(run)])])


RESULTS: dict[str, Result] = {"pass": "passed", "fail": "failure", "inconclusive": "error", "waived": "skipped"}


def _gate_cases(gate: GateDecision) -> list[Case]:
    cases = [_rule(row) for row in gate.rows]
    if not cases or joint(row.verdict for row in gate.rows) != gate.decision:  # the rows alone would be another colour
        cases.insert(0, Case("decision", RESULTS[gate.decision], gate.reason))
    return cases


def _rule(row: RuleRow) -> Case:
    waived = f" (waived by {row.waiver.who} until {row.waiver.until}: {row.waiver.why})" if row.waiver else ""
    details = (
        f"{row.what}: {number(row.estimate)} {interval_text(row.interval)}, must be {row.passes} {number(row.limit)}; "
        f"n {row.n} in {row.n_groups} families, {row.n_failed} without a score"
    )
    return Case(row.rule, RESULTS[row.verdict], row.reason + waived, details)


def _metric(m: Metric) -> Case:
    details = f"{number(m.value)}, interval {interval_or_reason(m)}; n {m.n}, {m.n_failed} failed{kinds(m.failures)}"
    return Case(m.scorer, "passed" if m.value is not None else "error", m.undefined, details)


# ---------------------------------------------------------------- XML


def _xml(name: str, suites: Sequence[Suite]) -> str:
    every = [case for suite in suites for case in suite.cases]
    inside = "\n".join(map(_suite, suites))
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n<testsuites name="{xml_attribute(name)}" {_counts(every)}>\n{inside}\n</testsuites>\n'


def _suite(suite: Suite) -> str:
    inside = "\n".join(_case(case, suite.name) for case in suite.cases)
    name, at = xml_attribute(suite.name), xml_attribute(suite.at)
    return f'<testsuite name="{name}" timestamp="{at}" {_counts(suite.cases)}>\n{inside}\n</testsuite>'


def _counts(cases: Sequence[Case]) -> str:
    kinds = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    counts = "".join(f' {name}="{sum(c.result == result for c in cases)}"' for name, result in kinds)
    return f'tests="{len(cases)}"{counts}'


def _case(case: Case, suite: str) -> str:
    found = f"<system-out>{xml_text(case.details)}</system-out>" if case.details else ""
    if case.result != "passed":
        found = f'<{case.result} message="{xml_attribute(case.message)}">{xml_text(case.details)}</{case.result}>'
    return f'<testcase classname="{xml_attribute(suite)}" name="{xml_attribute(case.name)}">{found}</testcase>'
