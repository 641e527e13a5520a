"""A project on disk whose candidate and judge are a simulated endpoint in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import yaml

CLOCKED = ["cost", "latency", "attempts", "cached"]
"""Columns that a clock or the cache decides."""


@dataclass(frozen=True)
class Server:
    """A simulated endpoint in a process of its own, and its request log, which is the truth about paid calls."""

    base_url: str
    log: Path
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End the server, as a crash would."""
        self.process.kill()
        self.process.wait()

    def requests(self) -> list[dict[str, Any]]:
        """Return every logged request; the last line may still be being written."""
        lines = self.log.read_bytes().split(b"\n")[:-1]
        return [orjson.loads(line) for line in lines if line]


@contextmanager
def server(
    folder: Path, latency_ms: float, faults: list[dict[str, Any]] | None = None, port: int = 0
) -> Iterator[Server]:
    """Run a simulated endpoint as long as the block lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    plan, log = folder / "plan.yaml", folder / "requests.jsonl"
    plan.write_text(yaml.safe_dump({"latency_ms": latency_ms, "faults": faults or []}))
    log.touch()
    words = ["--port", str(port), "--plan", str(plan), "--log", str(log)]
    command = [sys.executable, "-m", "workbench.simulated.endpoint", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None, "the simulated endpoint did not start"
            yield Server(found[0], log, process)
        finally:
            process.terminate()


@dataclass(frozen=True)
class Project:
    """A folder with a workbench.yaml, and the `workbench` command in it."""

    folder: Path

    def command(self, *words: str, home: str = "home") -> list[str]:
        config = self.folder / f"{home}.yaml"
        if not config.exists():
            text = (self.folder / "workbench.yaml").read_text()
            config.write_text(f"home: {home}\n{text}")
        return [sys.executable, "-m", "workbench", "--config", str(config), *words]

    def run(self, *words: str, home: str = "home", timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*words, home=home), capture_output=True, text=True, timeout=timeout, env=ENVIRONMENT
        )

    def start(self, *words: str, home: str = "home") -> subprocess.Popen[str]:
        """Start a command and do not wait for it."""
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.command(*words, home=home), text=True, env=ENVIRONMENT, **streams)

    def runs(self, home: str = "home") -> list[Path]:
        """Return the run folders, oldest first."""
        return sorted((self.folder / home / "runs").glob("*-*"))

    def tables(self, home: str = "home") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return samples and scores of the only run, without what a clock decides."""
        (folder,) = self.runs(home)
        samples, scores = (
            pq.read_table(folder / f"{name}.parquet").drop_columns(CLOCKED).to_pylist()
            for name in ("samples", "scores")
        )
        return samples, scores


ENVIRONMENT = {**os.environ, "COLUMNS": "160"}


def project(folder: Path, n: int, base_url: str, limits: dict[str, Any], **judge: Any) -> Project:
    """Write a project of n samples in families of four, whose candidate and judge are one endpoint."""
    evalset = folder / "evalsets" / "numbers"
    (evalset / "rubrics").mkdir(parents=True)
    rows = (
        {
            "id": f"s{i}",
            "group": f"g{i // 4}",
            "messages": [{"role": "user", "content": f"How many is number {i}?"}],
            "references": [f"It is {i}."],
            "tags": {"third": str(i % 3)},
        }
        for i in range(n)
    )
    (evalset / "samples.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    scorers = [{"kind": "token_f1"}, {"kind": "rubric_judge", "rubric": "rubrics/correct.md", "judge": "judge"}]
    spec = {"name": "numbers", "version": "1", "use": "dev", "scorers": scorers}
    (evalset / "evalset.yaml").write_text(yaml.safe_dump(spec))
    front = '---\nname: correct\nversion: "1"\nscale: binary\n---\n'
    rubric = f"{front}Pass when the answer names the number of the reference.\n"
    (evalset / "rubrics" / "correct.md").write_text(rubric)
    endpoint = {"kind": "endpoint", "base_url": base_url, "limits": limits}
    models = {
        "candidate": {**endpoint, "model": "simulated"},
        "judge": {**endpoint, "model": "simulated-judge", **judge},
    }
    (folder / "workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "candidate"}))
    return Project(folder)
