"""What a user can get wrong around the commands: paths the system refuses, numbers too large, Ctrl-C, bad files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from workbench.cli import commands
from workbench.cli.main import main

CONFIG = Path("workbench.yaml")
EVALSET = Path("evalsets/first/evalset.yaml")


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


def test_an_error_of_the_system_that_names_no_path_is_the_programs(
    workbench: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise OSError("nobody named a file")

    monkeypatch.setattr(commands.cli, "main", broken)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "OSError: nobody named a file; this is a fault of the workbench" in capsys.readouterr().err


def test_a_side_of_the_split_without_samples_is_listed_with_none_and_cannot_be_run(workbench: Command) -> None:
    EVALSET.write_text(EVALSET.read_text().replace("use: dev", "split: {salt: x, dev: 0.999, gate: 0.001}"))
    done = workbench("evalset", "ls", "--json")
    assert [(m["use"], m["n"]) for m in json.loads(done.out)] == [("dev", 3), ("gate", 0)]
    assert "first gate: 0 samples in 0 families" in workbench("evalset", "validate").out
    run = workbench("eval", "run", "--use", "gate")
    assert run.code == 3
    assert "samples.jsonl: the split puts no sample on the side 'gate'" in run.err and "quarantine" not in run.err


RECORDED = {
    "01-missing": (lambda path: None, "no such file", "[FILE_MISSING]"),
    "02-directory": (lambda path: path.mkdir(), "a folder, not a file", "[FILE_IS_FOLDER]"),
    "03-unreadable": (lambda path: path.symlink_to(path), "the file cannot be read", "[FILE_UNREADABLE]"),
}


@pytest.mark.parametrize("case", RECORDED)
def test_a_file_of_recorded_answers_that_is_none_is_refused_by_name(workbench: Command, case: str) -> None:
    make, words, code = RECORDED[case]
    make(Path("log.jsonl"))
    CONFIG.write_text("models:\n  log: {kind: recorded, path: log.jsonl}\ncandidate: log\n")
    done = workbench("eval", "run", "-q")
    assert done.code == 3
    assert "log.jsonl: " in done.err and words in done.err and code in done.err
    assert not list(Path(".workbench").glob("runs/*"))


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
    assert found.stdout.strip() == "['gc', 'workbench', 'workbench.cli', 'workbench.cli.main']"
