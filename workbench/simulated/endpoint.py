"""A simulated OpenAI-compatible endpoint on the loopback interface: fails on demand, writes down every request.

    python -m workbench.simulated.endpoint --port 9900 --latency-ms 50 --plan plan.yaml --log requests.jsonl

Its request log is the truth about calls: a line for each request that arrived, written when its reply has gone out or
has failed to. docs/simulated-endpoint.md describes plan, faults and log.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from workbench.errors import WorkbenchError
from workbench.nouns import Noun
from workbench.simulated.plan import Chooser, EndpointFault, Plan, read_plan
from workbench.simulated.replies import completion

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
HINT = 80
"""Characters of the last message that are logged, enough to tell samples apart."""
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in (simulated).</body></html>"
NEVER = 3600.0
"""Seconds after which even a reply that never comes is given up."""


class Logged(Noun):
    """One request that arrived."""

    time: float
    """When it arrived, seconds since 1970."""
    path: str
    """What was asked for."""
    sha: str
    """SHA-256 of its body."""
    hint: str
    """Beginning of its last message."""
    fault: str | None = None
    """The fault that was shown."""
    complete: bool
    """Whether a whole, well-formed HTTP reply was handed to the network."""


class SimulatedEndpoint:
    """A running simulated endpoint."""

    def __init__(self, plan: Plan, log: Path | None) -> None:
        self.log: list[Logged] = []
        """Every request so far whose reply has ended."""
        self.base_url = ""
        """Its address, up to `/v1`."""
        self.arrived = 0
        """Requests that have come in, those still unanswered included."""
        self._plan = plan
        self._chooser = Chooser(plan)
        self._file: IO[bytes] | None = log.open("ab", buffering=0) if log is not None else None

    def close(self) -> None:
        """Close the log file."""
        if self._file is not None:
            self._file.close()

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat completion request, well or as the plan says."""
        arrived, body = time.time(), await request.read()
        self.arrived += 1
        number, sha = self.arrived, hashlib.sha256(body).hexdigest()
        fault = self._chooser.choose(sha, body)
        asked = _object(body)
        complete = False
        try:
            if self._plan.latency_ms:
                await asyncio.sleep(self._plan.latency_ms / 1000)
            made = completion(asked, sha, self._plan.said(body), fault.fault if fault is not None else None, number)
            reply, complete = await self._reply(request, orjson.dumps(made), fault)
            return reply
        finally:
            name = fault.fault if fault is not None else None
            self._write(
                Logged(time=arrived, path=request.path, sha=sha, hint=_hint(asked), fault=name, complete=complete)
            )

    async def _reply(
        self, request: web.Request, raw: bytes, fault: EndpointFault | None
    ) -> tuple[web.StreamResponse, bool]:
        """Return what was sent, and whether it was sent whole."""
        name = fault.fault if fault is not None else None
        if fault is not None and fault.fault.isdigit():
            return await _send(request, int(fault.fault), _error(fault, request), retry_after=fault.retry_after)
        match name:
            case "timeout":
                return await _never(request)
            case "slow_drip":
                return await _drip(request, raw, self._plan.drip_seconds)
            case "reset_mid_body":
                return await _reset(request, raw)
            case "truncated_json":
                return await _send(request, 200, raw[: len(raw) // 2])
            case "html_200":
                return await _send(request, 200, HTML, content_type="text/html")
        return await _send(request, 200, raw)

    def _write(self, logged: Logged) -> None:
        self.log.append(logged)
        if self._file is not None:
            self._file.write(logged.json_bytes() + b"\n")


@asynccontextmanager
async def simulated_endpoint(
    plan: Plan | None = None, port: int = 0, log: Path | None = None
) -> AsyncIterator[SimulatedEndpoint]:
    """Serve a simulated endpoint for as long as the block runs; `port` 0 takes any free one."""
    from aiohttp import web

    server = SimulatedEndpoint(plan or Plan(), log)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_get("/v1/models", _models)
    # With cancellation, a client that hangs up ends its handler, and the log says so at once.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port, backlog=4096)
        await site.start()
        server.base_url = f"http://{HOST}:{runner.addresses[0][1]}/v1"
        yield server
    finally:
        await runner.cleanup()
        server.close()


async def _models(request: web.Request) -> web.Response:
    from aiohttp import web

    return web.json_response({"object": "list", "data": [{"id": "simulated", "object": "model", "owned_by": "nobody"}]})


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _hint(asked: dict[str, Any]) -> str:
    messages = asked.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else {}
    return str(last.get("content", ""))[:HINT] if isinstance(last, dict) else ""


# ---------------------------------------------------------------- ways to reply


async def _send(
    request: web.Request,
    status: int,
    body: bytes,
    content_type: str = "application/json",
    retry_after: str | None = None,
) -> tuple[web.StreamResponse, bool]:
    from aiohttp import web

    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    response = web.Response(status=status, body=body, content_type=content_type, headers=headers)
    await response.prepare(request)
    await response.write_eof()
    return response, True


def _error(fault: EndpointFault, request: web.Request) -> bytes:
    """Return an error body. A 401 repeats the key it was given, as careless servers do."""
    message = f"simulated {fault.fault}"
    if fault.fault == "401":
        message = f"Incorrect API key provided: {request.headers.get('Authorization', '')} (simulated)"
    return orjson.dumps({"error": {"message": message, "type": "simulated", "param": None, "code": None}})


async def _begin(request: web.Request, length: int) -> web.StreamResponse:
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(length)})
    await response.prepare(request)
    return response


async def _never(request: web.Request) -> tuple[web.StreamResponse, bool]:
    """Accept the request and say nothing, until the client hangs up."""
    await asyncio.sleep(NEVER)
    return await _begin(request, 0), False


async def _drip(request: web.Request, body: bytes, pause: float) -> tuple[web.StreamResponse, bool]:
    """Send a good answer one byte at a time, so that no single read ever takes long."""
    response = await _begin(request, len(body))
    for place in range(len(body)):
        await response.write(body[place : place + 1])
        await asyncio.sleep(pause)
    await response.write_eof()
    return response, True


async def _reset(request: web.Request, body: bytes) -> tuple[web.StreamResponse, bool]:
    """Send half the body and cut the connection."""
    response = await _begin(request, len(body))
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response, False


# ---------------------------------------------------------------- as a process of its own


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; the first line of output is the address."""
    parser = argparse.ArgumentParser(
        prog="python -m workbench.simulated.endpoint", description=__doc__.split("\n")[0] if __doc__ else ""
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--latency-ms", type=float, default=None, help="milliseconds before each reply, over the plan's own"
    )
    parser.add_argument("--plan", type=Path, default=None, help="YAML file with seed, latency and faults")
    parser.add_argument("--log", type=Path, default=None, help="JSONL file to which each request is appended")
    given = parser.parse_args(arguments)
    try:
        plan = read_plan(given.plan) if given.plan is not None else Plan()
        if given.latency_ms is not None:
            plan = Plan.model_validate({**plan.model_dump(), "latency_ms": given.latency_ms})
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(plan, given.port, given.log))
    except WorkbenchError as exc:
        sys.stderr.write(f"{exc}\n")
        return exc.exit_code
    except OSError as exc:
        sys.stderr.write(f"cannot serve on port {given.port} or write {given.log}: {exc}\n")
        return 2
    return 0


async def _serve(plan: Plan, port: int, log: Path | None) -> None:
    async with simulated_endpoint(plan, port, log) as server:
        sys.stdout.write(f"simulated endpoint: {server.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
