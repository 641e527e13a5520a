"""`workbench gate` and `workbench eval compare` as a user meets them: every branch and exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Done

N = 60
EVALSET = Path("evalsets/first/evalset.yaml")
POLICY = "{metrics: {exact_match: {min: 0.5, margin: 0.1}}}"
ABSOLUTE = "{metrics: {exact_match: {min: 0.5}}}"


def project(policy: str, scorer: str = "{kind: exact_match}", use: str = "gate") -> None:
    """Write an evalset of 60 samples and models that answer 58, 58, 30 and 5 of them, one of them failing often."""
    rows = [
        {"id": f"q{i}", "messages": [{"role": "user", "content": f"question {i}"}], "references": ["yes"]}
        for i in range(N)
    ]
    Path("evalsets/first/samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = f'name: first\nversion: "1"\nuse: {use}\nscorers: [{scorer}]\n'
    EVALSET.write_text(text + (f"policy: {policy}\n" if policy else ""))
    models = [model("good", 58), model("twin", 58), model("half", 30), model("bad", 5)]
    models.append("  broken: {kind: scripted, default: missing}")
    Path("workbench.yaml").write_text("models:\n" + "\n".join(models) + "\ncandidate: good\n")


def model(name: str, right: int) -> str:
    replies = {f"q{i}": "yes" if i < right else "no" for i in range(N)}
    # An answer to a sample that does not exist makes two models of equal answers differ.
    return f"  {name}: {{kind: scripted, replies: {json.dumps({**replies, name: ''})}}}"


def choose(name: str) -> None:
    text = Path("workbench.yaml").read_text()
    Path("workbench.yaml").write_text(text[: text.rindex("candidate:")] + f"candidate: {name}\n")


def gate(workbench: Command, *words: str) -> Done:
    return workbench("gate", "--run-missing", "-q", *words)


def decision(done: Done) -> dict:
    (found,) = json.loads(done.out)["gates"]
    return found


def promoted(workbench: Command, name: str = "good") -> None:
    choose(name)
    gate(workbench)
    assert workbench("gate", "promote", "latest", "--why", "the first").code == 0


def test_thresholds_pass_fail_or_leave_it_open(workbench: Command) -> None:
    project(ABSOLUTE)
    for name, code, word in (("good", 0, "SHIP"), ("bad", 1, "DO NOT SHIP"), ("half", 4, "NOT ENOUGH EVIDENCE")):
        choose(name)
        done = gate(workbench)
        assert (done.code, word in done.out) == (code, True), done.out


def test_a_gate_without_a_run_is_inconclusive_and_says_how_to_make_one(workbench: Command) -> None:
    project(ABSOLUTE)
    done = workbench("gate")
    assert done.code == 4
    assert "workbench gate first --run-missing" in done.out


def test_a_first_gate_has_no_baseline_and_says_how_to_promote_one(workbench: Command) -> None:
    project(POLICY)
    done = gate(workbench, "--json")
    assert done.code == 4
    assert [row["verdict"] for row in decision(done)["rows"]] == ["pass", "inconclusive"]
    assert "workbench gate promote RUN" in decision(done)["rows"][1]["reason"]


def test_a_candidate_is_held_against_the_promoted_baseline(workbench: Command) -> None:
    project(POLICY)
    promoted(workbench)
    for name, code in (("twin", 0), ("bad", 1)):
        choose(name)
        done = gate(workbench, "--json")
        assert done.code == code
        assert decision(done)["baseline_promoted"].endswith(": the first")
        assert decision(done)["comparison"]["n"] == N


def test_make_eval_with_a_promoted_baseline_ends_in_0_in_1_and_in_4(workbench: Command) -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    recipe = makefile.partition("\neval:")[2].splitlines()[1]
    words = recipe.partition("bin/workbench ")[2] or recipe.partition("$(BIN)/workbench ")[2]
    make_eval = words.replace("$(GATE_ARGS)", "-q").split()
    assert make_eval == ["gate", "--run-missing", "-q"]
    project(POLICY)
    text = Path("workbench.yaml").read_text()
    Path("workbench.yaml").write_text(text.replace("  broken:", model("near", 55) + "\n  broken:"))
    promoted(workbench)
    for name, code, word in (("twin", 0, "SHIP"), ("bad", 1, "DO NOT SHIP"), ("near", 4, "NOT ENOUGH EVIDENCE")):
        choose(name)
        done = workbench(*make_eval)
        assert done.code == code and f"\n{word} (" in done.out, done.out
        assert "promoted by" in done.out


def test_where_lower_is_better_everything_is_the_right_way_around(workbench: Command) -> None:
    scorer = "{kind: contains, name: refusals, strings: ['no'], better: lower}"
    project("{metrics: {refusals: {max: 0.2, margin: 0.1}}, max_regressions: 0.2}", scorer=scorer)
    promoted(workbench)
    choose("twin")
    good = gate(workbench, "--json", "--markdown", "good.md", "--html", "good.html")
    assert good.code == 0
    assert [(r["passes"], r["limit"]) for r in decision(good)["rows"]] == [
        ("below", 0.2),
        ("below", 0.1),
        ("below", 0.2),
    ]
    assert "(lower is better)" in Path("good.md").read_text() and "(lower is better)" in Path("good.html").read_text()
    choose("bad")
    bad = gate(workbench, "--json", "--markdown", "bad.md", "--html", "bad.html")
    assert bad.code == 1 and [r["verdict"] for r in decision(bad)["rows"]] == ["fail"] * 3
    compared = decision(bad)["comparison"]
    assert compared["n_regressions"] == {"refusals": 53} and compared["metrics"][0]["losses"] == 53
    assert "[q10](<bad.html#sample-q10>) | 0.000 → 1.000" in Path("bad.md").read_text()
    shown = workbench("eval", "show", "latest", "--worst", "1").out
    assert "highest refusals" in shown and "1.000  q" in shown
    project("{metrics: {refusals: {min: 0.2, margin: 0.1}}}", scorer=scorer)
    assert "'refusals' is better lower" in gate(workbench).err


def test_links_in_the_markdown_lead_to_the_page_wherever_it_is(workbench: Command) -> None:
    project(POLICY)
    promoted(workbench)
    choose("bad")
    gate(workbench, "--markdown", "a.md", "--page-url", "https://ci.example/7/gate.html")
    assert "(<https://ci.example/7/gate.html#sample-q10>)" in Path("a.md").read_text()
    gate(workbench, "--markdown", "b.md")
    assert "#sample-" not in Path("b.md").read_text(), "there is no page"


def test_a_baseline_may_be_named_by_run_or_name(workbench: Command) -> None:
    project(POLICY)
    promoted(workbench)
    (run,) = Path(".workbench/runs").iterdir()
    assert workbench("gate", "promote", run.name, "--name", "spring", "--why", "another").code == 0
    choose("twin")
    for name in (run.name, "spring"):
        assert gate(workbench, "--baseline", name).code == 0
    for name in ("latest", run.name[:-1], run.name[-4:]):
        moving = gate(workbench, "--baseline", name)
        assert moving.code == 4 and f"no run was promoted as baseline '{name}'" in moving.out
    assert workbench("gate", "promote", run.name, "--name", "latest", "--why", "x").code == 2
    gone = gate(workbench, "--baseline", "autumn")
    assert gone.code == 4 and "no run was promoted as baseline 'autumn'" in gone.out


def test_a_candidate_is_not_shipped_for_being_as_good_as_itself(workbench: Command) -> None:
    project("{metrics: {exact_match: {margin: 0.1}}}")
    promoted(workbench, "bad")
    done = gate(workbench)
    assert done.code == 4 and "the candidate is its own baseline" in done.out


def test_a_baseline_of_other_rows_or_another_scorer_is_inconclusive(workbench: Command) -> None:
    project(POLICY)
    promoted(workbench)
    project(POLICY, scorer="{kind: token_f1, name: exact_match}")
    other_scorer = gate(workbench)
    assert (
        other_scorer.code == 4
        and "the scorer's settings differ (kind: 'exact_match' → 'token_f1', name" in other_scorer.out
    )
    project(POLICY)
    samples = Path("evalsets/first/samples.jsonl")
    samples.write_text("".join(samples.read_text().splitlines(keepends=True)[:-1]))
    other_rows = gate(workbench)
    assert other_rows.code == 4 and "different rows" in other_rows.out


def test_a_baseline_whose_run_is_gone_is_inconclusive(workbench: Command) -> None:
    project(POLICY)
    promoted(workbench)
    (run,) = Path(".workbench/runs").iterdir()
    run.rename("elsewhere")
    choose("twin")
    done = gate(workbench)
    assert done.code == 4 and "the baseline 'main' cannot be read" in done.out


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("{metrics: {exact_match: {min: .nan}}}", "policy.metrics.exact_match.min"),
        ("{metrics: {exact_match: {min: 95}}}", "[THRESHOLD_RANGE]"),
        ("{metrics: {exact_match: {max: 0.5, margin: 0.1}}}", "'exact_match' is better higher"),
        ("{metrics: {exact_match: {margin: 5}}}", "[THRESHOLD_RANGE]"),
        ("{metrics: {exact_match: {min: 0.5}}, max_missing: 95}", "policy.max_missing"),
        ("{metrics: {exact_match: {margin: 0.1}}, baseline: latest}", "name a promoted baseline"),
        ("{metrics: {exact_mach: {min: 0.5}}}", "did you mean 'exact_match'?"),
        ("{metrics: {exact_match: {minimum: 0.5}}}", "policy.metrics.exact_match.minimum"),
        ("{metrics: {exact_match: {}}}", "the rule is empty"),
        ("{metrics: {}}", "policy.metrics"),
        ("{metrics: {exact_match: {min: 0.9, max: 0.1}}}", "nothing could pass"),
        ("{metrics: {exact_match: {min: 0.5}}, slices: {german: {exact_match: {min: 0.5}}}}", "policy.slices"),
        ("{metrics: {exact_match: {min: 0.5}}, slices: {lang=de: {}}}", "policy.slices.lang=de"),
        ("{metrics: {exact_match: {min: 0.5}}, max_cost: {}}", "per_sample or total"),
        ("", "[NO_POLICY]"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(workbench: Command, policy: str, told: str) -> None:
    project(policy)
    done = gate(workbench)
    assert done.code == 2
    assert told in done.err


def test_all_faults_of_a_policy_are_told_at_once(workbench: Command) -> None:
    project("{metrics: {exact_mach: {min: 0.5}, exact_match: {min: 95}}, slices: {a=b: {f1: {min: 0}}}}")
    assert gate(workbench).err.count("[UNKNOWN_METRIC]") == 2
    assert "[THRESHOLD_RANGE]" in gate(workbench).err


def test_a_policy_without_gate_samples_is_refused(workbench: Command) -> None:
    project(ABSOLUTE, use="dev")
    assert "[NO_SUCH_USE]" in workbench("evalset", "validate").err


def test_a_model_that_answers_nothing_is_inconclusive(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("broken")
    done = gate(workbench)
    assert done.code == 4 and "60 of 60 scores are missing" in done.out


def test_one_sample_has_no_standard_error_and_is_inconclusive(workbench: Command) -> None:
    project(ABSOLUTE)
    samples = Path("evalsets/first/samples.jsonl")
    samples.write_text(samples.read_text().splitlines(keepends=True)[0])
    done = gate(workbench)
    assert done.code == 4 and "one sample has no spread" in done.out


def test_a_waiver_holds_until_its_day_or_its_end_and_is_always_shown(workbench: Command) -> None:
    project("{metrics: {exact_match: {min: 0.5, max: 0.99}}}")
    choose("bad")
    assert gate(workbench).code == 1
    assert workbench("gate", "waive", "first:exact_match.min", "--until", "2999-12-31", "--why", "known").code == 0
    done = gate(workbench, "--json")
    assert done.code == 0
    assert decision(done)["rows"][0]["before_waiver"] == "fail"
    assert decision(done)["waivers"][0]["why"] == "known" and decision(done)["waivers"][0]["who"]
    assert workbench("gate", "unwaive", "first:exact_match.min", "--why", "enough").code == 0
    assert gate(workbench).code == 1
    assert workbench("gate", "unwaive", "first:exact_match.min", "--why", "again").code == 2
    book = Path(".workbench/gates/records.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in book] == ["start", "look", "waive", "look", "unwaive", "look"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["first:exact_match.mn", "--until", "2999-12-31", "--why", "x"], "did you mean 'first:exact_match.min'?"),
        (["first:exact_match.min", "--until", "2020-01-01", "--why", "x"], "this day is over"),
        (["first:exact_match.min", "--until", "2999-02-30", "--why", "x"], "there is no such day"),
        (["first:exact_match.min", "--until", "soon", "--why", "x"], "this is no day"),
        (["first:exact_match.min", "--until", "2999-12-31", "--why", " "], "the reason is empty"),
        (["first:exact_match.min", "--until", "2999-12-31"], "--why"),
        (["first:exact_match.min", "--why", "x"], "--until"),
    ],
)
def test_a_waiver_needs_a_rule_a_day_and_a_reason(workbench: Command, words: list[str], told: str) -> None:
    project(ABSOLUTE)
    done = workbench("gate", "waive", *words)
    assert done.code == 2 and told in done.err


def test_it_is_not_rerun_until_green(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("half")
    first = decision(gate(workbench, "--json"))
    again = decision(gate(workbench, "--json"))
    assert (first["look"], again["look"], again["candidate"]["repeats"]) == (1, 1, 1), "the same runs are the same look"
    second = decision_after_another_run(workbench)
    assert (second["look"], second["alpha"], second["candidate"]["repeats"]) == (2, 0.025, 2)
    third = decision_after_another_run(workbench)
    assert third["decision"] == "inconclusive" and "this would be look 3" in third["reason"]
    assert [look["outcome"] for look in third["looks"]] == ["inconclusive"] * 2
    project(POLICY)
    choose("half")
    assert "this would be look 3" in gate(workbench, "--baseline", "another").out


def test_a_decision_is_recorded_again_when_the_policy_or_the_outcome_is_another(workbench: Command) -> None:
    project(ABSOLUTE)
    assert (gate(workbench).code, gate(workbench).code) == (0, 0)
    project("{metrics: {exact_match: {min: 0.999}}}")
    assert gate(workbench).code == 1
    project(ABSOLUTE)
    softer = gate(workbench)
    assert (
        softer.code == 0 and "with these very runs, before the policy changed" in softer.out and "fail on" in softer.out
    )
    book = [json.loads(line) for line in Path(".workbench/gates/records.jsonl").read_text().splitlines()][1:]
    assert [line["outcome"] for line in book] == ["pass", "fail", "pass"]
    assert book[0]["policy"] == book[2]["policy"] != book[1]["policy"] and book[0]["alpha"] == 0.05
    assert {len(line["runs"]) for line in book} == {1}


def decision_after_another_run(workbench: Command) -> dict:
    assert workbench("eval", "run", "--use", "gate", "--new", "-q").code == 0
    return decision(gate(workbench, "--json"))


def test_a_run_that_was_judged_cannot_be_removed_to_have_another_try(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("half")
    gate(workbench)
    (run,) = Path(".workbench/runs").iterdir()
    run.rename("elsewhere")
    done = gate(workbench)
    assert done.code == 4 and "was judged before and is gone" in done.out


def test_a_named_run_is_judged_in_place_of_the_candidate(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("bad")
    gate(workbench)
    (run,) = (path.name for path in Path(".workbench/runs").iterdir())
    choose("good")
    assert workbench("gate", "--run", run).code == 1
    assert workbench("gate", "--run", run, "--run-missing").code == 2
    assert workbench("gate", "--run", "nothing").code == 3
    project(ABSOLUTE, scorer="{kind: token_f1, name: exact_match}")
    changed = workbench("gate", "--run", run)
    assert changed.code == 4 and "scorer:exact_match changed since" in changed.out


@pytest.mark.parametrize(("use", "words"), [("dev", []), ("gate", ["--limit", "5"])])
def test_only_a_whole_gate_run_may_be_gated_or_promoted(workbench: Command, use: str, words: list[str]) -> None:
    project(ABSOLUTE if use == "gate" else "", use=use)
    assert workbench("eval", "run", "--use", use, "-q", *words).code == 0
    for command in (["gate", "--run", "latest"], ["gate", "promote", "latest", "--why", "x"]):
        done = workbench(*command)
        assert done.code == 2 and "[NOT_A_GATE_RUN]" in done.err


def test_tables_that_were_changed_are_refused_and_what_differs_is_told(workbench: Command) -> None:
    import pyarrow.parquet as pq

    project(ABSOLUTE)
    choose("half")
    gate(workbench)
    (run,) = Path(".workbench/runs").iterdir()
    table = pq.read_table(run / "scores.parquet")
    better = table.set_column(table.column_names.index("value"), "value", [[1.0] * N])
    pq.write_table(better, run / "scores.parquet")
    done = gate(workbench)
    assert done.code == 3 and "scores.parquet: this table is not what the run wrote" in done.err
    assert "exact_match was 0.5000 over 60 samples (0 failed) and is 1.0000" in done.err
    (run / "scores.parquet").unlink()
    gone = gate(workbench)
    assert gone.code == 3 and "[DAMAGED_TABLE]" in gone.err


def test_a_baseline_that_was_changed_with_its_summary_is_found_by_the_look_at_it(workbench: Command) -> None:
    import pyarrow.parquet as pq

    from workbench.evaluation.seals import seals
    from workbench.store.home import RunFolder

    project(POLICY)
    promoted(workbench)
    (old,) = Path(".workbench/runs").iterdir()
    choose("twin")
    assert gate(workbench).code == 0
    table = pq.read_table(old / "scores.parquet")
    worse = table.set_column(table.column_names.index("value"), "value", [[0.0] * N])
    pq.write_table(worse, old / "scores.parquet")
    summary = json.loads((old / "summary.json").read_text())
    (old / "summary.json").write_text(json.dumps({**summary, "tables": seals(RunFolder(old))}))
    done = gate(workbench)
    assert done.code == 4 and f"the tables of run {old.name} are not those that were judged" in done.out


def test_an_unruled_scorer_buys_no_fresh_look_and_a_ruled_one_is_told(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("half")
    assert decision(gate(workbench, "--json"))["look"] == 1
    project(ABSOLUTE, scorer="{kind: exact_match}, {kind: token_f1}")
    choose("half")
    assert decision(gate(workbench, "--json"))["look"] == 1, "nothing was run anew"
    assert decision_after_another_run(workbench)["look"] == 2
    project(ABSOLUTE, scorer="{kind: token_f1, name: exact_match}")
    choose("half")
    changed = decision(gate(workbench, "--json"))
    assert changed["look"] == 3 and "this would be look 3" in changed["reason"]
    assert "before scorer:exact_match changed" in changed["notes"][0]


def test_a_rule_on_a_new_scorer_is_a_second_look_at_the_rescored_answers(workbench: Command) -> None:
    project(ABSOLUTE)
    gate(workbench)
    project(
        "{metrics: {exact_match: {min: 0.5}, token_f1: {min: 0.5}}}", scorer="{kind: exact_match}, {kind: token_f1}"
    )
    assert "there is no finished run" in workbench("gate").out
    assert workbench("eval", "rescore", "latest", "-q").code == 0
    found = decision(workbench("gate", "--json"))
    assert (found["decision"], found["look"], found["alpha"]) == ("pass", 2, 0.025)


def test_what_a_model_failed_to_answer_stays_missing_however_often_it_is_asked(workbench: Command) -> None:
    project("{metrics: {exact_match: {min: 0.5}}, max_missing: 0.2}")
    text = Path("workbench.yaml").read_text()
    Path("workbench.yaml").write_text(text.replace("good: {", "good: {faults: [{kind: refusal, every: 10}], "))
    first = decision(gate(workbench, "--json"))
    failed = first["rows"][0]["n_failed"]
    assert failed > 0
    Path("workbench.yaml").write_text(text.replace("good: {", "good: {faults: [{kind: refusal, every: 10}], "))
    assert workbench("eval", "rescore", "latest", "--retry-failed", "-q").code == 0
    second = decision(gate(workbench, "--json"))
    assert (second["look"], second["rows"][0]["n_failed"]) == (2, failed)
    assert [account["asked_again"] for account in second["reconciliation"]] == [failed]
    assert workbench("eval", "rescore", "latest", "--retry-failed", "-q").code == 0
    third = decision(gate(workbench, "--json"))
    assert third["decision"] == "inconclusive" and "this would be look 3" in third["reason"]


def test_a_baseline_judged_by_another_judge_is_inconclusive_and_both_judges_are_named(workbench: Command) -> None:
    rubric = '---\nname: correct\nversion: "1"\nscale: binary\n---\nPass when the answer is yes.\n'
    project("{metrics: {correct: {margin: 0.3}}}", scorer="{kind: rubric_judge, rubric: r.md, judge: judge}")
    (EVALSET.parent / "r.md").write_text(rubric)
    verdict = '{"evidence": "yes", "reason": "it says so", "verdict": "pass"}'
    replies = json.dumps({f"q{i}": verdict for i in range(N)})

    def judged_by(seconds: float) -> None:
        text = Path("workbench.yaml").read_text().partition("  judge:")[0].partition("candidate:")[0]
        judge = f"  judge: {{kind: scripted, latency: {seconds}, replies: {replies}}}\n"
        Path("workbench.yaml").write_text(f"{text}{judge}candidate: good\n")

    judged_by(0.0)
    promoted(workbench)
    judged_by(0.0001)
    choose("twin")
    done = gate(workbench)
    assert done.code == 4
    assert (
        "the judge 'judge' is another model now than it was for the baseline: latency 0.0 → latency 0.0001" in done.out
    )
    assert "workbench eval rescore" in done.out


def test_a_damaged_book_of_gates_is_bad_data(workbench: Command) -> None:
    project(ABSOLUTE)
    gate(workbench)
    book = Path(".workbench/gates/records.jsonl")
    book.write_text("nonsense\n")
    done = gate(workbench)
    assert done.code == 3 and "records.jsonl:1" in done.err and "[GATE_RECORD]" in done.err


def test_another_process_that_writes_the_book_locks_it(workbench: Command) -> None:
    from workbench.store.lock import owning

    project(ABSOLUTE)
    with owning(Path(".workbench/gates")):
        assert gate(workbench).code == 5


def test_the_decision_is_written_for_people_and_machines(workbench: Command) -> None:
    project(ABSOLUTE)
    files = [Path("d.md"), Path("d.html"), Path("d.xml")]
    gate(workbench, "--markdown", "d.md", "--html", "d.html", "--junit", "d.xml")
    assert all("exact_match" in file.read_text() for file in files)


@pytest.mark.parametrize(
    ("option", "start"), [("--markdown", "#"), ("--html", "<!doctype html>"), ("--junit", "<?xml")]
)
def test_a_report_goes_to_the_standard_output_alone(workbench: Command, option: str, start: str) -> None:
    project(ABSOLUTE)
    gate(workbench)
    done = workbench("gate", option, "-")
    assert done.code == 0 and done.out.lower().startswith(start) and not Path("-").exists()
    assert "(pass, exit code 0)" not in done.out
    assert workbench("gate", option, "-", "--json").code == 2


def test_a_reason_that_is_no_text_and_a_user_without_a_name_are_recorded(
    workbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    def stuck(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("git", 10)

    project(ABSOLUTE)
    monkeypatch.setattr("getpass.getuser", nobody)
    monkeypatch.setattr("subprocess.run", stuck)
    words = ("first:exact_match.min", "--until", "2999-12-31", "--why", "bytes \udcff")
    assert workbench("gate", "waive", *words).code == 0
    (line,) = Path(".workbench/gates/records.jsonl").read_text().splitlines()
    assert json.loads(line)["why"] == "bytes \\udcff" and json.loads(line)["who"].startswith("unknown")


def test_an_unknown_evalset_is_a_usage_fault(workbench: Command) -> None:
    project(ABSOLUTE)
    done = workbench("gate", "frist")
    assert done.code == 2 and "did you mean 'first'?" in done.err


def test_runs_are_compared_and_others_refused(workbench: Command) -> None:
    project(ABSOLUTE)
    for name in ("good", "half", "bad"):
        choose(name)
        gate(workbench)
    good, half, bad = sorted(path.name for path in Path(".workbench/runs").iterdir())
    done = workbench("eval", "compare", good, half)
    assert done.code == 0 and "exact_match: 28 regressions" in done.out and "q30" in done.out
    assert f"workbench eval show {half} --sample q30" in done.out
    assert workbench("eval", "show", half, "--sample", "q30").code == 0
    found = json.loads(workbench("eval", "compare", good, half, bad, "--json").out)["against"]
    assert [c["candidate"]["model"] for c in found] == ["half", "bad"]
    assert {c["metrics"][0]["adjustment"] for c in found} == {"holm"}
    assert workbench("eval", "compare", good).code == 2
    workbench("eval", "run", "--use", "gate", "--limit", "5", "-q")
    refused = workbench("eval", "compare", good, "latest")
    assert refused.code == 3 and "55 only in" in refused.err and "[OTHER_SAMPLES]" in refused.err


def add_samples(more: int, name: str = "first") -> None:
    """Add samples that every model of `project` answers wrongly to an evalset, or to a copy of it."""
    source = Path("evalsets/first")
    folder = Path("evalsets") / name
    folder.mkdir(exist_ok=True)
    rows = (source / "samples.jsonl").read_text()
    names = [f"n{rows.count('n') + i}" for i in range(more)]
    new = [{"id": n, "messages": [{"role": "user", "content": f"new {n}"}], "references": ["-"]} for n in names]
    (folder / "samples.jsonl").write_text(rows + "".join(json.dumps(row) + "\n" for row in new))
    (folder / "evalset.yaml").write_text((source / "evalset.yaml").read_text().replace("name: first", f"name: {name}"))


def test_enlarging_an_evalset_continues_the_series_of_looks(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("half")
    assert decision(gate(workbench, "--json"))["look"] == 1
    add_samples(1)
    second = decision(gate(workbench, "--json"))
    assert (second["look"], second["alpha"]) == (2, 0.025) and "before rows changed" in second["notes"][0]
    add_samples(1)
    third = gate(workbench, "--json")
    assert third.code == 4 and "this would be look 3" in decision(third)["reason"]


def test_a_copy_of_an_evalset_buys_no_fresh_look_unless_both_must_pass(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("half")
    gate(workbench, "first")
    add_samples(3, "copy")
    assert decision(gate(workbench, "copy", "--json"))["look"] == 2
    both = json.loads(gate(workbench, "first", "copy", "--json").out)["gates"]
    assert [made["look"] for made in both] == [1, 1]
    own = Path("evalsets/copy/samples.jsonl")
    own.write_text(own.read_text().replace("question ", "another thing ").replace("new ", "brand new "))
    assert decision(gate(workbench, "copy", "--json"))["look"] == 2, "the name is the same, whatever is asked"


def test_an_evalset_of_new_samples_under_its_own_name_is_a_first_look(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("half")
    gate(workbench, "first")
    add_samples(0, "other")
    own = Path("evalsets/other/samples.jsonl")
    own.write_text(own.read_text().replace("question ", "quite another thing "))
    assert decision(gate(workbench, "other", "--json"))["look"] == 1


def test_a_run_that_is_removed_before_it_was_judged_is_a_look_all_the_same(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("half")
    for number in (2, 3):
        assert workbench("eval", "run", "--use", "gate", "--new", "-q").code == 0
        shutil.rmtree(max(Path(".workbench/runs").iterdir()))
        done = gate(workbench, "--json")
        assert decision(done)["look"] == number and "counts as a look, though it is gone" in done.out
        if number == 2:
            Path(".workbench/gates").rename("kept")
            Path("kept").rename(".workbench/gates")


def test_a_run_from_elsewhere_is_not_used_for_it_may_be_the_best_of_several(workbench: Command) -> None:
    project(ABSOLUTE)
    choose("good")
    assert workbench("eval", "run", "--use", "gate", "-q").code == 0
    shutil.rmtree(".workbench/gates")
    done = workbench("gate")
    assert done.code == 4 and "did not begin in this home" in done.out
    assert decision(gate(workbench, "--json"))["look"] == 1, "a run of this home is made in its place"


def test_a_clock_that_is_set_back_revives_no_waiver(workbench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.cli import gating

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return days[0]

    days = [datetime(2030, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr(gating, "datetime", Clock)
    project("{metrics: {exact_match: {min: 0.5, max: 0.99}}}")
    choose("bad")
    assert workbench("gate", "waive", "first:exact_match.min", "--until", "2030-01-02", "--why", "known").code == 0
    assert gate(workbench).code == 0
    days[0] = datetime(2030, 1, 3, tzinfo=UTC)
    assert gate(workbench).code == 1
    days[0] = datetime(2030, 1, 1, tzinfo=UTC)
    back = gate(workbench)
    assert back.code == 1 and "the clock is behind the last record" in back.out


def test_other_candidates_on_the_same_rows_are_told(workbench: Command) -> None:
    project(ABSOLUTE)
    for name in ("bad", "half", "good"):
        choose(name)
        done = gate(workbench)
    assert "other candidates that were judged on these rows: 2" in done.out
