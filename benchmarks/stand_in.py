"""A stand-in for an OpenAI-compatible judge: one answer for everybody but ragas, after a fixed time, at little cost.

`python -m benchmarks.stand_in` prints its port. It reads what HTTP/1.1 clients with a known body length send, no more.
`GET /__reset?latency_ms=50&keep=1` starts a count, `GET /__stats` returns it, `GET /__bodies` returns the kept bodies.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qs

OPENING = "The pump is rated for nine bar at sixty degrees."
"""How every recorded answer begins, so that one verdict can quote them all."""
MODEL = "stand-in"
VERDICT = {"evidence": OPENING, "reason": "The answer states the rating given by the passage.", "verdict": "pass"}
STATEMENTS = {"statements": [OPENING, "It is made of steel.", "It was serviced in May."]}
GRADED = [{"statement": said, "reason": "The passage says so.", "verdict": 1} for said in STATEMENTS["statements"]]
SPECIAL = {b"StatementGeneratorOutput": STATEMENTS, b"NLIStatementOutput": {"statements": GRADED}}
"""What is answered where a body holds the name of one of ragas' forms."""
END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass
class Count:
    """What came in since the last reset. Times are seconds of the monotonic clock, the same in every process."""

    latency: float = 0.05
    n: int = 0
    answered: int = 0
    live: int = 0
    peak: int = 0
    first: float | None = None
    """When the first request was complete."""
    last: float | None = None
    """When the last answer was sent."""
    keep: bool = False
    bodies: list[bytes] = field(default_factory=list)

    def plain(self) -> bytes:
        return json.dumps({name: value for name, value in asdict(self).items() if name != "bodies"}).encode()


def http(payload: bytes, kind: str = "application/json") -> bytes:
    """Return a whole response of status 200."""
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(payload)}\r\n\r\n".encode() + payload


def answer(said: object = VERDICT) -> bytes:
    """Return the response that says one thing, made once."""
    message = {"role": "assistant", "content": json.dumps(said), "refusal": None}
    usage = {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    plain = {"id": "c1", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice], "usage": usage}
    return http(json.dumps(plain).encode())


After = Callable[[float, "Callable[[Connection, bytes], None]", "Connection", bytes], object]
"""What calls a function with a connection and a response after so many seconds."""


class StandIn:
    """The counts, shared by all connections."""

    def __init__(
        self, after: Callable[[float, Callable[[Connection, bytes], None], Connection, bytes], object]
    ) -> None:
        self.count = Count()
        self.after = after
        self.answer = answer()
        self.special = {name: answer(said) for name, said in SPECIAL.items()}

    def ask(self, connection: Connection, body: bytes) -> None:
        """Count a question and answer it when its time has come."""
        count = self.count
        count.n += 1
        count.live += 1
        count.peak = max(count.peak, count.live)
        count.first = count.first or time.monotonic()
        if count.keep:
            count.bodies.append(body)
        said = next((response for name, response in self.special.items() if name in body), self.answer)
        self.after(count.latency, self._reply, connection, said)

    def _reply(self, connection: Connection, said: bytes) -> None:
        count = self.count
        count.live -= 1
        if connection.write(said):
            count.answered += 1
            count.last = time.monotonic()

    def control(self, target: bytes) -> bytes:
        """Do what a `GET` asks for; return the response."""
        path, _, query = target.decode().partition("?")
        if path == "/__reset":
            asked = parse_qs(query)
            self.count = Count(latency=float(asked["latency_ms"][0]) / 1000, keep=asked["keep"] == ["1"])
        if path == "/__bodies":
            return http(b"\n".join(self.count.bodies), "application/jsonl")
        return http(self.count.plain())


class Connection(asyncio.Protocol):
    """One client's connection: requests follow one another."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (head := self._buffer.find(END)) >= 0:
            lines = self._buffer[:head].split(b"\r\n")
            lengths = [line for line in lines[1:] if line[: len(LENGTH)].lower() == LENGTH]
            end = head + len(END) + (int(lengths[0][len(LENGTH) :]) if lengths else 0)
            if len(self._buffer) < end:
                return
            body, self._buffer = self._buffer[head + len(END) : end], self._buffer[end:]
            method, target, _ = lines[0].split(b" ")
            if method == b"GET":
                self.write(self._stand_in.control(target))
            else:
                self._stand_in.ask(self, body)

    def write(self, response: bytes) -> bool:
        """Send a response; return whether the client is still there."""
        if self._transport is None:
            return False
        self._transport.write(response)
        return True


async def serve() -> None:
    """Listen on a free port of this machine, and say which."""
    loop = asyncio.get_running_loop()
    stand_in = StandIn(loop.call_later)
    server = await loop.create_server(lambda: Connection(stand_in), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
