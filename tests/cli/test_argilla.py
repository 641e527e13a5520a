"""`workbench argilla` gives its words to the embedded Argilla of the project, and passes on what that says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = "models:\n  tiny:\n    kind: scripted\ncandidate: tiny\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose embedded Argilla is a program that tells what it was given and ends with code 2."""
    (tmp_path / "workbench.yaml").write_text(CONFIG)
    program = tmp_path / ".venv-argilla" / "bin" / "argilla-embedded"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s|" "$ARGILLA_EMBEDDED_HOME" "$@"\nexit 2\n')
    program.chmod(0o755)
    return tmp_path


def workbench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "WORKBENCH_ARGILLA_VENV"}
    command = [sys.executable, "-m", "workbench", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_words_options_and_exit_code_are_passed_on_with_the_projects_folder(project: Path) -> None:
    done = workbench(project, "argilla", "users", "add", "alice", "--workspace", "a b", "--json")
    home = project / ".workbench" / "argilla"
    assert done.stdout == f"{home}|users|add|alice|--workspace|a b|--json|"
    assert done.returncode == 2


def test_a_missing_environment_is_a_message_not_a_traceback(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "argilla", "status"],
        cwd=project,
        env={**os.environ, "WORKBENCH_ARGILLA_VENV": str(project / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "make setup-argilla" in done.stderr and "Traceback" not in done.stderr
