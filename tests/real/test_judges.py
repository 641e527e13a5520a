"""Published judges replayed from their recorded verdicts: the figures of the papers, with intervals and biases."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest

from tests.real.conversions import data_folder
from workbench.calibration.biases import biases
from workbench.calibration.calibrated import Subject, calibrate
from workbench.calibration.correcting import corrected
from workbench.calibration.judged import Judged, JudgedPair, part_of
from workbench.calibration.measuring import measure
from workbench.calibration.pairwise import PairTrust, measure_pairs, pairs_by_slice, settled
from workbench.errors import DataError

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


SUBSETS = ("Natural", "Neighbor", "GPTInst", "GPTOut", "Manual")
ANCHORS = {
    "GPT-4/Vanilla": "GPT-4 Vanilla accuracy",
    "GPT-4/Metrics_Reference": "GPT-4 Metrics_Reference",
    "ChatGPT/Vanilla": "ChatGPT Vanilla",
}
"""Judges of LLMBar whose accuracies are published, by the beginning of the metric's name."""


@pytest.mark.parametrize("judge", [*ANCHORS, *(f"{m}/Vanilla" for m in ("ChatGPT-0301", "LLaMA2", "PaLM2", "Falcon"))])
def test_llmbars_six_judges_are_replayed_in_both_orders_to_a_tenth_of_a_point(rows, figure, judge: str) -> None:
    from sklearn.metrics import accuracy_score

    pairs = [replayed(row, judge, "output_1", "output_2") for row in rows("llmbar")]
    found = {trust.slice.removeprefix("subset="): trust.accuracy for trust in pairs_by_slice(pairs, judge)}
    anchors = json.loads(((data_folder() or pytest.skip()) / "anchors.json").read_text())["llmbar"]
    anchor = next((a for a in anchors if judge in ANCHORS and a["metric"].startswith(ANCHORS[judge])), None)
    for subset, value in zip(SUBSETS, anchor["value"] if anchor else (), strict=bool(anchor)):
        assert found[subset] == pytest.approx(value, abs=0.001)
    for subset in SUBSETS:
        mine = [p for p in pairs if p.tags["subset"] == subset]
        said = [verdict or "none" for p in mine for verdict in (p.forward, p.backward)]
        assert found[subset] == pytest.approx(accuracy_score([p.human for p in mine for _ in range(2)], said))
    figure(f"{told(f'LLMBar, {judge}', measure_pairs(pairs, judge))}; {corrected_told(as_judged(pairs), judge)[0]}")


def as_judged(pairs: Sequence[JudgedPair]) -> list[Judged]:
    """Return pairs as verdicts on whether the first answer wins, ties left out: a rate that can be corrected."""
    return [
        Judged(id=p.id, group=p.group, human=p.human == "1", judge=None if over is None else over == "1")
        for p in pairs
        if p.human != "tie" and (over := settled(p)) != "tie"
    ]


def corrected_told(judged: Sequence[Judged], name: str) -> tuple[str, bool | None]:
    """Return what the judge's rate becomes: labels of the test part correct its verdicts on the others, whose truth is
    known; and whether the interval holds the truth, `None` where the correction is refused.
    """
    rest = [j for j in judged if part_of(j.group, "verdict") != "test" and j.judge is not None]
    try:
        found = calibrate(judged, subject(name), [], open_test=True, who="", at="")
    except DataError:
        return "not corrected: too few test labels of one verdict", None
    made = corrected(name, [float(bool(j.judge)) for j in rest], [j.group for j in rest], found)
    truth = sum(j.human for j in rest) / len(rest)
    interval = made.estimate.interval
    holds = None if interval is None else interval.low <= truth <= interval.high
    return f"{made.sentence()} (people {truth:.0%})", holds


def test_mtbench_and_llmeval2_lie_within_sampling_error_of_the_published_figures(rows, figure) -> None:
    published = {("MT-Bench", "GPT-4"): (0.81, 0.87), ("MT-Bench", "ChatGPT"): (0.713, 0.575),
                 ("LLMEval2", "GPT-4"): (0.755, 0.875)}  # fmt: skip
    for (subset, judge), (accuracy, consistency) in published.items():
        mine = [row for row in rows("mtbench_llmeval2_pairs") if row["subset"] == subset]
        pairs = [replayed(row, f"{judge}/Vanilla_NoRules", "output_1", "output_2") for row in mine]
        found = measure_pairs(pairs, judge)
        figure(f"{told(f'{subset}, {judge}', found)}; {corrected_told(as_judged(pairs), judge)[0]}")
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
        figure(f"{told(f'JudgeBench, {judge}', found)}; {corrected_told(as_judged(pairs), judge)[0]}")


def test_faithbench_detectors_equal_scikit_learn_on_the_same_rows_and_the_corrected_rate_covers(rows, figure) -> None:
    from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

    found = rows("faithbench")
    detectors = sorted({name for row in found for name in row["detectors"]})
    assert len(detectors) >= 8
    covered: list[bool | None] = []
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
        said_so, holds = corrected_told(judged, name)
        covered.append(holds)
        length = next(b for b in biases(judged, name) if b.kind == "length")
        assert length.value is not None and length.interval is not None
        figure(
            f"FaithBench, {name}: balanced accuracy {trust.balanced:.3f}; TPR {tpr.value:.3f} "
            f"[{tpr.interval.low:.3f}, {tpr.interval.high:.3f}] of {tpr.n}, TNR {tnr.value:.3f} "
            f"[{tnr.interval.low:.3f}, {tnr.interval.high:.3f}] of {tnr.n}, unjudged {trust.n_unjudged}; {grade}; "
            f"length bias {length.value:+.3f} [{length.interval.low:+.3f}, {length.interval.high:+.3f}]; {said_so}"
        )
    assert False not in covered, "detectors that know next to nothing are refused; the others' intervals hold the truth"


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
        figure(
            f"{told(f'PandaLM, {judge}', found)}, published {published}; {corrected_told(as_judged(pairs), judge)[0]}"
        )
