"""TruLens behind our judge: its own provider's scores on the same replies, nothing lost or paid twice."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.loopback import ANSWER, CONTEXTS, QUESTION, reached, sample, staged
from workbench.datasets import Sample
from workbench.errors import ModelError
from workbench.models import Output
from workbench.records import Message
from workbench.runs import Score, ScoreFailure
from workbench.scoring.trulens import TruLens
from workbench.simulated.endpoint import simulated_endpoint
from workbench.simulated.plan import EndpointFault, Plan, Said

SPLITTING, TRIVIAL = "Split the following statement", "Consider the following list of statements"


def grade(score: Any, evidence: str = "It says so.") -> str:
    return json.dumps({"criteria": "It must hold.", "supporting_evidence": evidence, "score": score})


LIST = Said(containing=(TRIVIAL,), reply="['It was built in 1889.', 'It is red.']")
REPLIES = (
    Said(containing=(SPLITTING,), reply="It was built in 1889.\nIt is red.\nHello!"),
    LIST,
    Said(containing=("1889 for the fair", "It is red."), reply=grade(1)),
    Said(containing=("Painted brown", "EXPERT SEARCH RESULT RATER"), reply=grade(0)),
    Said(containing=("1889 for the fair",), reply=grade(3)),
    Said(containing=("RELEVANCE",), reply=grade(2)),
)
EXPECTED = {"groundedness": (3 + 1) / 6, "context_relevance": 3 / 6, "answer_relevance": 2 / 3}

ALONE = """
import json, sys, warnings
sys.modules["evaluate"] = None  # of no use here, and its import takes most of the time
from trulens.core.feedback.feedback import GroundednessConfigs
from trulens.providers.openai import OpenAI
base_url, question, answer, *passages = sys.argv[1:]
provider = OpenAI(model_engine="simulated", base_url=base_url, api_key="none", rpm=60_000, max_retries=0)
provider._set_capabilities({"responses_api": False, "structured_outputs": False})  # a server of chat completions
split = GroundednessConfigs(use_sent_tokenize=False, filter_trivial_statements=True)
joined = "\\n\\n".join(passages)
each = [provider.context_relevance_with_cot_reasons(question, passage)[0] for passage in passages]
print(json.dumps({
    "groundedness": provider.groundedness_measure_with_cot_reasons(joined, answer, groundedness_configs=split)[0],
    "context_relevance": sum(each) / len(each),
    "answer_relevance": provider.relevance_with_cot_reasons(question, answer)[0],
}))
"""
"""TruLens' own provider on the same inputs; in a process of its own, because it wraps the methods of `openai`."""


def scorer(feedback: str) -> TruLens:
    return TruLens.model_validate({"kind": "trulens", "feedback": feedback, "judge": "j"})


@pytest.mark.long
async def test_a_feedback_function_gives_what_trulens_own_provider_gives_on_the_same_replies(tmp_path: Path) -> None:
    async with staged(tmp_path, Plan(replies=REPLIES)) as stage:
        ours = {name: await scorer(name).score(sample(), Output(text=ANSWER), stage.tools) for name in EXPECTED}
        command = [sys.executable, "-c", ALONE, stage.server.base_url, QUESTION, ANSWER, *CONTEXTS]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout.splitlines()[-1])
    assert {name: score.value for name, score in ours.items() if isinstance(score, Score)} == theirs
    assert theirs == pytest.approx(EXPECTED)
    assert all("It says so." in score.reason for score in ours.values() if isinstance(score, Score))


async def test_what_a_measurement_consumed_is_counted_and_a_second_one_is_served_from_the_cache(tmp_path: Path) -> None:
    grounded = scorer("groundedness")
    async with simulated_endpoint(Plan(replies=REPLIES)) as server:
        async with reached(tmp_path, server) as tools:
            first = await grounded.score(sample(), Output(text=ANSWER), tools)
        assert isinstance(first, Score) and first.usage is not None
        assert server.arrived == first.usage.attempts == 4, "splitting, sorting out, and two statements"
        assert first.usage.input_tokens and first.usage.output_tokens
        cost = (first.usage.input_tokens * 1.0 + first.usage.output_tokens * 2.0) / 1e6
        assert first.usage.cost == pytest.approx(cost)
        async with reached(tmp_path, server) as tools:
            second = await grounded.score(sample(), Output(text=ANSWER), tools)
        assert server.arrived == 4
        assert isinstance(second, Score) and second.usage is not None
        assert (second.value, second.usage.cached, second.usage.attempts) == (first.value, True, 0)


