"""LLMBar: a gate over the recorded verdicts of GPT-4 and ChatGPT, the author-verified label being the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.real.gated import project, run, workbench
from workbench.datasets import Sample
from workbench.records import Message

pytestmark = pytest.mark.real
POLICY = {
    "metrics": {"exact_match": {"min": 0.6, "margin": 0.05}},
    "slices": {"subset=Neighbor": {"exact_match": {"margin": 0.1}}},
    "max_missing": 0.05,
}


def samples_of(rows: list[dict[str, Any]]) -> list[Sample]:
    return [
        Sample(
            id=row["id"],
            messages=(
                Message(role="user", content=f"{row['instruction']}\n\n1: {row['output_1']}\n\n2: {row['output_2']}"),
            ),
            references=(str(row["label"]),),
            tags={"subset": row["subset"]},
        )
        for row in rows
    ]


def verdicts(rows: list[dict[str, Any]], judge: str) -> dict[str, list[str | None]]:
    """Return the judge's verdicts on both orders of each pair, mapped to the original order."""
    found = {row["id"]: row["judge_verdicts"][f"{judge}/Vanilla"] for row in rows}
    return {
        key: [None if v[order] is None else str(v[order]) for order in ("orig", "swap")] for key, v in found.items()
    }


def test_gpt4_may_replace_chatgpt_and_not_the_other_way_round(rows, figure, tmp_path: Path) -> None:
    pairs = rows("llmbar")
    judges = {"GPT-4": verdicts(pairs, "GPT-4"), "ChatGPT": verdicts(pairs, "ChatGPT")}
    project(tmp_path, samples_of(pairs), judges, {"scorers": [{"kind": "exact_match"}], "policy": POLICY})
    ids = {judge: run(tmp_path, judge, "--repeats", "2") for judge in judges}
    for judge, other, code in (("GPT-4", "ChatGPT", 0), ("ChatGPT", "GPT-4", 1)):
        ended, found = workbench(tmp_path, "gate", "--run", ids[judge], "--baseline", ids[other], "--json")
        (gate,) = found["gates"]
        figure(f"LLMBar: {judge} over {other}: {gate['decision']}: {gate['reason']}")
        assert ended == code, gate["reason"]
        assert all(r["attempted"] == 2 * 419 == r["scored"] + r["failed"] for r in gate["reconciliation"])
        row = gate["rows"][1]
        means = [accuracy(pairs, judges[name]) for name in (judge, other)]
        if row["n_failed"] == 0:
            assert row["estimate"] == pytest.approx(means[0] - means[1])


def accuracy(pairs: list[dict[str, Any]], answers: dict[str, list[str | None]]) -> float:
    right = [verdict == str(row["label"]) for row in pairs for verdict in answers[row["id"]]]
    return sum(right) / len(right)
