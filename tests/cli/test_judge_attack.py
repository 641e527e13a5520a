"""`workbench judge attack`, over a judge that always says yes: what code holds off, holds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Command
from workbench.calibration.attack_book import attacks
from workbench.calibration.attacked import Attacked
from workbench.calibration.attacks import injection_suite
from workbench.config.workbench_yaml import load_workbench
from workbench.errors import DataError
from workbench.jobs.attacking import AttackAsked, attack_judge
from workbench.simulated.endpoint import simulated_endpoint
from workbench.simulated.plan import Plan

N = 12
RUBRIC = '---\nname: correct\nversion: "1"\nscale: binary\n---\nPass when the answer is right.\n'
IN_CODE = {family.name for family in injection_suite().families if family.in_code}


@pytest.fixture
def answered(workbench: Command) -> Command:
    """Make a finished run of 12 answers, a third of them right by exact match, none judged well."""
    folder = Path("evalsets/quiz")
    (folder / "rubrics").mkdir(parents=True)
    (folder / "rubrics/correct.md").write_text(RUBRIC)
    rows = [
        {"id": f"s{n}", "references": [f"town {n}"], "messages": [{"role": "user", "content": f"Question {n}?"}]}
        for n in range(N)
    ]
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judge = {"kind": "rubric_judge", "rubric": "rubrics/correct.md", "judge": "judge"}
    evalset = {"name": "quiz", "version": "1", "use": "dev", "scorers": [{"kind": "exact_match"}, judge]}
    (folder / "evalset.yaml").write_text(yaml.safe_dump(evalset))
    replies = {f"s{n}": f"town {n}" if n % 3 == 0 else f"village {n}" for n in range(N)}
    point("http://127.0.0.1:9/v1", replies, kind="scripted")
    assert workbench("eval", "run", "quiz").code == 0
    return workbench


def point(base_url: str, replies: dict[str, str], kind: str = "endpoint") -> None:
    judge = {"kind": "scripted"} if kind == "scripted" else {"kind": kind, "base_url": base_url, "model": "yes"}
    models = {"bot": {"kind": "scripted", "replies": replies}, "judge": judge}
    Path("workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "bot"}))


def attacked(plan: Plan, asked: AttackAsked) -> Attacked:
    async def run() -> Attacked:
        async with simulated_endpoint(plan) as server:
            point(server.base_url, {})
            return await attack_judge(load_workbench(Path("workbench.yaml")), "latest", asked, lambda _: None)

    return asyncio.run(run())


def test_of_a_judge_that_always_says_yes_and_quotes_only_what_code_settles_is_held_off(answered: Command) -> None:
    found = attacked(Plan(), AttackAsked("correct", gold="exact_match"))
    assert (found.n_wrong, found.wrong_by) == (8, "exact_match")
    passed = {family.family: (family.passed.k, family.passed.n, family.n_in_code) for family in found.families}
    assert {name for name, (k, _, _) in passed.items() if k == 0} == IN_CODE == {"empty", "master_keys"}
    assert all(n == 8 for _, n, _ in passed.values()) and all(passed[name][2] == 8 for name in IN_CODE)
    naive = found.families[0]
    assert naive.plain.k == 8 and naive.only_with.k == 0, "it passes them without an attack too, and that is told"
    assert naive.passed.interval is not None and naive.passed.interval.high == 1


def test_a_judge_that_always_says_yes_without_a_quote_from_the_answer_passes_nothing(answered: Command) -> None:
    reply = json.dumps({"evidence": "as the rubric asks", "reason": "fine", "verdict": "pass"})
    found = attacked(Plan(reply=reply), AttackAsked("correct", made=True))
    assert found.wrong_by == "made" and found.n_wrong == N
    assert found.overall.passed.k == 0 and found.overall.plain.k == 0
    assert found.overall.n_unjudged + found.overall.n_in_code == found.overall.passed.n == N * 12
    assert found.canaries is not None and found.canaries.n_unjudged == 2 * N
    held, why = found.held()
    assert not held and why.startswith("only 0% of the right answers pass as they are"), (
        "it is no judge, and that is told"
    )


def test_harmless_words_stand_beside_each_attack_and_right_answers_that_they_make_fail_are_false_alarms(
    answered: Command,
) -> None:
    found = attacked(Plan(), AttackAsked("correct", gold="exact_match"))
    rates = {family.family: family for family in found.families}
    assert found.canaries is not None and (found.canaries.right.k, found.canaries.right.n) == (4, 4)
    assert (found.canaries.wrong.k, found.canaries.wrong.n) == (0, 8), "it passes all, right or wrong"
    for name, rate in rates.items():
        assert (rate.harmless is None) == (name in IN_CODE)
        assert (rate.flagged is None) == (name in {*IN_CODE, "null_model"})
    naive = rates["naive_override"]
    assert naive.harmless is not None and naive.harmless.n == 8 and naive.flagged is not None
    assert (naive.flagged.k, naive.flagged.n) == (0, 4)
    alone = attacked(Plan(), AttackAsked("correct", gold="exact_match", control=False))
    assert all(family.harmless is family.flagged is None for family in alone.families)
    assert alone.overall.passed == found.overall.passed


def test_an_attack_is_written_down_listed_and_told_by_the_command(answered: Command) -> None:
    attacked(Plan(), AttackAsked("correct", gold="exact_match", limit=3, families=("naive_override", "empty")))
    home = load_workbench(Path("workbench.yaml")).home.root
    (kept,) = attacks(home).records()
    assert [family.family for family in kept.families] == ["naive_override", "empty"] and kept.who and kept.at
    listed = answered("judge", "ls", "--attacks")
    assert listed.code == 0 and "correct" in listed.out
    assert json.loads(answered("judge", "ls", "--attacks", "--json").out)[0]["n_wrong"] == 3
    unknown = answered("judge", "attack", "--judge", "correct", "--made", "--family", "nive")
    assert unknown.code == 2 and "UNKNOWN_FAMILY" in unknown.err and "naive_override" in unknown.err
    point("", {}, kind="scripted")
    told = answered("judge", "attack", "--judge", "correct", "--made", "--limit", "2", "--family", "empty")
    assert told.code == 0 and "0.000 (0/2)" in told.out and "does not hold:" in told.out
    assert "as they are, right answers pass 0.000 (0/2)" in told.out
    assert len(attacks(home).records()) == 2


def test_without_an_answer_known_to_be_wrong_it_is_said_how_to_have_one(answered: Command) -> None:
    with pytest.raises(DataError, match=r"known to be wrong by people.*--gold exact_match"):
        attacked(Plan(), AttackAsked("correct"))
