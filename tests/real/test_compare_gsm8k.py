"""GSM8K: published solvers compared with each other; every number beside scipy's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.real.conversions import GSM8K_MODELS, gsm8k
from tests.real.gated import project, run, workbench
from workbench.statistics.multiple import holm

pytestmark = pytest.mark.real


def test_the_four_solvers_stand_against_one_baseline_with_holm(rows, figure, tmp_path: Path) -> None:
    recorded = {model: gsm8k(rows("gsm8k_model_solutions"), model) for model in GSM8K_MODELS}
    right = {model: np.array(r.labels, dtype=float) for model, r in recorded.items()}
    samples = recorded["6b_finetuning"].samples
    answers = {m: {s.id: [text] for s, text in zip(samples, r.outputs, strict=True)} for m, r in recorded.items()}
    project(tmp_path, samples, answers, {"scorers": [{"kind": "numeric"}]})
    ids = [run(tmp_path, model) for model in GSM8K_MODELS]
    _, found = workbench(tmp_path, "eval", "compare", *ids, "--json")

    expected = []
    for comparison, model in zip(found["against"], GSM8K_MODELS[1:], strict=True):
        old, new = right["6b_finetuning"], right[model]
        wins, losses = int((new > old).sum()), int((new < old).sum())
        p = binomtest(wins, wins + losses).pvalue
        expected.append(p)
        (metric,) = comparison["metrics"]
        assert (metric["n"], metric["wins"], metric["losses"]) == (len(samples), wins, losses)
        assert metric["p_method"] == "exact McNemar"
        assert metric["p"] == pytest.approx(p, rel=1e-9)
        delta = float((new - old).mean())
        assert metric["delta"] == pytest.approx(delta)
        assert metric["interval"]["low"] < delta < metric["interval"]["high"]
        assert comparison["n_regressions"] == {"numeric": losses}
        figure(
            f"GSM8K: {model} - 6b_finetuning = {delta:+.3f} [{metric['interval']['low']:.3f}, "
            f"{metric['interval']['high']:.3f}], {wins} won, {losses} lost, McNemar p {p:.2g}, "
            f"MDE {metric['detectable']:.3f}"
        )
    adjusted = [c["metrics"][0]["p_adjusted"] for c in found["against"]]
    assert adjusted == pytest.approx(holm(expected))


def test_two_solvers_are_closer_and_still_told_apart(rows, tmp_path: Path) -> None:
    recorded = {m: gsm8k(rows("gsm8k_model_solutions"), m) for m in ("6b_verification", "175b_finetuning")}
    samples = recorded["6b_verification"].samples
    answers = {m: {s.id: [text] for s, text in zip(samples, r.outputs, strict=True)} for m, r in recorded.items()}
    project(tmp_path, samples, answers, {"scorers": [{"kind": "numeric"}]})
    a, b = (run(tmp_path, model) for model in answers)
    _, there = workbench(tmp_path, "eval", "compare", a, b, "--json")
    _, back = workbench(tmp_path, "eval", "compare", b, a, "--json")
    one, two = (found["against"][0]["metrics"][0] for found in (there, back))
    assert one["delta"] == pytest.approx(-two["delta"]) and one["p"] == two["p"]
    table = [np.array(r.labels, dtype=bool) for r in recorded.values()]
    assert one["losses"] == int((table[0] & ~table[1]).sum())
    assert one["p"] == pytest.approx(binomtest(one["wins"], one["wins"] + one["losses"]).pvalue)
