"""A real server in a folder of its own, people in it, and requests as one of them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PROGRAM = str(Path(sys.executable).parent / "argilla-embedded")


def run(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `argilla-embedded WORDS` on a home."""
    variables = {**os.environ, "ARGILLA_EMBEDDED_HOME": str(home), **environment}
    return subprocess.run([PROGRAM, *words], env=variables, capture_output=True, text=True, check=False, timeout=300)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@dataclass
class Server:
    """A running server and what its owner knows."""

    home: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> dict[str, Any]:
        done = run("up", "--port", str(self.port), "--json", *self.extra, home=self.home, **self.environment)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def down(self) -> None:
        assert run("down", home=self.home).returncode == 0

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(run("status", "--json", home=self.home).stdout)
        return answer

    def kill(self) -> None:
        """Kill the serving process, without a warning."""
        pid = int((self.home / "lock").read_text())
        os.kill(pid, signal.SIGKILL)

    def owner(self) -> httpx.Client:
        """Return a client that acts as the owner."""
        return self.client(json.loads((self.home / "owner.json").read_text())["api_key"])

    def client(self, api_key: str | None) -> httpx.Client:
        """Return a client that acts as whom the key belongs to; None is nobody."""
        headers = {} if api_key is None else {"X-Argilla-Api-Key": api_key}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=60)


def make_user(owner: httpx.Client, name: str, role: str, *workspaces: str) -> dict[str, Any]:
    """Make a user over HTTP; return what the server says of them, the API key too."""
    made = ok(
        owner.post("/users", json={"username": name, "first_name": name, "role": role, "password": f"{name}-password"})
    )
    for workspace in workspaces:
        place = make_workspace(owner, workspace)
        ok(owner.post(f"/workspaces/{place}/users", json={"user_id": made["id"]}))
    return made


def make_workspace(owner: httpx.Client, name: str) -> str:
    """Return the id of the workspace `name`, made if need be."""
    for workspace in owner.get("/me/workspaces").json()["items"]:
        if workspace["name"] == name:
            return str(workspace["id"])
    return str(owner.post("/workspaces", json={"name": name}).json()["id"])


def make_dataset(owner: httpx.Client, workspace: str, name: str, min_submitted: int = 1) -> str:
    """Return the id of a published dataset with one text field and one question, `verdict`: good or bad."""
    distribution = {"strategy": "overlap", "min_submitted": min_submitted}
    dataset = ok(
        owner.post(
            "/datasets",
            json={"name": name, "workspace_id": make_workspace(owner, workspace), "distribution": distribution},
        )
    )["id"]
    ok(
        owner.post(
            f"/datasets/{dataset}/fields",
            json={
                "name": "text",
                "title": "Text",
                "required": True,
                "settings": {"type": "text", "use_markdown": False},
            },
        )
    )
    options = [{"value": value, "text": value} for value in ("good", "bad")]
    settings = {"type": "label_selection", "options": options}
    ok(
        owner.post(
            f"/datasets/{dataset}/questions",
            json={"name": "verdict", "title": "Verdict", "required": True, "settings": settings},
        )
    )
    ok(owner.put(f"/datasets/{dataset}/publish"))
    return str(dataset)


def push(owner: httpx.Client, dataset: str, texts: list[str]) -> list[str]:
    """Push records and return their ids."""
    items = [{"fields": {"text": text}, "external_id": text} for text in texts]
    pushed = ok(owner.put(f"/datasets/{dataset}/records/bulk", json={"items": items}))
    return [item["id"] for item in pushed["items"]]


def submit(client: httpx.Client, record: str, value: str = "good", status: str = "submitted") -> httpx.Response:
    """Give an answer the way Argilla's page does."""
    return client.post(
        "/me/responses/bulk",
        json={"items": [{"record_id": record, "values": {"verdict": {"value": value}}, "status": status}]},
    )


def ok(answer: httpx.Response) -> dict[str, Any]:
    """Return what a good answer says."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    said: dict[str, Any] = answer.json()
    return said
