"""What we send is what the `openai` package sends when it is asked for the same: route, body and authorisation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web
from openai import AsyncOpenAI

from tests.adapters.test_openai_endpoint import Opener, ask, at, serving
from workbench.calling.chat import Chat

SCHEMA = {"type": "object", "properties": {"verdict": {"enum": ["pass", "fail"]}}, "required": ["verdict"]}
SPECS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sampling": {"sampling": {"temperature": 0.7, "top_p": 0.9, "seed": 3, "max_tokens": 17}},
    "a schema": {"structured": "json_schema"},
    "any JSON": {"structured": "json_object"},
    "a key": {"api_key_env": "SOME_KEY"},
}
OURS_TOO = ("accept", "content-type", "authorization")


@pytest.mark.parametrize("changes", SPECS.values(), ids=SPECS.keys())
async def test_the_package_sends_the_same(
    changes: dict[str, Any], opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-abcdefghijklmnop")
    seen: list[tuple[str, str, dict[str, str], Any]] = []

    async def chat(got: web.Request) -> web.Response:
        told = {name.lower(): value for name, value in got.headers.items()}
        seen.append((got.method, got.path, told, await got.json()))
        choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "simulated", "choices": [choice]}
        return web.json_response(whole)

    async with serving(chat) as url:
        spec = at(url, **changes)
        request = ask(schema=SCHEMA if "structured" in changes else None)
        ours = await opened(spec).generate(request)
        key = "sk-abcdefghijklmnop" if spec.api_key_env else "none"
        async with AsyncOpenAI(api_key=key, base_url=url, max_retries=0) as client:
            # Every field of our body is a parameter that the package knows by this name, or it raises.
            theirs = await client.chat.completions.create(**json.loads(Chat(spec).sent(request).body))

    assert getattr(ours, "text", None) == theirs.choices[0].message.content == "yes"
    (method, path, headers, said), (their_method, their_path, their_headers, they_said) = seen
    assert (method, path, said) == (their_method, their_path, they_said)
    wanted = {name: their_headers[name] for name in OURS_TOO if name != "authorization" or spec.api_key_env}
    assert {name: headers[name] for name in OURS_TOO if name in headers} == wanted
