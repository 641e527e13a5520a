"""What a user can get wrong around the commands: paths the system refuses, numbers too large, Ctrl-C, bad files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from workbench.cli import commands
from workbench.cli.main import main

CONFIG = Path("workbench.yaml")


@pytest.mark.parametrize(
    ("home", "words"),
    [
        ("workbench.yaml/below", "workbench.yaml/below"),  # below a file
        ("/proc/below", "/proc/below"),  # where no folder can be made
        ("/sys/below", "/sys/below"),  # where nobody may write
    ],
)
def test_a_home_that_cannot_be_is_told_with_its_path_and_no_traceback(
    workbench: Command, home: str, words: str
) -> None:
    CONFIG.write_text(CONFIG.read_text() + f"home: {home}\n")
    done = workbench("eval", "run", "-q")
    assert done.code == 2
    assert done.err.startswith("workbench: ") and words in done.err and "; check " in done.err
    assert len(done.err.splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_told_by_init(workbench: Command) -> None:
    done = workbench("init", "/proc/x")
    assert done.code == 2
    assert done.err == (
        "workbench: /proc/x: no such file or directory; "
        "check the path: something on the way to it is missing, or is a file where a folder is wanted\n"
    )


def test_an_error_that_names_no_path_is_the_programs_and_keeps_its_traceback(
    workbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise OSError("nobody named a file")

    monkeypatch.setattr(commands.cli, "main", broken)
    with pytest.raises(OSError, match="nobody named a file"):
        main()


@pytest.mark.parametrize("option", ["--limit", "--repeats"])
def test_a_number_beyond_all_reason_is_refused(workbench: Command, option: str) -> None:
    done = workbench("eval", "run", option, "9" * 20)
    assert done.code == 2
    assert f"Invalid value for '{option}'" in done.err and "is not in the range" in done.err


def test_ctrl_c_while_commands_are_loaded_ends_quietly(workbench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands.cli, "main", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_nothing_heavy_is_loaded_before_ctrl_c_is_caught() -> None:
    program = (
        "import sys; before = set(sys.modules); import workbench.cli.main\n"
        "print(sorted(set(sys.modules) - before - {'__future__'}))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['workbench', 'workbench.cli', 'workbench.cli.main']"
