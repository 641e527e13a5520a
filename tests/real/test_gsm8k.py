"""GSM8K: published solutions of four models, with the publishers' own verdict on each."""

from __future__ import annotations

import math

import pytest

from tests.real.conversions import GSM8K_MODELS, gsm8k

pytestmark = pytest.mark.real

WHOLE = 1319
ANCHORS = {
    "6b_finetuning": 0.217,
    "6b_verification": 0.390,
    "175b_finetuning": 0.347,
    "175b_verification": 0.563,
}
"""Solve rates over the whole published file of 1,319 problems (anchors.json, `gsm8k`)."""

KNOWN_DIFFERENCES: dict[tuple[str, str], str] = {}
"""(row, model) → why our verdict differs from the published one. There is none: 2,791 of the 2,800 solutions end in
`A: number`; eight were cut before it and one ends in `A: -1.8 billion`, and all nine count as wrong on both sides."""


@pytest.mark.parametrize("model", GSM8K_MODELS)
def test_the_numeric_scorer_agrees_with_the_published_verdict_row_by_row(rows, score_all, figure, model) -> None:
    recorded = gsm8k(rows("gsm8k_model_solutions"), model)
    for fields in ({"extract": "last"}, {"extract": "pattern", "pattern": r"A:\s*(.+)"}):
        ours = [s.value == 1 for s in score_all({"kind": "numeric", **fields}, recorded)]
        verdicts = zip(recorded.samples, ours, recorded.labels, strict=True)
        differ = {(sample.id, model) for sample, us, them in verdicts if us != them}
        assert differ == {key for key in KNOWN_DIFFERENCES if key[1] == model}
    accuracy = sum(ours) / len(ours)
    figure(
        f"GSM8K: {model}: {accuracy:.3f} of {len(ours)} solved, {len(differ)} rows differ from the published verdict "
        f"({ANCHORS[model]:.3f} over all {WHOLE})"
    )


@pytest.mark.parametrize("model", GSM8K_MODELS)
def test_accuracies_lie_within_sampling_error_of_the_whole_files(rows, score_all, model) -> None:
    recorded = gsm8k(rows("gsm8k_model_solutions"), model)
    accuracy = sum(s.value for s in score_all({"kind": "numeric"}, recorded)) / len(recorded.samples)
    p, n = ANCHORS[model], len(recorded.samples)
    # A sample of n out of 1,319, drawn without replacement: the finite population narrows the error.
    error = math.sqrt(p * (1 - p) / n * (WHOLE - n) / (WHOLE - 1))
    assert abs(accuracy - p) < 1.96 * error


def test_another_rule_would_disagree(rows, score_all) -> None:
    recorded = gsm8k(rows("gsm8k_model_solutions"), "175b_verification")
    first = [s.value == 1 for s in score_all({"kind": "numeric", "extract": "first"}, recorded)]
    assert sum(a != b for a, b in zip(first, recorded.labels, strict=True)) > 100
