"""A small encoder trained on BEGIN's labels: its balanced accuracy on families that it never saw.

EPOCHS (default 2) and SHARE (default 1, of the families, by a hash) make it quicker. FaithBench is another domain
(summaries of long passages, chosen because detectors differ on them), and the judge is not tuned on it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real.conversions import data_folder
from workbench.adapters.encoder_judge import chances, load, split_data
from workbench.calibration.judged import Judged
from workbench.calibration.measuring import Trust, measure
from workbench.datasets import Sample
from workbench.nouns import fingerprint
from workbench.records import Message, Passage
from workbench.scoring.judge import judged_data

pytestmark = [pytest.mark.real, pytest.mark.long]


def begin_rows(rows: list[dict[str, Any]], share: float) -> list[dict[str, Any]]:
    """Return BEGIN as rows of labelled answers: an answer passes where people call it fully attributable."""
    kept = [row for row in rows if row["message"].strip()]  # two have no question
    return [
        {"id": row["id"], "group": row["group_id"], "question": row["message"], "answer": row["response"],
         "passages": [row["knowledge"]], "passes": row["attributable"]}
        for row in kept if int(fingerprint([row["group_id"], "share"])[:8], 16) < share * 16**8
    ]  # fmt: skip


def told(name: str, trust: Trust) -> str:
    at = trust.balanced_interval
    assert at is not None and trust.balanced is not None
    return (
        f"{name}: balanced accuracy {trust.balanced:.3f} [{at.low:.3f}, {at.high:.3f}], "
        f"TPR {trust.tpr.k}/{trust.tpr.n}, TNR {trust.tnr.k}/{trust.tnr.n}, kappa {trust.kappa:.3f}"
    )


def test_an_encoder_trained_on_begin_is_better_than_a_coin_on_families_that_it_never_saw(
    rows: Callable[[str], list[dict[str, Any]]], figure: Callable[[str], None], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    table = begin_rows(rows("begin"), float(os.environ.get("SHARE", "1")))
    Path("begin.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    Path("workbench.yaml").write_text("models: {none: {kind: scripted}}\ncandidate: none\n")
    words = ("judge", "train", "encoder", "begin.jsonl", "--judge", "begin", "--test", "--json")
    command = [sys.executable, "-m", "workbench", *words, "--epochs", os.environ.get("EPOCHS", "2")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # its progress stays to be seen
    found = json.loads(done.stdout)
    card, test = found["card"], Trust.model_validate(found["calibrated"]["test"])
    figure(f"BEGIN, {card['epochs']} epochs over {card['n_learnt']} labels, threshold {card['threshold']:.3f}")
    figure(told(f"  on {test.n} held-out answers", test))
    strange = _on_faithbench(rows("faithbench"), Path(found["folder"]), card["threshold"])
    figure(told(f"  on FaithBench's {strange.n} summaries, of which it saw none", strange))
    figure(f"  published there: {_published()}")
    assert test.balanced is not None and test.balanced_interval is not None and test.balanced_interval.low > 0.5


def _on_faithbench(table: list[dict[str, Any]], folder: Path, threshold: float) -> Trust:
    """Measure it where detectors were: a summary passes unless people call it hallucinated."""
    seen = []
    for row in table:
        passages = (Passage(id="1", text=row["source"]),)
        sample = Sample(id=row["id"], messages=(Message(role="user", content="Summarise the passage."),))
        seen.append(split_data(judged_data(sample, row["response"], passages, include_reference=False)))
    found = chances(*load(folder), seen)
    return measure([
        Judged(id=row["id"], group=row["group_id"], human=not row["hallucinated"], judge=chance >= threshold)
        for row, chance in zip(table, found, strict=True)
    ])  # fmt: skip


def _published() -> str:
    anchors = json.loads(((data_folder() or pytest.skip()) / "anchors.json").read_text())["faithbench"]
    one = next(a for a in anchors if a["metric"].startswith("balanced accuracy"))
    return f"{one['metric'].rpartition(': ')[2]}: {one['value']}, {one['source']}"
