"""The embedded Argilla's program: where it is looked for, and what is said when it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.adapters import argilla_server
from workbench.adapters.argilla_server import find_program
from workbench.errors import LabellingError


def made(folder: Path) -> Path:
    program = folder / "bin" / "argilla-embedded"
    program.parent.mkdir(parents=True)
    program.touch()
    return program


def test_the_environment_beside_the_project_goes_before_the_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(argilla_server, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.setattr(argilla_server.sys, "prefix", str(tmp_path / "elsewhere" / ".venv"))
    checkouts = made(tmp_path / "checkout" / ".venv-argilla")
    assert find_program(tmp_path / "project", {}) == checkouts
    projects = made(tmp_path / "project" / ".venv-argilla")
    assert find_program(tmp_path / "project", {}) == projects


def test_a_named_environment_is_the_only_one_looked_at(tmp_path: Path) -> None:
    made(tmp_path / ".venv-argilla")
    with pytest.raises(LabellingError, match=r"not installed in .*/named"):
        find_program(tmp_path, {"WORKBENCH_ARGILLA_VENV": str(tmp_path / "named")})


def test_a_missing_environment_is_told_with_the_command_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(argilla_server, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.setattr(argilla_server.sys, "prefix", str(tmp_path / "elsewhere" / ".venv"))
    with pytest.raises(LabellingError, match="make setup-argilla"):
        find_program(tmp_path / "project", {})
