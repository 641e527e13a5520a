"""Published judges replayed from their recorded verdicts: the figures of the papers, with intervals and biases."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from tests.real.conversions import data_folder
from workbench.calibration.calibrated import Subject, calibrate
from workbench.calibration.judged import Judged, JudgedPair
from workbench.calibration.measuring import measure
from workbench.calibration.pairwise import PairTrust, measure_pairs, pairs_by_slice

pytestmark = pytest.mark.real


def replayed(row: dict[str, Any], judge: str, first: str, second: str) -> JudgedPair:
    said = row["judge_verdicts"][judge]
    a, b = (None if said[order] is None else str(said[order]) for order in ("orig", "swap"))
    return JudgedPair(
        id=row["id"],
        group=row.get("group_id") or row["id"],
        human=str(row["label"]),  # type: ignore[arg-type]
        forward=a,  # type: ignore[arg-type]
        backward=b,  # type: ignore[arg-type]
        lengths=(len(row[first]), len(row[second])),
        tags={"subset": row["subset"]},
    )


def told(name: str, found: PairTrust) -> str:
    biases = ", ".join(
        f"{b.kind} {b.value:+.3f} [{b.interval.low:+.3f}, {b.interval.high:+.3f}]"
        for b in found.biases
        if b.value is not None and b.interval is not None
    )
    at = found.accuracy_interval
    assert at is not None and found.accuracy is not None
    return (
        f"{name}: accuracy {found.accuracy:.3f} [{at.low:.3f}, {at.high:.3f}], "
        f"consistency {found.consistency.value:.3f}, both orders right {found.settled.value:.3f}, n {found.n}, "
        f"unjudged {found.n_unjudged}; {biases}"
    )


@pytest.mark.parametrize("judge", ["GPT-4/Vanilla", "GPT-4/Metrics_Reference", "ChatGPT/Vanilla"])
def test_llmbar_accuracies_are_reproduced_to_a_tenth_of_a_point(rows, figure, judge: str) -> None:
    pairs = [replayed(row, judge, "output_1", "output_2") for row in rows("llmbar")]
    published = {"GPT-4/Vanilla": "GPT-4 Vanilla accuracy", "GPT-4/Metrics_Reference": "GPT-4 Metrics_Reference"}
    anchors = json.loads(((data_folder() or pytest.skip()) / "anchors.json").read_text())["llmbar"]
    anchor = next(a for a in anchors if a["metric"].startswith(published.get(judge, "ChatGPT Vanilla")))
    found = {trust.slice.removeprefix("subset="): trust.accuracy for trust in pairs_by_slice(pairs, judge)}
    for subset, value in zip(("Natural", "Neighbor", "GPTInst", "GPTOut", "Manual"), anchor["value"], strict=True):
        assert found[subset] == pytest.approx(value, abs=0.001)
    figure(told(f"LLMBar, {judge}", measure_pairs(pairs, judge)))


def test_mtbench_and_llmeval2_lie_within_sampling_error_of_the_published_figures(rows, figure) -> None:
    published = {("MT-Bench", "GPT-4"): (0.81, 0.87), ("MT-Bench", "ChatGPT"): (0.713, 0.575),
                 ("LLMEval2", "GPT-4"): (0.755, 0.875)}  # fmt: skip
    for (subset, judge), (accuracy, consistency) in published.items():
        mine = [row for row in rows("mtbench_llmeval2_pairs") if row["subset"] == subset]
        pairs = [replayed(row, f"{judge}/Vanilla_NoRules", "output_1", "output_2") for row in mine]
        found = measure_pairs(pairs, judge)
        figure(told(f"{subset}, {judge}", found))
        assert found.accuracy_interval is not None and found.consistency.interval is not None
        assert found.accuracy_interval.low <= accuracy <= found.accuracy_interval.high
        assert found.consistency.interval.low <= consistency <= found.consistency.interval.high


def test_judgebench_is_replayed_with_ties_and_missing_verdicts_counted(rows, figure) -> None:
    names = {"A>B": "1", "B>A": "2", "A=B": "tie", None: None}
    by_judge: dict[str, list[JudgedPair]] = defaultdict(list)
    for row in rows("judgebench"):
        for judge, said in row["judge_verdicts"].items():
            verdict = {order: names[said[order]] for order in ("orig", "swap")}
            plain = {**row, "label": names[row["label"]], "subset": row["source"], "judge_verdicts": {judge: verdict}}
            by_judge[judge].append(replayed(plain, judge, "response_a", "response_b"))
    assert by_judge
    for judge, pairs in by_judge.items():
        found = measure_pairs(pairs, judge)
        assert found.n == len(pairs) and 0 < (found.accuracy or 0) < 1
        figure(told(f"JudgeBench, {judge}", found))


def test_faithbench_detectors_equal_scikit_learn_on_the_same_rows_and_the_corrected_rate_covers(rows, figure) -> None:
    from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

    found = rows("faithbench")
    detectors = sorted({name for row in found for name in row["detectors"]})
    assert len(detectors) >= 8
    for name in detectors:
        judged = [
            Judged(
                id=row["id"],
                group=row["group_id"],
                human=not row["hallucinated"],
                judge=None if row["detectors"].get(name) is None else row["detectors"][name] >= 0.5,
                length=len(row["response"]),
                model=row["generator"],
            )
            for row in found
        ]
        trust = measure(judged)
        ruled = [j for j in judged if j.judge is not None]
        truth, said = [j.human for j in ruled], [j.judge for j in ruled]
        assert trust.balanced == pytest.approx(balanced_accuracy_score(truth, said))
        assert trust.kappa is None or trust.kappa == pytest.approx(cohen_kappa_score(truth, said))
        tpr, tnr = trust.tpr, trust.tnr
        assert tpr.interval is not None and tnr.interval is not None
        grade = calibrate(judged, subject(name), [], open_test=True, who="", at="").grade
        figure(
            f"FaithBench, {name}: balanced accuracy {trust.balanced:.3f}; TPR {tpr.value:.3f} "
            f"[{tpr.interval.low:.3f}, {tpr.interval.high:.3f}] of {tpr.n}, TNR {tnr.value:.3f} "
            f"[{tnr.interval.low:.3f}, {tnr.interval.high:.3f}] of {tnr.n}, unjudged {trust.n_unjudged}; {grade}"
        )


def subject(name: str) -> Subject:
    return Subject(metric=name, judge=name, inputs={}, labels="f", question="verdict", guideline="faithbench")


def test_pandalm_verdicts_reach_the_published_accuracies_with_ties_as_a_verdict(rows, figure) -> None:
    words = {0: "tie", 1: "1", 2: "2", None: None}
    settled = [row for row in rows("pandalm") if row["majority"] is not None]
    for judge, published in (("gpt35_verdict", 0.698), ("pandalm7b_verdict", 0.668)):
        pairs = [
            JudgedPair(
                id=row["id"],
                group=row["group_id"],
                human=words[row["majority"]],  # type: ignore[arg-type]
                forward=words[row[judge]],  # type: ignore[arg-type]
                backward=words[row[judge]],  # type: ignore[arg-type]
                lengths=(len(row["response_1"]), len(row["response_2"])),
                models=(row["model_1"], row["model_2"]),
            )
            for row in settled
        ]
        found = measure_pairs(pairs, judge)
        assert found.accuracy_interval is not None
        assert found.accuracy_interval.low <= published <= found.accuracy_interval.high
        figure(f"PandaLM, {judge}: accuracy {found.accuracy:.3f}, published {published}, n {found.n}")
