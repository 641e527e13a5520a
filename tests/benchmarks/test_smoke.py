"""Every benchmark runs and returns figures of the right shape; how fast anything is, is not tested."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.labelling import PROGRAM

QUICK = ("start", "tables")
"""Benchmarks that take a few seconds when quick; the others have the long target."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name not in QUICK)) for name in BENCHMARKS]
)
def test_a_benchmark_measures_positive_figures_once_a_round_and_writes_them_down(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "labelling" and not PROGRAM.exists():
        pytest.skip("no embedded Argilla here; to run this: make argilla")
    file = tmp_path / "result.json"

    main([name, "--quick", "--runs", "1", "--json", str(file)])

    result = json.loads(file.read_bytes())
    printed = capsys.readouterr().out
    assert result["quick"] is True
    assert any(figure["goal"] for figure in result["figures"])
    for figure in result["figures"]:
        assert figure["benchmark"] == name
        assert len(figure["values"]) == 1
        assert math.isfinite(figure["value"]) and figure["value"] > 0
        assert figure["name"] in printed
