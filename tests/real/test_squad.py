"""SQuAD 2.0: one annotator's answers against the others', by the official rules written out once more."""

from __future__ import annotations

import re
import string
from collections import Counter
from statistics import fmean

import pytest

from tests.real.conversions import squad

pytestmark = pytest.mark.real


def normalize_answer(s: str) -> str:
    """As in evaluate-v2.0."""
    s = "".join(ch for ch in s.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", s).split())


def official(prediction: str, answers: tuple[str, ...]) -> tuple[float, float]:
    """Return exact match and F1 as evaluate-v2.0's `get_raw_scores` does."""
    golds = [a for a in answers if normalize_answer(a)] or [""]
    exact = max(float(normalize_answer(a) == normalize_answer(prediction)) for a in golds)
    return exact, max(compute_f1(a, prediction) for a in golds)


def compute_f1(gold: str, prediction: str) -> float:
    """As in evaluate-v2.0."""
    ours, theirs = normalize_answer(prediction).split(), normalize_answer(gold).split()
    if not ours or not theirs:
        return float(ours == theirs)
    same = sum((Counter(ours) & Counter(theirs)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(ours), same / len(theirs)
    return 2 * precision * recall / (precision + recall)


def test_exact_match_and_token_f1_are_the_official_ones_row_by_row(rows, score_all, figure) -> None:
    recorded = squad(rows("squad_v2_qa"))
    exact = [s.value for s in score_all({"kind": "exact_match"}, recorded)]
    f1 = [s.value for s in score_all({"kind": "token_f1"}, recorded)]
    expected = [official(text, s.references) for s, text in zip(recorded.samples, recorded.outputs, strict=True)]
    assert exact == [e for e, _ in expected]
    assert f1 == pytest.approx([f for _, f in expected], abs=1e-12)
    human = [(e, f) for e, f, answerable in zip(exact, f1, recorded.labels, strict=True) if answerable]
    # Two people mark the same words for about four questions in five, and overlapping ones for most others.
    assert 0.7 < fmean(e for e, _ in human) < fmean(f for _, f in human) < 0.95
    assert sum(0 < f < 1 for _, f in human) > 100, "too few partial matches to test F1 with"
    assert max(f for f, answerable in zip(f1, recorded.labels, strict=True) if not answerable) == 0
    figure(
        f"SQuAD: second annotator against the others, n={len(human)}: exact match {fmean(e for e, _ in human):.3f}, "
        f"token F1 {fmean(f for _, f in human):.3f}; equal to the official rules on all {len(f1)} rows"
    )


def test_no_answer_is_right_for_unanswerable_questions_only(rows, score_all) -> None:
    recorded = squad(rows("squad_v2_qa"))
    silent = recorded._replace(outputs=[""] * len(recorded.samples))
    for kind in ("exact_match", "token_f1"):
        values = [s.value for s in score_all({"kind": kind}, silent)]
        assert values == [float(not answerable) for answerable in recorded.labels]
