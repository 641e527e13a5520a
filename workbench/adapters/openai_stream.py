"""An OpenAI-compatible server's answer piece by piece, for a person who reads along; nothing is cached or asked again.

What a run asks goes through `openai_endpoint`; this is for `workbench model chat` alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Any

import orjson

from workbench.calling.addresses import api_key, check_endpoint, proxy_for, request_headers
from workbench.calling.chat import Chat
from workbench.calling.secrets import one_line, redact
from workbench.errors import ModelError
from workbench.models import EndpointSpec, Request
from workbench.records import Message

LARGEST = 8 * 2**20
"""Bytes of an answer that are read."""
EVENT = b"data:"


async def stream(spec: EndpointSpec, messages: Sequence[Message]) -> AsyncIterator[str]:
    """Yield an answer's text as it comes. Raises `ModelError` where the server refuses, is gone, or never ends."""
    import aiohttp

    check_endpoint(spec, None)
    key = api_key(spec)
    sent = Chat(spec).sent(Request(messages=tuple(messages), sample_id="chat"))
    body = orjson.dumps({**orjson.loads(sent.body), "stream": True})
    headers, timeout = request_headers(key), aiohttp.ClientTimeout(total=spec.limits.total_timeout)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, proxy=proxy_for(spec.base_url)) as session,
            session.post(sent.url, data=body, allow_redirects=False) as response,
        ):
            if response.status != 200:
                said = (await response.content.read(2000)).decode("utf-8", "replace")
                raise ModelError(f"{spec.base_url}: status {response.status}: {one_line(redact(said, key))}")
            async for text in _texts(response.content, spec):
                yield text
    except TimeoutError as exc:
        raise ModelError(f"{spec.base_url}: no end within {spec.limits.total_timeout:g} s") from exc
    except (aiohttp.ClientError, OSError, ValueError) as exc:
        raise ModelError(f"{spec.base_url}: {one_line(redact(f'{type(exc).__name__}: {exc}', key))}") from None


async def _texts(lines: AsyncIterable[bytes], spec: EndpointSpec) -> AsyncIterator[str]:
    """Yield the texts of server-sent events, up to `[DONE]`."""
    size = 0
    async for line in lines:
        size += len(line)
        if size > LARGEST:
            raise ModelError(f"{spec.base_url}: an answer of more than {LARGEST} bytes")
        if not line.startswith(EVENT):
            continue
        event = line[len(EVENT) :].strip()
        if event == b"[DONE]":
            return
        if text := _text(event, spec):
            yield text


def _text(event: bytes, spec: EndpointSpec) -> str:
    try:
        told: Any = orjson.loads(event)
    except orjson.JSONDecodeError as exc:
        raise ModelError(f"{spec.base_url}: a piece of the answer is not JSON: {one_line(str(exc))}") from exc
    if isinstance(told, dict) and "error" in told:
        raise ModelError(f"{spec.base_url}: {one_line(str(told['error']))}")
    choices = told.get("choices") if isinstance(told, dict) else None
    delta = choices[0].get("delta") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    text = delta.get("content") if isinstance(delta, dict) else None
    return text if isinstance(text, str) else ""