async def test_many_at_once_with_a_tenth_of_the_replies_faulty_all_end_scored_or_failed(tmp_path: Path) -> None:
    kinds = ("500", "reset_mid_body", "truncated_json", "nan_score", "prose_score")
    faults = tuple(EndpointFault(fault=kind, share=0.02) for kind in kinds)
    async with staged(tmp_path, Plan(seed=3, replies=REPLIES, faults=faults)) as stage:
        relevant = scorer("answer_relevance")
        made = (relevant.score(sample(i), Output(text=f"{ANSWER} {i}"), stage.tools) for i in range(1, 201))
        scores = await asyncio.gather(*made)
        struck = sum(1 for line in stage.server.log if line.fault)
    failed = [score for score in scores if isinstance(score, ScoreFailure)]
    assert struck == len(failed) > 10
    assert {failure.kind for failure in failed} == {"judge_failed", "unparsable"}
    assert all(score.value == pytest.approx(2 / 3) for score in scores if isinstance(score, Score))
    assert sum(score.usage.attempts for score in scores if score.usage) == stage.server.arrived


@pytest.mark.parametrize(
    ("containing", "reply", "kind"),
    [
        ("It is red.", grade(9), "out_of_range"),
        ("It is red.", grade(-1), "out_of_range"),
        ("It is red.", grade(None), "unparsable"),
        ("It is red.", "Three out of three.", "unparsable"),
        ("It is red.", "Criteria: c\nSupporting Evidence: e\nScore: none", "unparsable"),
        (TRIVIAL, "[]", "unparsable"),
    ],
)
async def test_no_grade_is_a_failure_and_never_left_out_of_the_mean(tmp_path: Path, containing, reply, kind) -> None:
    told = Said(containing=(containing,) if containing == TRIVIAL else ("1889 for the fair", containing), reply=reply)
    async with staged(tmp_path, Plan(replies=(told, *REPLIES))) as stage:
        got = await scorer("groundedness").score(sample(), Output(text=ANSWER), stage.tools)
    assert isinstance(got, ScoreFailure), got
    assert got.kind == kind
    assert got.usage is not None and got.usage.attempts > 0


async def test_a_call_that_trulens_would_go_on_without_fails_the_measurement(tmp_path: Path) -> None:
    fault = EndpointFault(fault="500", share=1.0, containing=TRIVIAL)
    async with staged(tmp_path, Plan(replies=REPLIES, faults=(fault,))) as stage:
        got = await scorer("groundedness").score(sample(), Output(text=ANSWER), stage.tools)
    assert isinstance(got, ScoreFailure) and got.kind == "judge_failed"


async def test_a_list_of_statements_is_read_and_never_run(tmp_path: Path) -> None:
    told = Said(containing=(TRIVIAL,), reply=f"[open({str(tmp_path / 'run')!r}, 'w').name]")
    async with staged(tmp_path, Plan(replies=(told, *REPLIES))) as stage:
        got = await scorer("groundedness").score(sample(), Output(text=ANSWER), stage.tools)
    assert isinstance(got, Score | ScoreFailure)
    assert not (tmp_path / "run").exists()


async def test_what_concerns_every_sample_is_raised_through_the_threads(tmp_path: Path) -> None:
    async with staged(tmp_path, Plan(faults=(EndpointFault(fault="401", share=1.0),))) as stage:
        with pytest.raises(ModelError):
            await scorer("groundedness").score(sample(), Output(text=ANSWER), stage.tools)


async def test_a_cancelled_measurement_leaves_no_thread_waiting(tmp_path: Path) -> None:
    async with staged(tmp_path, Plan(faults=(EndpointFault(fault="timeout", share=1.0),))) as stage:
        asking = asyncio.create_task(scorer("answer_relevance").score(sample(), Output(text=ANSWER), stage.tools))
        while not stage.server.arrived:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        # Closing the tools, as the block ends, waits for their threads.


async def test_nothing_is_asked_for_a_sample_that_lacks_what_the_function_reads(tmp_path: Path) -> None:
    bare = Sample(id="s", messages=(Message(role="user", content=QUESTION),))
    async with staged(tmp_path, Plan()) as stage:
        for feedback in ("groundedness", "context_relevance"):
            got = await scorer(feedback).score(bare, Output(text=ANSWER), stage.tools)
            assert isinstance(got, ScoreFailure) and got.kind == "not_applicable"
        empty = await scorer("answer_relevance").score(bare, Output(text=" "), stage.tools)
        assert isinstance(empty, ScoreFailure) and empty.kind == "scorer_error"
        assert stage.server.arrived == 0
