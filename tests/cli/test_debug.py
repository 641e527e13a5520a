"""A traceback is shown to whoever asks for it, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command
from workbench.evaluation import catalogue


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(home: object) -> None:
        raise ZeroDivisionError("nothing to\nshare")

    monkeypatch.setattr(catalogue, "catalogue", break_down)


def test_a_fault_of_the_program_is_one_line_without_a_traceback(workbench: Command, broken: None) -> None:
    done = workbench("eval", "ls")
    assert done.code == 1
    assert done.err == (
        "workbench: ZeroDivisionError: nothing to share; "
        "this is a fault of the workbench: run `workbench --debug …` and report what it shows\n"
    )


def test_with_debug_the_traceback_comes_before_the_same_line(workbench: Command, broken: None) -> None:
    done = workbench("--debug", "eval", "ls")
    assert done.code == 1
    assert done.err.startswith("Traceback (most recent call last)") and "in break_down" in done.err
    assert done.err.splitlines()[-1].startswith("workbench: ZeroDivisionError")


def test_with_debug_an_error_of_the_user_shows_where_it_was_found(workbench: Command) -> None:
    Path("workbench.yaml").write_text("candidate: x\n")
    plain, debug = workbench("eval", "ls"), workbench("--debug", "eval", "ls")
    assert "Traceback" not in plain.err and "Traceback" in debug.err
    assert debug.err.endswith(plain.err) and debug.code == plain.code == 2


def test_with_debug_a_good_end_shows_nothing(workbench: Command) -> None:
    assert workbench("--debug", "eval", "ls").err == ""
