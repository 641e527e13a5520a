"""The pages of a project, served as `workbench dashboards` serves them, in a process of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(config: Path, log: Path) -> Iterator[str]:
    """Serve the pages of a workbench.yaml on loopback; yield their address. What the server says goes to `log`."""
    port = free_port()
    command = [sys.executable, "-m", "workbench", "--config", str(config), "dashboards", "--port", str(port)]
    with served(command, port, log) as address:
        yield address


@contextmanager
def served(command: list[str], port: int, log: Path) -> Iterator[str]:
    """Run a command that serves pages on a port; yield their address."""
    with log.open("ab") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ)
    try:
        address = f"http://localhost:{port}"
        _wait(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health"):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the pages are not served: {log.read_text(errors='replace')}")
