"""An evalset whose sides overlap is refused by `evalset validate`, `eval run` and `gate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command, workbench  # noqa: F401  # the command, in a project of its own
from workbench.config.evalset_yaml import load_evalset
from workbench.datasets import Split, split_of
from workbench.errors import LeakageError
from workbench.jobs import sides
from workbench.jobs.sides import refuse_overlap
from workbench.store.home import Home

SPLIT = Split(salt="s", train=0.5, gate=0.5)
ROOT = Path(__file__).parents[2]
LONG = "how do I send an invoice to a customer abroad who pays in another currency than the one of my own account"


def group(side: str) -> str:
    """Return the name of a family that lies on a side."""
    return next(f"g{i}" for i in range(100) if split_of(f"g{i}", SPLIT) == side)


def project(second: str) -> None:
    """Write an evalset with one prompt on the side train and another on the side gate."""
    rows = [
        {"id": side, "group": group(side), "messages": [{"role": "user", "content": text}], "references": ["yes"]}
        for side, text in (("train", LONG), ("gate", second))
    ]
    folder = Path("evalsets/first")
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    policy = "policy: {metrics: {exact_match: {min: 0.5}}}"
    split = "split: {salt: s, train: 0.5, gate: 0.5}"
    (folder / "evalset.yaml").write_text(
        f'name: first\nversion: "1"\n{split}\nscorers: [{{kind: exact_match}}]\n{policy}\n'
    )
    Path("workbench.yaml").write_text("models: {m: {kind: scripted}}\ncandidate: m\n")


COMMANDS = (["evalset", "validate"], ["eval", "run", "--use", "gate", "-q"], ["gate", "--run-missing", "-q"])


@pytest.mark.parametrize("second", [LONG, LONG.replace("account", "shop")])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_an_overlap_of_sides_is_refused_with_the_pairs(workbench: Command, words: list[str], second: str) -> None:  # noqa: F811
    project(second)
    done = workbench(*words)
    assert done.code == 3
    assert "[SIDES_OVERLAP]" in done.err and "train, gate" in done.err and "samples.jsonl" in done.err
    assert not Path(".workbench/runs").exists()


def test_sides_that_ask_other_things_are_accepted(workbench: Command) -> None:  # noqa: F811
    project("what does the team plan cost")
    assert [workbench(*words).code for words in COMMANDS] == [0, 0, 4]


def test_a_large_file_is_looked_at_when_it_is_validated_and_refused_from_then_on(
    workbench: Command,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project(LONG)
    monkeypatch.setattr(sides, "LARGE", 10)
    assert workbench("eval", "run", "--use", "gate", "-q").code == 0
    assert workbench("evalset", "validate").code == 3
    assert workbench("eval", "run", "--use", "gate", "-q").code == 3


def test_what_was_found_is_kept_by_the_files_content(workbench: Command, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    project(LONG)
    assert workbench("evalset", "validate").code == 3
    project("what does the team plan cost")
    assert workbench("evalset", "validate").code == 0

    def again(_: object) -> list[object]:
        raise AssertionError("looked at twice")

    monkeypatch.setattr(sides, "overlaps", again)
    assert workbench("evalset", "validate").code == 0


def test_the_sides_of_the_help_centre_do_not_overlap(tmp_path: Path) -> None:
    refuse_overlap(load_evalset(ROOT / "evalsets" / "helpcentre"), Home(tmp_path), whole=True)


def test_the_error_is_one_of_leakage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evalsets/first").mkdir(parents=True)
    project(LONG)
    with pytest.raises(LeakageError):
        refuse_overlap(load_evalset(Path("evalsets/first")), Home(tmp_path / "home"))
