"""The task set of general ability: made anew it is the same, and it is read as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import build_general
from workbench.config.evalset_yaml import load_evalset

FOLDER = Path(__file__).parents[2] / "evalsets" / "general"


def test_made_anew_the_documents_are_the_shipped_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_general, "TARGET", tmp_path)
    build_general.main()
    for name in ("choosing", "answering"):
        assert (tmp_path / f"{name}.jsonl").read_bytes() == (FOLDER / "data" / f"{name}.jsonl").read_bytes()


def test_the_set_has_two_tasks_and_a_scorer_for_each() -> None:
    found = load_evalset(FOLDER)
    assert found.tasks is not None
    assert [config["task"] for config in found.tasks.files] == ["general_choosing", "general_answering"]
    names = [scorer.info().name for scorer in found.scorers]
    assert names == ["lm-eval:general_choosing:acc", "lm-eval:general_answering:exact_match"]
