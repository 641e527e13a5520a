"""ragas behind our judge: the scores of ragas alone on the same replies, nothing lost, uncounted or paid twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.loopback import ANSWER, QUESTION, reached, sample, staged, vector
from workbench.adapters.ragas_metrics import load
from workbench.datasets import Sample
from workbench.jobs.rehearsing import CLAIM, CLAIMS, Rehearsal
from workbench.models import Output
from workbench.records import Message
from workbench.runs import Score, ScoreFailure
from workbench.scoring.ragas import Ragas
from workbench.simulated.endpoint import simulated_endpoint
from workbench.simulated.plan import EndpointFault, Plan, Said


def verdicts(*values: int) -> str:
    return json.dumps(
        {"statements": [{"statement": f"s{i}", "reason": "r", "verdict": v} for i, v in enumerate(values)]}
    )


def classified(*values: int) -> str:
    return json.dumps({"classifications": [{"statement": "s", "reason": "r", "attributed": v} for v in values]})


REPLIES = (
    Said(containing=("StatementFaithfulnessOutput", "Built in 1889"), reply=verdicts(1, 1)),
    Said(containing=("StatementFaithfulnessOutput",), reply=verdicts(1, 0)),
    Said(containing=("StatementGeneratorOutput",), reply='{"statements": ["It was built in 1889.", "It is red."]}'),
    Said(containing=("NLIStatementOutput", "Painted brown"), reply=verdicts(1, 0)),
    Said(containing=("NLIStatementOutput", "It is red"), reply=verdicts(1, 0)),
    Said(containing=("NLIStatementOutput",), reply=verdicts(1, 1, 0)),
    Said(containing=("ClaimDecompositionOutput",), reply='{"claims": ["It was built in 1889.", "It is red."]}'),
    Said(containing=("AnswerRelevanceOutput",), reply='{"question": "When did they build it?", "noncommittal": 0}'),
    Said(containing=("ContextPrecisionOutput", "Painted brown"), reply='{"reason": "r", "verdict": 0}'),
    Said(containing=("ContextPrecisionOutput",), reply='{"reason": "r", "verdict": 1}'),
    Said(containing=("ContextRecallOutput",), reply=classified(1, 1, 0)),
    Said(containing=("RubricScoreOutput",), reply='{"feedback": "It adds a colour.", "score": 4}'),
)
METRICS: dict[str, dict[str, Any]] = {
    "faithfulness": {},
    "answer_relevancy": {},
    "context_precision": {},
    "context_recall": {},
    "noise_sensitivity": {"passages": "relevant"},
    "factual_correctness": {"of": "f1", "beta": 0.5},
    "semantic_similarity": {},
    "rubrics": {"rubrics": ["bad", "poor", "fair", "good", "best"]},
}


def scorer(metric: str, **settings: Any) -> Ragas:
    judge = {} if metric == "semantic_similarity" else {"judge": "j"}
    return Ragas.model_validate({"kind": "ragas", "metric": metric, **judge, **settings})


async def alone(metric: str, base_url: str) -> float:
    """Return what ragas says by its own client, on the same inputs."""
    metrics = load()
    from openai import AsyncOpenAI
    from ragas.embeddings.base import BaseRagasEmbedding
    from ragas.llms import llm_factory

    class Letters(BaseRagasEmbedding):
        def embed_text(self, text: str, **_: Any) -> list[float]:
            return vector(text)

        async def aembed_text(self, text: str, **_: Any) -> list[float]:
            return vector(text)

    async with AsyncOpenAI(base_url=base_url, api_key="none") as client:
        llm = llm_factory("simulated", client=client)
        words = {f"score{i}_description": text for i, text in enumerate(METRICS["rubrics"]["rubrics"], 1)}
        made = {
            "faithfulness": lambda: metrics.Faithfulness(llm=llm),
            "answer_relevancy": lambda: metrics.AnswerRelevancy(llm=llm, embeddings=Letters()),
            "context_precision": lambda: metrics.ContextPrecision(llm=llm),
            "context_recall": lambda: metrics.ContextRecall(llm=llm),
            "noise_sensitivity": lambda: metrics.NoiseSensitivity(llm=llm, mode="relevant"),
            "factual_correctness": lambda: metrics.FactualCorrectness(llm=llm, mode="f1", beta=0.5),
            "semantic_similarity": lambda: metrics.SemanticSimilarity(embeddings=Letters()),
            "rubrics": lambda: metrics.DomainSpecificRubrics(llm=llm, rubrics=words),
        }[metric]()
        given = scorer(metric, **METRICS[metric]).inputs(sample(), Output(text=ANSWER))
        return float((await made.ascore(**given)).value)


@pytest.mark.filterwarnings("ignore:Exception ignored in.*uuid.json")  # its own client leaves a file open
@pytest.mark.parametrize("metric", METRICS)
async def test_a_metric_gives_what_ragas_gives_by_its_own_client_on_the_same_replies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # where its own client keeps who it is
    async with staged(tmp_path, Plan(replies=REPLIES)) as stage:
        got = await scorer(metric, **METRICS[metric]).score(sample(), Output(text=ANSWER), stage.tools)
        assert isinstance(got, Score), got
        assert got.value == await alone(metric, stage.server.base_url)
        assert 0 < got.value < 5


async def test_what_a_measurement_consumed_is_counted_and_a_second_one_is_served_from_the_cache(tmp_path: Path) -> None:
    relevancy = scorer("answer_relevancy")
    async with simulated_endpoint(Plan(replies=REPLIES)) as server:
        async with reached(tmp_path, server) as tools:
            first = await relevancy.score(sample(), Output(text=ANSWER), tools)
        assert isinstance(first, Score) and first.usage is not None
        assert server.arrived == first.usage.attempts == 3, "a prompt that is put three times is asked three times"
        assert first.usage.input_tokens and first.usage.output_tokens
        cost = (first.usage.input_tokens * 1.0 + first.usage.output_tokens * 2.0) / 1e6
        assert first.usage.cost == pytest.approx(cost)
        async with reached(tmp_path, server) as tools:
            second = await relevancy.score(sample(), Output(text=ANSWER), tools)
        assert isinstance(second, Score) and second.usage is not None
        assert server.arrived == 3
        assert second.value == first.value
        assert second.usage.cached and second.usage.attempts == 0 and second.usage.cost == 0


async def test_with_a_tenth_of_the_replies_faulty_every_sample_is_scored_or_failed_with_its_reason(tmp_path) -> None:
    kinds = ("500", "reset_mid_body", "truncated_json", "nan_score", "prose_score")
    faults = tuple(EndpointFault(fault=kind, share=0.02) for kind in kinds)
    async with staged(tmp_path, Plan(seed=3, replies=REPLIES, faults=faults)) as stage:
        faithful = scorer("faithfulness")
        scores = [await faithful.score(sample(i), Output(text=f"{ANSWER} {i}"), stage.tools) for i in range(1, 101)]
        struck = sum(1 for line in stage.server.log if line.fault)
    failed = [score for score in scores if isinstance(score, ScoreFailure)]
    assert struck == len(failed) > 5, "each fault ends the measurement it strikes"
    assert {failure.kind for failure in failed} == {"judge_failed", "unparsable"}
    assert all(score.value == 0.5 for score in scores if isinstance(score, Score))
    assert sum(score.usage.attempts for score in scores if score.usage) == stage.server.arrived


@pytest.mark.parametrize(
    ("metric", "containing", "reply", "kind"),
    [
        ("faithfulness", "StatementGeneratorOutput", '{"statements": []}', "out_of_range"),
        ("context_recall", "ContextRecallOutput", '{"classifications": []}', "out_of_range"),
        ("context_recall", "ContextRecallOutput", classified(7), "out_of_range"),
        ("rubrics", "RubricScoreOutput", '{"feedback": "", "score": -1}', "out_of_range"),
        ("rubrics", "RubricScoreOutput", '{"feedback": "", "score": null}', "unparsable"),
        ("rubrics", "RubricScoreOutput", "I would say four.", "unparsable"),
        ("noise_sensitivity", "Built in 1889 for the fair", verdicts(1), "scorer_error"),
    ],
)
async def test_nan_and_values_off_the_scale_are_failures(tmp_path: Path, metric, containing, reply, kind) -> None:
    told = (Said(containing=(containing,), reply=reply), *REPLIES)
    if metric == "noise_sensitivity":
        told = (Said(containing=("StatementFaithfulnessOutput", containing), reply=reply), *REPLIES)
    async with staged(tmp_path, Plan(replies=told)) as stage:
        got = await scorer(metric).score(sample(), Output(text=ANSWER), stage.tools)
    assert isinstance(got, ScoreFailure), got
    assert got.kind == kind
    assert got.usage is not None and got.usage.attempts > 0


async def test_nothing_is_loaded_or_asked_for_a_sample_that_lacks_what_the_metric_reads(tmp_path: Path) -> None:
    bare = Sample(id="s", messages=(Message(role="user", content=QUESTION),))
    async with staged(tmp_path, Plan()) as stage:
        for metric in ("faithfulness", "context_recall", "factual_correctness"):
            got = await scorer(metric).score(bare, Output(text=ANSWER), stage.tools)
            assert isinstance(got, ScoreFailure) and got.kind == "not_applicable"
        empty = await scorer("faithfulness").score(sample(), Output(text=" "), stage.tools)
        assert isinstance(empty, ScoreFailure) and empty.kind == "scorer_error"
        assert stage.server.arrived == 0


async def test_what_it_would_ask_is_known_beforehand_and_calls_nobody() -> None:
    tools = Rehearsal()
    score = await scorer("faithfulness").score(sample(), Output(text="It stands."), tools)
    assert isinstance(score, Score) and [judge for judge, _ in tools.asked] == ["j", "j"]
    assert tools.asked[1][1].messages[0].content.count(CLAIM) >= CLAIMS, "the second call is about the claims found"
    tools.asked.clear()
    await scorer("answer_relevancy", questions=4).score(sample(), Output(text="It stands."), tools)
    assert len(tools.asked) == 4
