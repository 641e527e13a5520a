"""A user's pipeline behind HTTP: what goes out, what comes back, and that every rule of endpoints holds for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from workbench.adapters.own_pipeline.http import at, put
from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import load_workbench
from workbench.errors import ConfigError, IncompleteRun, ModelError
from workbench.jobs.opening import open_models
from workbench.models import Model, Output, OutputFailure, Request
from workbench.records import Message

Answer = Callable[[int, dict[str, Any]], web.Response]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Serve a pipeline; yield its address and what it was asked."""
    asked: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.Response:
        body = await request.json() if request.method == "POST" else dict(request.query)
        asked.append({"body": body, "key": request.headers.get("Authorization")})
        return answer(len(asked), body)

    app = web.Application()
    app.router.add_route("*", "/ask", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/ask", asked
    finally:
        await runner.cleanup()


@asynccontextmanager
async def opened(folder: Path, url: str, more: str = "", budget: float | None = None) -> AsyncIterator[Model]:
    (folder / "workbench.yaml").write_text(
        f"models:\n  p: {{kind: http, url: '{url}', limits: {{attempts: 3, backoff: 0.001, timeout: 1}}{more}}}\n"
        "candidate: p\n"
    )
    async with open_models(load_workbench(folder / "workbench.yaml"), ["p"], Budget(budget), print) as tools:
        yield tools.models["p"]


def ask(text: str = "Be brief.\nQuestion: Why?") -> Request:
    return Request(messages=(Message(role="system", content="s"), Message(role="user", content=text)), sample_id="s")


def reply(**fields: Any) -> web.Response:
    return web.json_response(fields)


CONTEXTS = [{"id": "a#1", "text": "Because.", "score": 0.5}, "plain"]


async def test_question_and_conversation_go_where_they_belong_and_passages_come_back(tmp_path: Path) -> None:
    def answer(_: int, body: dict[str, Any]) -> web.Response:
        return reply(data={"text": "Because.", "chunks": [{"meta": {"n": 7}, "body": "So it is.", "near": 1}]})

    more = (
        ", question: input.query, messages: input.history, fixed: {top_k: 3}, question_after: 'Question:', "
        "answer: data.text, contexts: data.chunks, context_text: body, context_id: meta.n, context_score: near"
    )
    async with served(answer) as (url, asked), opened(tmp_path, url, more) as model:
        said = await model.generate(ask())
    assert isinstance(said, Output) and said.text == "Because."
    assert [(p.id, p.text, p.score) for p in said.contexts] == [("7", "So it is.", 1.0)]
    history = [{"role": "system", "content": "s"}, {"role": "user", "content": "Be brief.\nQuestion: Why?"}]
    assert asked[0]["body"] == {"top_k": 3, "input": {"query": "Why?", "history": history}}


async def test_answers_are_kept_with_their_passages_and_faults_are_asked_again(tmp_path: Path) -> None:
    def answer(number: int, body: dict[str, Any]) -> web.Response:
        return web.Response(status=503) if number < 3 else reply(answer="Because.", contexts=CONTEXTS)

    async with served(answer) as (url, asked):
        async with opened(tmp_path, url) as model:
            first = await model.generate(ask())
        async with opened(tmp_path, url) as model:
            again = await model.generate(ask())
    assert len(asked) == 3
    assert isinstance(first, Output) and isinstance(again, Output) and again.usage.cached and first.usage.attempts == 3
    assert again.contexts == first.contexts and [p.id for p in first.contexts] == ["a#1", "#2"]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"contexts": []}, "malformed"),
        ({"answer": 7, "contexts": []}, "malformed"),
        ({"answer": "x"}, "malformed"),
        ({"answer": "x", "contexts": [{"words": "y"}]}, "malformed"),
        ({"answer": "x", "contexts": ["y"] * 1001}, "malformed"),
        ({"answer": "", "contexts": []}, "empty"),
        ({"error": {"message": "no index"}}, "server_error"),
    ],
)
async def test_a_reply_that_is_no_answer_is_a_failure_with_its_kind(
    tmp_path: Path, fields: dict[str, Any], kind: str
) -> None:
    async with served(lambda *_: reply(**fields)) as (url, _), opened(tmp_path, url) as model:
        said = await model.generate(ask())
    assert isinstance(said, OutputFailure) and said.kind == kind


async def test_a_get_request_puts_the_fields_into_the_address(tmp_path: Path) -> None:
    more = ", method: GET, contexts: null, fixed: {lang: en}"
    async with served(lambda *_: reply(answer="yes")) as (url, asked), opened(tmp_path, url, more) as model:
        said = await model.generate(ask("A & B?"))
    assert isinstance(said, Output) and asked[0]["body"] == {"lang": "en", "question": "A & B?"}


async def test_the_key_is_sent_and_never_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_KEY", "sk-secret-123456")
    leak = [{"id": "a", "text": "the key is sk-secret-123456"}]
    more = ", api_key_env: PIPELINE_KEY"
    async with (
        served(lambda *_: reply(answer="x", contexts=leak)) as (url, asked),
        opened(tmp_path, url, more) as model,
    ):
        said = await model.generate(ask())
    assert asked[0]["key"] == "Bearer sk-secret-123456"
    assert isinstance(said, OutputFailure) and "secret" not in said.model_dump_json()


async def test_a_budget_ends_the_run_and_costs_are_counted_where_tokens_are(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 500_000, "completion_tokens": 0}
    more = ", price: {input: 1.0, output: 1.0}"
    plain = served(lambda *_: reply(answer="x", contexts=[], usage=usage))
    async with plain as (url, _), opened(tmp_path, url, more, budget=0.4) as model:
        said = await model.generate(ask())
        assert isinstance(said, Output) and said.usage.cost == 0.5
        with pytest.raises(IncompleteRun):
            await model.generate(ask("another"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://u:p@host/ask", "http://host/ask?key=1", "http://ho st/"])
def test_addresses_that_endpoints_refuse_are_refused(tmp_path: Path, url: str) -> None:
    (tmp_path / "workbench.yaml").write_text(f"models:\n  p: {{kind: http, url: '{url}'}}\ncandidate: p\n")
    with pytest.raises(ConfigError) as caught:
        load_workbench(tmp_path / "workbench.yaml")
    assert caught.value.problems[0].field == "models.p.url" and "u:p" not in str(caught.value)


async def test_redirects_and_missing_pages_end_the_run(tmp_path: Path) -> None:
    moved = web.Response(status=302, headers={"Location": "http://169.254.169.254/"})
    for response in (moved, web.Response(status=404)):
        async with served(lambda *_, r=response: r) as (url, _), opened(tmp_path, url) as model:
            with pytest.raises(ModelError):
                await model.generate(ask(str(response.status)))


def test_paths_reach_into_objects_and_lists() -> None:
    assert put({"a": {"b": 1}, "c": 2}, "a.d.e", 3) == {"a": {"b": 1, "d": {"e": 3}}, "c": 2}
    assert at({"a": [{"b": 1}]}, "a.0.b") == 1
    assert at({"a": [{"b": 1}]}, "a.1.b") is None and at({"a": "b"}, "a.b") is None
