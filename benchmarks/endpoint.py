"""The stand-in endpoint in a process of its own, as long as a benchmark needs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from json import loads

from benchmarks.process import ROOT


@dataclass(frozen=True)
class Seen:
    """What the endpoint saw since the last reset."""

    n: int
    """Requests."""
    peak: int
    """Most requests that waited for their answer at once."""
    first: float | None
    """When the first request was complete, on the machine's monotonic clock."""
    last: float | None
    """When the last answer was sent."""

    def rate(self) -> float:
        """Return the calls a second between the first request and the last answer."""
        if self.first is None or self.last is None:
            raise RuntimeError("the endpoint was not called")
        return self.n / (self.last - self.first)


@dataclass(frozen=True)
class Endpoint:
    """A running stand-in."""

    port: int

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def reset(self, latency_ms: float, keep: bool = False) -> None:
        """Start counting anew, and keep the bodies if asked."""
        self._get(f"/__reset?latency_ms={latency_ms:g}&keep={int(keep)}")

    def seen(self) -> Seen:
        """Return the count."""
        plain = loads(self._get("/__stats"))
        return Seen(plain["n"], plain["peak"], plain["first"], plain["last"])

    def bodies(self) -> bytes:
        """Return the kept bodies, one a line."""
        return self._get("/__bodies")

    def _get(self, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Run a stand-in as long as the block lasts."""
    command = [sys.executable, "-m", "benchmarks.stand_in"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield Endpoint(int(process.stdout.readline()))
        finally:
            process.terminate()
