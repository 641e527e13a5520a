"""A CI is green exactly when the release passes, and shows each rule's reason."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.reports.hostile import HOSTILE
from tests.reports.nouns import CALM, new_run, release
from workbench.gate.decision import Release
from workbench.reports.junit import gate_junit, run_junit


@pytest.mark.parametrize("texts", [CALM, HOSTILE], ids=["calm", "hostile"])
def test_a_rule_is_a_test_case_with_its_verdict(texts: tuple[str, ...]) -> None:
    root = ET.fromstring(gate_junit(release(texts)).encode("utf-8"))
    (suite,) = root
    kinds = [case[0].tag if len(case) else "" for case in suite]
    assert kinds == ["system-out", "failure", "error", "system-out", "skipped", "error", "system-out"]
    for element in (root, suite):
        assert [element.get(k) for k in ("tests", "failures", "errors", "skipped")] == ["7", "1", "2", "1"]
    assert suite[1][0].get("message", "").startswith("the lower 0.95 bound")
    assert suite.get("timestamp") == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize(("decision", "tag"), [("fail", "failure"), ("inconclusive", "error")])
def test_a_decision_that_no_rule_shows_is_a_case_of_its_own(decision: str, tag: str) -> None:
    gate = release().gates[0].model_copy(update={"rows": (), "decision": decision, "reason": "no finished run"})
    root = ET.fromstring(gate_junit(Release(decision=decision, gates=(gate,), at=gate.at)))
    (case,) = root[0]
    assert case.get("name") == "decision" and case[0].tag == tag and case[0].get("message") == "no finished run"


def test_a_run_has_a_case_a_metric_and_judges_nothing(tmp_path: Path) -> None:
    run, _ = new_run(HOSTILE, tmp_path)
    root = ET.fromstring(run_junit(run).encode("utf-8"))
    assert [root.get(k) for k in ("tests", "failures", "errors")] == ["2", "0", "0"]
    assert "n 2" in (root[0][1].findtext("system-out") or "")
