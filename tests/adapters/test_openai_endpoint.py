"""The endpoint client against the simulated endpoint, over real HTTP."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from workbench.adapters.openai_endpoint import PROBES, OpenAIEndpoint
from workbench.calling.budget import Budget
from workbench.errors import ConfigError, IncompleteRun, ModelError
from workbench.models import EndpointSpec, Limits, Model, Output, OutputFailure, Price, Request, Sampling
from workbench.records import Message
from workbench.simulated.endpoint import simulated_endpoint
from workbench.simulated.plan import EndpointFault, Plan
from workbench.store.cache import ResponseCache

Opener = Callable[..., OpenAIEndpoint]
QUICK = Limits(concurrency=16, attempts=4, timeout=5, total_timeout=20, backoff=0.001, max_backoff=0.002)
ENDPOINT = EndpointSpec(kind="endpoint", base_url="http://127.0.0.1:9/v1", model="simulated", limits=QUICK)


def ask(text: str = "Where is it?", repeat: int = 0, schema: dict[str, Any] | None = None) -> Request:
    return Request(messages=(Message(role="user", content=text),), sample_id="s", repeat=repeat, json_schema=schema)


def at(url: str, **changes: Any) -> EndpointSpec:
    return EndpointSpec.model_validate({**ENDPOINT.model_dump(), "base_url": url, **changes})


def always(fault: str, **more: Any) -> Plan:
    return Plan.model_validate({"faults": [{"fault": fault, "share": 1.0, **more}]})


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.seconds

    def date(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


async def test_an_answer_carries_text_model_tokens_cost_and_latency(opened: Opener) -> None:
    async with simulated_endpoint() as server:
        model = opened(at(server.base_url, price=Price(input=1e6, output=2e6)))
        output = await model.generate(ask())
    assert isinstance(model, Model)
    assert isinstance(output, Output)
    assert output.text.startswith("Simulated answer")
    assert (output.model, output.finish_reason) == ("simulated", "stop")
    usage = output.usage
    assert usage.input_tokens is not None and usage.output_tokens is not None and usage.latency is not None
    assert usage.cost == usage.charged == usage.input_tokens + 2 * usage.output_tokens
    assert (usage.attempts, usage.cached) == (1, False)


async def test_without_a_price_the_cost_is_unknown_and_not_zero(opened: Opener) -> None:
    async with simulated_endpoint() as server:
        output = await opened(at(server.base_url)).generate(ask())
    assert output.usage.cost is None


async def test_latency_leaves_out_the_waits_between_attempts(opened: Opener) -> None:
    clock = FakeClock()
    async with simulated_endpoint(Plan(faults=(EndpointFault(fault="503", times=2, retry_after="5"),))) as server:
        output = await opened(at(server.base_url), clock=clock).generate(ask())
    assert isinstance(output, Output)
    assert sum(clock.slept) >= 10
    assert output.usage.latency == 0


async def test_with_a_budget_a_price_is_demanded() -> None:
    with pytest.raises(ConfigError, match="a budget needs the price"):
        OpenAIEndpoint(ENDPOINT, None, Budget(1.0), "")


async def test_a_shared_budget_stops_candidate_and_judge_within_one_batch_in_flight(opened: Opener) -> None:
    budget = Budget(10.0)
    async with simulated_endpoint(Plan(latency_ms=5)) as server:
        spec = at(server.base_url, price=Price(input=0, output=1e6 / 7))  # each answer has 7 tokens: it costs 1
        candidate, judge = opened(spec, budget=budget), opened(spec, budget=budget)
        calls = [(candidate if i % 2 else judge).generate(ask(f"question {i}")) for i in range(100)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    stopped = [o for o in outcomes if isinstance(o, IncompleteRun)]
    assert len(stopped) + sum(isinstance(o, Output) for o in outcomes) == 100
    assert "the budget of 10 is spent" in str(stopped[0])
    assert 10 <= server.arrived <= 10 + 2 * QUICK.concurrency
    assert budget.spent == pytest.approx(server.arrived)


async def test_a_server_that_counts_no_tokens_is_charged_to_the_budget_at_the_most(opened: Opener) -> None:
    from aiohttp import web

    async def chat(received: web.Request) -> web.Response:
        return web.json_response({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]})

    budget = Budget(2000.0)
    async with serving(chat) as url:
        model = opened(at(url, price=Price(input=0, output=1e6)), budget=budget)  # at most 1,024 tokens at 1 each
        for _ in range(2):
            output = await model.generate(ask())
            assert isinstance(output, Output)
            assert (output.usage.cost, output.usage.charged) == (None, 1024)
        with pytest.raises(IncompleteRun):
            await model.generate(ask())
    assert budget.spent == 2048


async def test_a_failure_says_what_the_budget_was_charged_for_it(opened: Opener) -> None:
    budget = Budget(100_000.0)
    async with simulated_endpoint(always("empty_choices")) as server:
        model = opened(at(server.base_url, price=Price(input=0, output=1e6)), budget=budget)
        failure = await model.generate(ask())
    assert isinstance(failure, OutputFailure)
    assert failure.usage.attempts == QUICK.attempts
    assert failure.usage.charged == budget.spent > 0


async def test_a_token_count_that_no_table_can_hold_is_unknown(opened: Opener) -> None:
    from aiohttp import web

    async def chat(received: web.Request) -> web.Response:
        usage = {"prompt_tokens": 18446744073709551615, "completion_tokens": 3}
        return web.json_response(
            {"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}], "usage": usage}
        )

    async with serving(chat) as url:
        output = await opened(at(url)).generate(ask())
    assert isinstance(output, Output) and (output.usage.input_tokens, output.usage.output_tokens) == (None, None)


# ---------------------------------------------------------------- what is sent


async def sent(spec: EndpointSpec, request: Request, opened: Opener) -> tuple[dict[str, Any], dict[str, str]]:
    """Return body and headers of a request as a server receives them."""
    from aiohttp import web

    seen: list[Any] = []

    async def chat(received: web.Request) -> web.Response:
        seen.extend((await received.json(), {k.lower(): v for k, v in received.headers.items()}))
        choice = {"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "model": "simulated"})

    async with serving(chat) as url:
        await opened(spec.model_copy(update={"base_url": url})).generate(request)
    return seen[0], seen[1]


def serving(handler: Any) -> Any:
    """Serve one handler at /v1/chat/completions on the loopback interface."""
    from contextlib import asynccontextmanager

    from aiohttp import web

    @asynccontextmanager
    async def run() -> Any:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()

    return run()


async def test_temperature_and_seed_are_explicit_and_a_repeat_moves_the_seed(opened: Opener) -> None:
    body, _ = await sent(at("http://x/v1", sampling=Sampling(seed=7)), ask(repeat=3), opened)
    assert body["temperature"] == 0.0
    assert body["seed"] == 10
    assert body["max_tokens"] == 1024
    assert "response_format" not in body and "top_p" not in body


async def test_what_is_declared_null_is_left_out_and_the_token_limit_takes_the_servers_name(opened: Opener) -> None:
    sampling = Sampling(temperature=None, seed=None, max_tokens_field="max_completion_tokens", max_tokens=5, top_p=0.5)
    body, _ = await sent(at("http://x/v1", sampling=sampling), ask(), opened)
    assert body.keys() == {"model", "messages", "max_completion_tokens", "top_p"}


@pytest.mark.parametrize("own", [False, True])
async def test_the_system_prompt_is_put_first_unless_the_sample_brings_its_own(own: bool, opened: Opener) -> None:
    messages = (Message(role="system", content="mine"),) if own else ()
    request = Request(messages=(*messages, Message(role="user", content="q")), sample_id="s")
    body, _ = await sent(at("http://x/v1", system="theirs"), request, opened)
    assert [m["content"] for m in body["messages"]] == (["mine", "q"] if own else ["theirs", "q"])


@pytest.mark.parametrize("form", ["json_schema", "json_object", "none"])
async def test_the_schema_is_sent_in_the_declared_form(form: str, opened: Opener) -> None:
    schema = {"type": "object", "properties": {}}
    body, _ = await sent(at("http://x/v1", structured=form), ask(schema=schema), opened)
    expected = {
        "json_schema": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}},
        "json_object": {"type": "json_object"},
        "none": None,
    }
    assert body.get("response_format") == expected[form]


async def test_the_key_is_sent_and_nothing_that_describes_this_machine(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-abcdefghijklmnop")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-elsewhere")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere.invalid/v1")
    _, headers = await sent(at("http://x/v1", api_key_env="MY_KEY"), ask(), opened)
    assert headers["authorization"] == "Bearer sk-abcdefghijklmnop"
    assert not any("org" in name or name.split("-")[-1] == "os" or "arch" in name for name in headers)


async def test_a_lone_surrogate_goes_out_and_comes_back_escaped(opened: Opener) -> None:
    from aiohttp import web

    async def chat(received: web.Request) -> web.Response:
        await received.read()
        raw = b'{"choices": [{"message": {"content": "half a pair: \\ud83d"}, "finish_reason": "stop"}]}'
        return web.Response(body=raw, content_type="application/json")

    async with serving(chat) as url:
        output = await opened(at(url)).generate(ask("broken \ud83d"))
    assert isinstance(output, Output)
    assert output.text == "half a pair: \\ud83d"
    output.model_dump_json()


async def test_a_compressed_answer_is_read(opened: Opener) -> None:
    from aiohttp import web

    async def chat(received: web.Request) -> web.Response:
        response = web.json_response({"choices": [{"message": {"content": "unpacked"}, "finish_reason": "stop"}]})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with serving(chat) as url:
        output = await opened(at(url)).generate(ask())
    assert isinstance(output, Output) and output.text == "unpacked"


# ---------------------------------------------------------------- what stops the whole run (rows 68 to 74)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "127.0.0.1:8000/v1",
            "base_url: is not an http or https address (got 127.0.0.1:8000/v1); begin it with http://",
        ),
        ("localhost/v1", "begin it with http://"),
        ("file:///etc/passwd", "is not an http or https address"),
        ("gopher://host/v1", "is not an http or https address"),
        ("https://", "is not an http or https address"),
        ("http://[::1/v1", "is not an http or https address"),
        ("http://host:abc/v1", "has a port that is no number from 1 to 65535 (got http://host:abc/v1); write it as in"),
        ("http://127.0.0.1:99999/v1", "has a port that is no number from 1 to 65535"),
        ("http://./v1", "has a host that is neither a name nor an IP address (got http://./v1)"),
    ],
)
def test_row_68_an_address_that_cannot_be_called_is_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        OpenAIEndpoint(at(url), None, None, "")
    assert words in str(caught.value)


@pytest.mark.parametrize("url", ["https://me:hunter22@host/v1", "https://host/v1?key=hunter22"])
def test_an_address_that_holds_a_secret_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        OpenAIEndpoint(at(url), None, None, "")
    assert "hunter22" not in str(caught.value)
    assert "api_key_env" in str(caught.value)


async def test_row_69_a_404_asks_whether_the_address_ends_in_v1(opened: Opener) -> None:
    async with simulated_endpoint() as server:
        with pytest.raises(ModelError, match="does base_url end in /v1"):
            await opened(at(server.base_url.removesuffix("/v1"))).generate(ask())


async def test_row_70_a_web_page_from_a_server_that_never_answered_stops_the_run(opened: Opener) -> None:
    async with simulated_endpoint(always("html_200")) as server:
        with pytest.raises(ModelError, match="a web page answers there, perhaps a sign-in page"):
            await opened(at(server.base_url)).generate(ask())
    assert len(server.log) == PROBES


async def test_row_70_a_web_page_from_a_server_that_has_answered_fails_one_sample(opened: Opener) -> None:
    plan = Plan(faults=(EndpointFault(fault="html_200", share=1.0, containing="unlucky"),))
    async with simulated_endpoint(plan) as server:
        model = opened(at(server.base_url))
        assert isinstance(await model.generate(ask("lucky")), Output)
        failure = await model.generate(ask("unlucky"))
    assert isinstance(failure, OutputFailure)
    assert (failure.kind, failure.usage.attempts) == ("malformed", QUICK.attempts)


async def test_row_71_an_untrusted_certificate_stops_the_run(opened: Opener, tmp_path: Path) -> None:
    import ssl

    from aiohttp import web

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
                "-keyout",
            ],
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    with pytest.raises(ModelError, match="certificates are always checked"):
        await opened(at(f"https://127.0.0.1:{runner.addresses[0][1]}/v1")).generate(ask())
    await runner.cleanup()


async def refused_with(status: int, error: dict[str, Any], opened: Opener, **changes: Any) -> Any:
    """Return the outcome of a request that a server refuses in these words, and assert that it was sent once."""
    from aiohttp import web

    calls = []

    async def chat(received: web.Request) -> web.Response:
        calls.append(await received.read())
        return web.json_response({"error": error}, status=status)

    async with serving(chat) as url:
        try:
            return await opened(at(url, **changes)).generate(ask())
        finally:
            assert len(calls) == 1


async def test_row_72_an_unknown_model_stops_the_run(opened: Opener) -> None:
    error = {"message": "The model `simulated` does not exist", "code": "model_not_found"}
    with pytest.raises(ModelError, match="the server does not know the model 'simulated'"):
        await refused_with(404, error, opened)


async def test_row_73_another_model_than_asked_for_is_a_failure_unless_declared(opened: Opener) -> None:
    async with simulated_endpoint(always("wrong_model")) as server:
        failure = await opened(at(server.base_url)).generate(ask())
        output = await opened(at(server.base_url, check_model=False)).generate(ask())
    assert isinstance(failure, OutputFailure) and isinstance(output, Output)
    assert failure.kind == "wrong_model"
    assert "asked for 'simulated', answered by 'simulated-other-model'" in failure.message


async def test_row_74_a_refused_temperature_stops_the_run_and_says_what_to_declare(opened: Opener) -> None:
    error = {
        "message": "Unsupported value: 'temperature' does not support 0.0 with this model.",
        "param": "temperature",
        "code": "unsupported_value",
    }
    with pytest.raises(ModelError, match=r"set sampling\.temperature: null"):
        await refused_with(400, error, opened)


async def test_a_refused_token_limit_names_the_other_field(opened: Opener) -> None:
    error = {"message": "Unsupported parameter: 'max_tokens' is not supported with this model.", "param": "max_tokens"}
    with pytest.raises(ModelError, match="max_tokens_field: max_completion_tokens"):
        await refused_with(400, error, opened)


async def test_a_redirect_is_not_followed(opened: Opener) -> None:
    from aiohttp import web

    async def chat(received: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("http://169.254.169.254/latest/meta-data")

    async with serving(chat) as url:
        with pytest.raises(ModelError, match="redirects are not followed"):
            await opened(at(url)).generate(ask())


async def test_a_spent_quota_stops_the_run_resumably(opened: Opener) -> None:
    with pytest.raises(IncompleteRun, match="quota is spent"):
        await refused_with(429, {"message": "You exceeded your quota", "code": "insufficient_quota"}, opened)


async def test_a_prompt_over_the_context_window_is_too_long(opened: Opener) -> None:
    error = {"message": "This model's maximum context length is 4096 tokens.", "code": "context_length_exceeded"}
    failure = await refused_with(400, error, opened)
    assert isinstance(failure, OutputFailure) and failure.kind == "too_long"


async def test_a_server_that_is_not_there_stops_the_run_after_a_few_probes(opened: Opener) -> None:
    with pytest.raises(ModelError, match="is the server running, and is base_url its address"):
        await opened(at("http://127.0.0.1:9/v1")).generate(ask())


# ---------------------------------------------------------------- secrets


async def test_an_unset_key_is_named_by_its_variable(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET_KEY", raising=False)
    with pytest.raises(ConfigError, match="the environment variable NOT_SET_KEY is not set"):
        await opened(at("http://127.0.0.1:9/v1", api_key_env="NOT_SET_KEY")).generate(ask())


async def test_a_key_that_the_server_echoes_stays_out_of_the_message(
    opened: Opener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("MY_KEY", "sk-canary-0123456789")
    async with simulated_endpoint(always("401")) as server:
        model = opened(at(server.base_url, api_key_env="MY_KEY"))
        with pytest.raises(ModelError) as caught:
            await model.generate(ask())
    assert "check the key in $MY_KEY" in str(caught.value)
    assert "[secret]" in str(caught.value)
    shown = "\n".join(map(repr, [caught.value, caught.value.__context__, model, vars(model), *caplog.text.split("\n")]))
    assert "sk-canary-01" not in shown
    assert len(server.log) == 1


async def answered_with(text: str, opened: Opener, cache: ResponseCache | None = None, **more: Any) -> Any:
    """Return the outcome of one request that is answered with status 200 and this text, and assert it was sent once."""
    from aiohttp import web

    calls = []

    async def chat(received: web.Request) -> web.Response:
        calls.append(await received.read())
        choice = {"message": {"content": text}, "finish_reason": more.get("finish_reason", "stop")}
        return web.json_response({"choices": [choice]})

    async with serving(chat) as url:
        try:
            return await opened(at(url, api_key_env="MY_KEY" if more.get("key", True) else None), cache).generate(ask())
        finally:
            assert len(calls) == 1


@pytest.mark.parametrize("key", [None, "none", "EMPTY", "elevenchars", "sk-canary-0123456789"])
async def test_what_a_model_said_is_never_edited(
    key: str | None, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", key or "")
    said = "none of it; EMPTY, elevenchars, [secret], sk-canary"
    output = await answered_with(said, opened, key=key is not None)
    assert isinstance(output, Output) and output.text == said


KEY = "sk/canary+0123456789"


@pytest.mark.parametrize(
    "echo",
    [KEY, KEY[:12], quote(KEY, safe=""), b64encode(KEY.encode()).decode(), b64encode(f"me:{KEY}".encode()).decode()],
)
@pytest.mark.parametrize("finish_reason", ["stop", "length", "content_filter"])
async def test_an_answer_that_repeats_the_key_is_neither_shown_nor_kept(
    echo: str, finish_reason: str, opened: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    cache = ResponseCache(tmp_path / "answers.sqlite")
    failure = await answered_with(f"You said {echo}.", opened, cache, finish_reason=finish_reason)
    cache.close()
    assert isinstance(failure, OutputFailure)
    assert (failure.kind, failure.text) == ("malformed", "")
    assert failure.message == "the answer repeats the API key; it was not kept"
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert kept and echo.encode() not in kept


@pytest.mark.parametrize("named", ["message", "unheard_of"])
async def test_a_key_with_a_slash_is_hidden_where_the_server_escapes_slashes(
    named: str, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiohttp import web

    async def chat(received: web.Request) -> web.Response:
        body = f'{{"error": {{"{named}": "wrong key {KEY}"}}}}'.replace("/", "\\/")
        return web.Response(status=401, body=body.encode(), content_type="application/json")

    monkeypatch.setenv("MY_KEY", KEY)
    async with serving(chat) as url:
        with pytest.raises(ModelError, match=r"wrong key \[secret\]") as caught:
            await opened(at(url, api_key_env="MY_KEY")).generate(ask())
    assert "canary" not in repr((caught.value, caught.value.__context__, caught.value.__cause__))


async def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-hunter2-“quoted”")
    with pytest.raises(ConfigError, match="MY_KEY holds a character that no HTTP header can carry") as caught:
        await opened(at("http://127.0.0.1:9/v1", api_key_env="MY_KEY")).generate(ask())
    assert "hunter2" not in str(caught.value)


# ---------------------------------------------------------------- time


async def test_a_wait_longer_than_the_time_left_gives_up_at_once_and_says_so(opened: Opener) -> None:
    clock = FakeClock()
    async with simulated_endpoint(always("429", retry_after="3600")) as server:
        failure = await opened(at(server.base_url), clock=clock).generate(ask())
    assert isinstance(failure, OutputFailure)
    assert failure.kind == "rate_limited"
    assert "the server asks to wait 3600 s, 20 s are left of limits.total_timeout 20 s" in failure.message
    assert clock.slept == []
    assert len(server.log) == 1


@pytest.mark.parametrize("asked", ["9999999999", "9" * 400])
async def test_a_wait_of_ages_gives_up_at_once_too(asked: str, opened: Opener) -> None:
    clock = FakeClock()
    async with simulated_endpoint(always("429", retry_after=asked)) as server:
        failure = await opened(at(server.base_url), clock=clock).generate(ask())
    assert isinstance(failure, OutputFailure) and failure.kind == "rate_limited"
    assert "the server asks to wait" in failure.message
    assert (clock.slept, len(server.log)) == ([], 1)


async def test_a_429_with_a_date_to_come_back_keeps_all_other_requests_away_too(opened: Opener) -> None:
    clock = FakeClock()
    limits = QUICK.model_copy(update={"concurrency": 1, "total_timeout": 1000.0})
    plan = Plan(faults=(EndpointFault(fault="429", times=1, retry_after="120", containing="first"),))
    async with simulated_endpoint(plan) as server:
        model = opened(at(server.base_url, limits=limits), clock=clock)
        assert isinstance(await model.generate(ask("first")), Output)
        assert clock.seconds >= 120
    assert len(server.log) == 2


async def test_total_time_covers_all_attempts_and_waits(opened: Opener) -> None:
    clock = FakeClock()
    limits = Limits(attempts=50, total_timeout=30, backoff=4, max_backoff=8)
    async with simulated_endpoint(always("500")) as server:
        failure = await opened(at(server.base_url, limits=limits), clock=clock).generate(ask())
    assert isinstance(failure, OutputFailure)
    assert clock.seconds <= 30
    assert failure.usage.attempts == len(server.log) < 50
    assert "limits.total_timeout 30 s" in failure.message


# ---------------------------------------------------------------- the cache


async def test_a_kept_answer_costs_nothing_and_sends_nothing(opened: Opener, tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path / "answers.sqlite")
    async with simulated_endpoint() as server:
        spec = at(server.base_url, price=Price(input=1, output=1))
        first = await opened(spec, cache).generate(ask())
        again = await opened(spec, cache).generate(ask())
    cache.close()
    assert len(server.log) == 1
    assert isinstance(first, Output) and isinstance(again, Output)
    assert again.text == first.text
    assert (again.usage.cached, again.usage.attempts, again.usage.cost, again.usage.latency) == (True, 0, 0.0, None)
    assert again.usage.input_tokens == first.usage.input_tokens


@pytest.mark.parametrize("plan", [Plan(latency_ms=20), Plan(latency_ms=20, faults=always("refusal").faults)])
async def test_the_same_prompt_asked_at_once_is_sent_and_paid_for_once(
    plan: Plan, opened: Opener, tmp_path: Path
) -> None:
    cache = ResponseCache(tmp_path / "answers.sqlite")
    async with simulated_endpoint(plan) as server:
        model = opened(at(server.base_url, price=Price(input=1e6, output=1e6)), cache)
        outcomes = await asyncio.gather(*(model.generate(ask()) for _ in range(50)), model.generate(ask("another")))
    cache.close()
    assert len(server.log) == 2
    first, *others = outcomes[:-1]
    assert (first.usage.attempts, first.usage.cached) == (1, False)
    for other in others:
        assert other.model_copy(update={"usage": first.usage}) == first
        usage = other.usage
        assert (usage.attempts, usage.cost, usage.charged, usage.cached, usage.latency) == (0, 0.0, 0.0, True, None)


async def test_whoever_waits_for_an_answer_asks_when_the_one_who_asked_was_stopped(
    opened: Opener, tmp_path: Path
) -> None:
    cache = ResponseCache(tmp_path / "answers.sqlite")
    async with simulated_endpoint(Plan(latency_ms=100)) as server:
        model = opened(at(server.base_url), cache)
        first, second, third = (asyncio.create_task(model.generate(ask())) for _ in range(3))
        while not server.arrived:
            await asyncio.sleep(0.001)
        first.cancel()
        third.cancel()
        output = await second
        assert first.cancelled() and third.cancelled()
    cache.close()
    assert isinstance(output, Output) and output.usage.attempts == 1
    assert server.arrived == 2


async def test_without_a_cache_every_request_is_sent(opened: Opener) -> None:
    async with simulated_endpoint(Plan(latency_ms=5)) as server:
        model = opened(at(server.base_url))
        await asyncio.gather(*(model.generate(ask()) for _ in range(5)))
    assert len(server.log) == 5


@pytest.mark.parametrize(
    "fault", ["refusal", "length_cut", "null_content", "empty_content", "500", "400", "wrong_model"]
)
async def test_what_is_no_answer_is_never_kept(fault: str, opened: Opener, tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path / "answers.sqlite")
    async with simulated_endpoint(always(fault)) as server:
        model = opened(at(server.base_url), cache)
        for _ in range(2):
            assert isinstance(await model.generate(ask()), OutputFailure)
        calls = len(server.log)
    cache.close()
    assert calls == 2 * (QUICK.attempts if fault == "500" else 1)


def test_an_endpoint_is_made_without_loading_openai_or_aiohttp() -> None:
    code = "import sys, workbench.adapters.openai_endpoint; print({'openai', 'aiohttp', 'httpx'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
