"""A pipeline as a model: what it searches for, puts before the generator, and carries in its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from pydantic import ValidationError

from workbench.adapters.scripted import ScriptedModel
from workbench.models import Fault, Output, OutputFailure, RagSpec, Request, ScriptedSpec
from workbench.rag.fusing import fused
from workbench.rag.pipeline import Found, RagPipeline, searched_for
from workbench.records import Message


def chunk(id: str, score: float = 1.0, place: int = 0) -> Found:
    return Found(id=id, document=id.partition("#")[0], place=place, text=f"text of {id}", score=score)


class Told:
    """An index that finds what it is told to, and remembers what was asked."""

    def __init__(self, *found: Found, near: float = 0.0) -> None:
        self.found, self.near = found, near
        self.asked: list[tuple[str, str, int]] = []

    async def search(self, query: str, how: str, k: int, where: Mapping[str, str]) -> Sequence[Found]:
        self.asked.append((query, how, k))
        return self.found[:k]

    async def nearness(self, query: str) -> float:
        return self.near


class Backwards:
    """A reranker that turns the order round."""

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        return [float(n) for n in range(len(texts))]


def request(text: str = "Question: Why?") -> Request:
    system, before = Message(role="system", content="old"), Message(role="assistant", content="earlier")
    return Request(messages=(system, before, Message(role="user", content=text)), sample_id="s")


def pipeline(*indexes: Told, generator: ScriptedSpec | None = None, rerank: bool = False, **settings) -> RagPipeline:
    spec = RagSpec(kind="rag", index=("i",), generator="g", **settings)
    model = ScriptedModel(generator or ScriptedSpec(kind="scripted"))
    return RagPipeline(spec, indexes, model, Backwards() if rerank else None)


def test_the_answer_carries_the_passages_and_the_prompt_holds_them_numbered() -> None:
    index = Told(chunk("a#1", 0.9), chunk("b#1", 0.5))
    answer = asyncio.run(pipeline(index, top_k=2).generate(request("Be brief.\nQuestion: Why?")))
    assert isinstance(answer, Output)
    assert answer.text == "[1] text of a#1\n[2] text of b#1\n\nBe brief.\nQuestion: Why?"
    assert [(p.id, p.score) for p in answer.contexts] == [("a#1", 0.9), ("b#1", 0.5)]
    assert index.asked == [("Why?", "hybrid", 2)]


def test_the_pipelines_system_prompt_replaces_the_samples_and_earlier_turns_stay() -> None:
    made = pipeline(Told(), system="new")
    messages = made.messages(request(), [])
    assert [(m.role, m.content) for m in messages][:2] == [("system", "new"), ("assistant", "earlier")]
    assert messages[-1].content == "(no passages)\n\nQuestion: Why?"


def test_a_passage_that_looks_like_the_template_is_not_filled_in() -> None:
    hostile = chunk("a#1").model_copy(update={"text": "{question} {passages}"})
    assert pipeline(Told()).messages(request("?"), [hostile])[-1].content == "[1] {question} {passages}\n\n?"


def test_passages_may_stand_as_in_their_documents_and_be_ordered_anew_by_a_reranker() -> None:
    index = Told(chunk("a#3", 0.9, 2), chunk("b#1", 0.8, 0), chunk("a#1", 0.7, 0))
    in_order = asyncio.run(pipeline(index, top_k=3, order="document").retrieve("q"))
    assert [c.id for c in in_order] == ["a#1", "a#3", "b#1"]
    again = asyncio.run(pipeline(index, top_k=2, rerank=True, rerank_from=3).retrieve("q"))
    assert [c.id for c in again] == ["a#1", "b#1"] and index.asked[-1][2] == 3


def test_several_indexes_are_fused_by_rank_or_the_nearest_is_searched_alone() -> None:
    left, right = Told(chunk("a#1"), chunk("a#2"), near=0.1), Told(chunk("b#1"), chunk("a#1"), near=0.9)
    both = asyncio.run(pipeline(left, right, top_k=4).retrieve("q"))
    assert [c.id for c in both] == ["a#1", "b#1", "a#2"]
    assert both[0].score == pytest.approx(1 / 61 + 1 / 62)
    one = asyncio.run(pipeline(left, right, route="nearest").retrieve("q"))
    assert [c.id for c in one] == ["b#1", "a#1"] and len(left.asked) == 1


def test_the_generators_failure_is_the_pipelines() -> None:
    broken = ScriptedSpec(kind="scripted", faults=(Fault(kind="timeout"),))
    assert isinstance(asyncio.run(pipeline(Told(), generator=broken).generate(request())), OutputFailure)


def test_only_what_follows_the_mark_is_searched_for() -> None:
    assert searched_for("Question: a Question: b", "Question:") == "b"
    assert searched_for("no mark", "Question:") == "no mark" == searched_for("no mark", "")


def test_a_prompt_without_passages_or_question_is_refused() -> None:
    with pytest.raises(ValidationError, match="must hold"):
        pipeline(Told(), prompt="{question}")


def test_nothing_fused_is_nothing() -> None:
    assert fused([[], []]) == []
