from __future__ import annotations

import pytest
from rich.cells import cell_len

from workbench.cli.show import LEAST, WIDTH, grid


def test_columns_are_aligned_by_the_places_that_characters_take(capsys: pytest.CaptureFixture[str]) -> None:
    grid(("run", "n"), [("猫猫", "7"), ("e\u0301te", "1000")])
    empty, head, rule, wide, narrow, last = capsys.readouterr().out.splitlines()
    assert (empty, last) == ("", "")
    assert head == " run       n"
    assert rule == " " + "─" * (4 + 3 + 4)
    assert wide == " 猫猫      7"
    assert cell_len(narrow) == cell_len(wide) == cell_len(rule) == 12


def test_running_text_is_cut_to_the_width_and_an_id_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    grid(("run", "what"), [("r" * 40, "w" * 300)])
    row = capsys.readouterr().out.splitlines()[3]
    assert len(row) <= WIDTH and row.endswith("w…") and "r" * 40 in row
    grid(("run", "what"), [("r" * 200, "w" * 300)])
    row = capsys.readouterr().out.splitlines()[3]
    assert row == f" {'r' * 200}   {'w' * (LEAST - 1)}…"
