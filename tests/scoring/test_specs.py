from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.models import Output, Usage
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer
from workbench.scoring.specs import ScorerSpec

KINDS: dict[str, dict[str, Any]] = {
    "exact_match": {},
    "token_f1": {},
    "contains": {},
    "regex": {"pattern": "a"},
    "numeric": {},
    "length": {"max": 10},
    "assertions": {"assertions": [{"name": "a", "kind": "is_json"}]},
    "json_schema": {"definition": {"type": "object"}},
    "rouge": {},
    "bleu": {},
    "chrf": {},
    "embedding_similarity": {},
    "retrieval": {"name": "r"},
    "redundancy": {},
    "context_relevance": {},
    "overlap_groundedness": {},
    "citations": {},
    "abstention": {},
    "rag_cause": {},
    "latency": {"max_seconds": 1.0},
    "cost": {"max_cost": 1.0},
    "rubric_judge": {
        "rubric": "r.md",
        "judge": "j",
        "content": {"name": "r", "version": "1", "scale": "binary", "body": "B"},
    },
    "checklist_judge": {"judge": "j", "questions": [{"name": "a", "passes_when": "it is right"}]},
    "panel_judge": {
        "rubric": "r.md",
        "panel": ["j", "k"],
        "content": {"name": "r", "version": "1", "scale": "binary", "body": "B"},
    },
    "pairwise_judge": {
        "rubric": "r.md",
        "judge": "j",
        "content": {"name": "r", "version": "1", "scale": "binary", "body": "B"},
    },
    "scorecard_judge": {
        "rubric": "r.md",
        "judge": "j",
        "content": {"name": "r", "version": "1", "scale": {"ordinal": {"min": 1, "max": 5}}, "body": "B"},
    },
    "ragas": {"name": "r", "metric": "faithfulness", "judge": "j"},
    "trulens": {"name": "r", "feedback": "groundedness", "judge": "j"},
    "lm_eval": {"name": "r", "task": "t", "metric": "acc"},
}
JUDGES = ("rubric_judge", "checklist_judge", "panel_judge", "pairwise_judge", "scorecard_judge")
NAMED = ("rubric_judge", "panel_judge", "pairwise_judge", "scorecard_judge", "retrieval", "ragas", "trulens", "lm_eval")
"""Kinds that take their metric's name where they have none of their own."""
CALLING = ("embedding_similarity", "context_relevance", *JUDGES, "ragas", "trulens", "lm_eval")
CLASSES: tuple[type[Scorer], ...] = get_args(get_args(ScorerSpec)[0])
HEAVY = ["torch", "numpy", "scipy", "sacrebleu", "rouge_score", "nltk", "jsonschema", "sentence_transformers", "re2"]
HEAVY += ["ragas", "trulens", "openai", "lm_eval"]
DOCS = Path(__file__).parents[2] / "docs" / "scorers.md"


def kind_of(scorer: type[Scorer]) -> str:
    return str(get_args(scorer.model_fields["kind"].annotation)[0])


def test_every_kind_of_the_union_is_tried_here() -> None:
    assert [kind_of(scorer) for scorer in CLASSES] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_spec_survives_being_saved_and_read(spec, kind) -> None:
    scorer = spec(kind, **KINDS[kind])
    assert spec(**scorer.model_dump(mode="json")) == scorer


@pytest.mark.parametrize("kind", KINDS)
def test_a_scorer_declares_name_version_and_range(spec, kind) -> None:
    info = spec(kind, **KINDS[kind]).info()
    assert isinstance(info, ScorerInfo)
    assert info.kind == kind
    assert info.name == ("r" if kind in NAMED else kind)
    assert info.low is not None and info.high is not None and info.low < info.high
    assert spec(kind, **{**KINDS[kind], "name": "mine"}).info().name == "mine"
    assert info.version


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_setting_a_wrong_type_and_a_strange_name_are_refused(spec, kind) -> None:
    for wrong in ({"colour": 1}, {"name": "two words"}, {"name": 3}, {"name": "a/b"}):
        with pytest.raises(ValidationError):
            spec(kind, **{**KINDS[kind], **wrong})


def test_an_unknown_kind_is_refused_by_name(spec) -> None:
    with pytest.raises(ValidationError, match="exact_mach"):
        spec("exact_mach")


@pytest.mark.parametrize("kind", KINDS)
def test_a_scorer_is_frozen(spec, kind) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        spec(kind, **KINDS[kind]).name = "x"


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in CALLING])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answer=st.text(max_size=60), references=st.lists(st.text(max_size=30), max_size=3))
def test_no_text_breaks_a_scorer_and_every_value_lies_within_the_range(spec, score, kind, answer, references) -> None:
    scorer = spec(kind, **KINDS[kind])
    got = score(scorer, Output(text=answer, usage=Usage(latency=0.1, cost=0.1)), *references)
    assert isinstance(got, Score | ScoreFailure)
    if isinstance(got, Score):
        assert scorer.info().low <= got.value <= scorer.info().high
        assert not scorer.info().binary or got.value in (0, 1)
    else:
        assert got.kind == "not_applicable"


@pytest.mark.parametrize("scorer", CLASSES)
def test_every_scorer_and_every_setting_is_documented(scorer) -> None:
    section = DOCS.read_text(encoding="utf-8").partition(f"### `{kind_of(scorer)}`")[2].partition("\n### ")[0]
    assert section, f"docs/scorers.md has no section on {kind_of(scorer)}"
    for name in set(scorer.model_fields) - {"kind", "name", "better", "content", "shots", "answers", "pinned"}:
        assert f"`{name}`" in section, f"docs/scorers.md does not explain {kind_of(scorer)}.{name}"


def test_importing_the_scorers_loads_nothing_heavy() -> None:
    code = f"import sys, workbench.scoring.specs; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=DOCS.parents[1])
    assert done.stdout.strip() == "[]"
