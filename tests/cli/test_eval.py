"""`workbench eval` as a user meets it: a first project, run, shown, resumed, rescored, priced, refused."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from tests.cli.conftest import Command

EVALSET = Path("evalsets/first/evalset.yaml")
SAMPLES = Path("evalsets/first/samples.jsonl")
CONFIG = Path("workbench.yaml")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def only_run() -> Path:
    (run,) = Path(".workbench/runs").iterdir()
    return run


def test_a_first_project_runs_at_once(workbench: Command) -> None:
    done = workbench("eval", "run")
    assert done.code == 0
    assert "3 asked = 3 answered + 0 failed" in done.out
    assert "exact_match   0.333" in done.out
    report = (only_run() / "report.md").read_text()
    assert "| exact_match | 0.333 | [" in report


def test_json_is_one_document_with_n_failures_and_interval_of_every_metric(workbench: Command) -> None:
    result = json.loads(workbench("eval", "run", "--json", "-q").out)
    assert result["state"] == "finished"
    whole = [m for m in result["metrics"] if not m["slice"]]
    assert [m["scorer"] for m in whole] == ["exact_match", "token_f1"]
    assert all(m["n"] == 3 and m["n_failed"] == 0 and m["interval"] for m in whole)
    shown = json.loads(workbench("eval", "show", "--json").out)
    assert shown == result


def test_init_never_overwrites(workbench: Command) -> None:
    again = workbench("init")
    assert again.code == 2
    assert "exists already and is left as it is" in again.err


def test_an_empty_home_says_what_to_do_next(workbench: Command) -> None:
    assert "start one with: workbench eval run" in workbench("eval", "ls").out
    missing = workbench("eval", "show")
    assert missing.code == 3
    assert "there is no finished run" in missing.err and "workbench eval run" in missing.err


def test_the_list_shows_every_run_and_hides_none_behind_a_damaged_one(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    (only_run() / "summary.json").write_text('{"id": "torn')
    workbench("eval", "run", "-q")
    entries = json.loads(workbench("eval", "ls", "--json").out)
    assert [e["state"] for e in entries] == ["damaged", "finished"]


def test_a_run_is_found_by_the_beginning_or_the_end_of_its_id(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    name = only_run().name
    assert name in workbench("eval", "show", name[:12]).out
    assert name in workbench("eval", "show", name[-4:]).out


def test_a_dry_run_prices_and_calls_nothing(workbench: Command) -> None:
    endpoint = "kind: endpoint, base_url: 'http://127.0.0.1:9/v1', model: m, sampling: {max_tokens: 100}"
    priced = f"{{{endpoint}, price: {{input: 2, output: 8}}}}"
    CONFIG.write_text(f"models:\n  candidate: {priced}\ncandidate: candidate\n")
    done = workbench("eval", "run", "--dry-run", "--json", "--repeats", "2")
    (estimate,) = json.loads(done.out)["first"]
    assert (estimate["calls"], estimate["output_tokens"]) == (6, 600)
    assert estimate["cost"] == pytest.approx((estimate["input_tokens"] * 2 + 600 * 8) / 1e6, rel=0.05)
    assert not Path(".workbench/runs").exists()
    edit(CONFIG, ", price: {input: 2, output: 8}", "")
    assert "Cost: unknown, a model has no price." in workbench("eval", "run", "--dry-run").out


def test_rescoring_keeps_what_stands_makes_what_is_new_and_names_its_parent(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    first = only_run().name
    edit(
        EVALSET,
        "  - kind: token_f1\n",
        "  - kind: token_f1\n  - kind: contains\n    name: has_paris\n    strings: [Paris]\n",
    )
    done = workbench("eval", "rescore", "latest", "--json")
    assert "scores kept of: exact_match, token_f1" in done.err
    result = json.loads(done.out)
    assert result["spec"]["parent"] == first
    assert [m["scorer"] for m in result["metrics"] if not m["slice"]] == ["exact_match", "token_f1", "has_paris"]
    assert result["candidate"]["calls"] == 0
    assert len(list(Path(".workbench/runs").iterdir())) == 2


def test_rescoring_refuses_answers_to_other_questions(workbench: Command) -> None:
    workbench("eval", "run", "-q")
    edit(SAMPLES, "capital of Peru", "capital of Chile")
    done = workbench("eval", "rescore")
    assert done.code == 3
    assert "rows changed since this run" in done.err


FAILING = "models:\n  candidate: {kind: scripted, faults: [{kind: timeout}]}\ncandidate: candidate\n"


def test_a_run_in_which_every_answer_failed_says_so_and_has_no_mean(workbench: Command) -> None:
    CONFIG.write_text(FAILING)
    done = workbench("eval", "run", "-q", "--json")
    result = json.loads(done.out)
    assert result["output_failures"] == {"timeout": 3}
    assert all(m["value"] is None and m["undefined"] and m["n_failed"] for m in result["metrics"] if not m["slice"])


def test_failed_answers_of_a_finished_run_can_be_asked_again(workbench: Command) -> None:
    half = FAILING.replace("{kind: timeout}", "{kind: timeout, every: 3}")
    CONFIG.write_text(half)
    before = json.loads(workbench("eval", "run", "-q", "--json").out)
    assert 0 < before["n_output_failed"] < 3
    again = workbench("eval", "rescore", "--retry-failed", "-q", "--json")
    assert json.loads(again.out)["output_failures"] == before["output_failures"]  # the script still fails where it did


def unfinished(workbench: Command) -> Path:
    """Make a run that stopped before its end: the journal is there, the tables are not."""
    workbench("eval", "run", "-q")
    run = only_run()
    for name in ("summary.json", "samples.parquet", "scores.parquet", "report.md"):
        (run / name).unlink()
    return run


RUBRIC = '---\nname: correct\nversion: "1"\nscale: binary\n---\nPass when right.\n'
JUDGED = "  - kind: token_f1\n  - kind: rubric_judge\n    rubric: correct.md\n    judge: judge\n"
JUDGE = "  judge: {kind: scripted, replies: {}}\ncandidate: candidate\n"

CHANGES = {
    "a row": (SAMPLES, "capital of Peru", "capital of Chile", "rows changed since this run began"),
    "a reference": (SAMPLES, '"Lima"', '"Quito"', "rows changed since this run began"),
    "the model": (CONFIG, "capital-1: Paris", "capital-1: London", "model.replies.capital-1 changed"),
    "the seed of the judge": (CONFIG, "replies: {}", "replies: {}, default: empty", "judges.judge.default changed"),
    "the rubric": (
        Path("evalsets/first/correct.md"),
        "Pass when right",
        "Pass when wrong",
        "scorers.correct.content.body changed",
    ),
    "a scorer's setting": (
        EVALSET,
        "kind: exact_match",
        "kind: exact_match\n    normalise: none",
        "scorers.exact_match.normalise changed",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_resuming_refuses_changed_inputs_and_names_them(workbench: Command, what: str) -> None:
    edit(EVALSET, "  - kind: token_f1\n", JUDGED)
    Path("evalsets/first/correct.md").write_text(RUBRIC)
    edit(CONFIG, "candidate: candidate\n", JUDGE)
    run = unfinished(workbench)
    path, old, new, said = CHANGES[what]
    edit(path, old, new)
    done = workbench("eval", "run", "--resume", "latest")
    assert done.code == 3
    assert said in done.err
    assert "start a new run with `workbench eval run --new`" in done.err
    edit(path, new, old)
    assert workbench("eval", "run", "--resume", "latest", "-q").code == 0
    assert (run / "summary.json").exists()


def test_the_same_command_takes_an_unfinished_run_up_again(workbench: Command) -> None:
    run = unfinished(workbench)
    done = workbench("eval", "run")
    assert f"Going on with the unfinished run {run.name}" in done.err
    assert only_run() == run
    assert "there is no unfinished run" in workbench("eval", "run", "--resume", "latest").err
    unfinished_again = workbench("eval", "run", "--resume", run.name)
    assert unfinished_again.code == 2
    assert "this run is finished" in unfinished_again.err


def test_an_unfinished_run_is_listed_with_the_command_that_goes_on(workbench: Command) -> None:
    run = unfinished(workbench)
    assert f"workbench eval run --resume {run.name}" in json.loads(workbench("eval", "ls", "--json").out)[0]["note"]
    shown = workbench("eval", "show", run.name)
    assert shown.code == 3
    assert f"this run is not finished; workbench eval run --resume {run.name}" in shown.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--resume", "latest", "--limit", "3", "--new"), "leave out --limit, --new"),
        (("run", "first", "--resume", "latest"), "leave out EVALSETS"),
        (("run", "--retry-failed"), "--retry-failed needs --resume RUN"),
    ],
)
def test_what_a_run_has_settled_is_not_asked_for_again_when_it_is_resumed(
    workbench: Command, words: tuple[str, ...], said: str
) -> None:
    done = workbench("eval", *words)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("evl",), "did you mean 'eval'?"),
        (("eval", "run", "frist"), "did you mean 'first'?"),
        (("eval", "run", "--model", "candidat"), "did you mean 'candidate'?"),
        (("eval", "run", "--use", "gate"), "no evalset has the use 'gate'"),
        (("eval", "run", "first", "--use", "gate"), "it has: dev"),
        (("eval", "run", "--repeats", "0"), "0 is not in the range"),
        (("--config", "nowhere.yaml", "eval", "run"), "nowhere.yaml"),
    ],
)
def test_a_wrong_word_is_told_with_the_right_one(workbench: Command, words: tuple[str, ...], said: str) -> None:
    done = workbench(*words)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_every_fault_of_the_samples_is_told_and_nothing_is_half_written(workbench: Command) -> None:
    SAMPLES.write_text(
        '{"id": 1, "messages": []}\n{"id": "b", "messages": [{"role": "user", "content": " "}]}\nnot json\n'
    )
    done = workbench("eval", "run")
    assert done.code == 3
    for line in (1, 2, 3):
        assert f"samples.jsonl:{line}:" in done.err
    assert not Path(".workbench/runs").exists()
    assert not any(Path(".workbench/datasets").glob("*/*"))


def test_hostile_text_stays_text_on_the_terminal_and_in_the_report(workbench: Command) -> None:
    row = orjson.loads(SAMPLES.read_bytes().split(b"\n")[1])
    row["messages"][0]["content"] = (
        "\x1b[31mred\x1b[0m <script>alert(1)</script> | ![x](http://evil.example/x.png) [bold]b[/bold]"
    )
    SAMPLES.write_bytes(orjson.dumps(row) + b"\n")
    done = workbench("eval", "run", "-q")
    assert "\x1b[31m" not in done.out
    assert "[bold]b[/bold]" in done.out or "…" in done.out
    report = (only_run() / "report.md").read_text()
    assert "<script>" not in report and "![x](" not in report and "\x1b" not in report


def test_validating_an_evalset_reads_it_whole(workbench: Command) -> None:
    assert "first dev: 3 samples in 3 families" in workbench("evalset", "validate").out
    assert json.loads(workbench("evalset", "ls", "--json").out)[0]["n"] == 3


def test_asking_a_model_one_question(workbench: Command) -> None:
    assert workbench("model", "ask", "candidate", "Anybody there?").out == "Anybody there?\n"
    assert workbench("model", "ask", "candidat", "x").code == 2
