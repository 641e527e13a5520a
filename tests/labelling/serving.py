"""A real Argilla of its own for a test session, and people who label over HTTP as their browser would."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from workbench.adapters.argilla_sdk import Argilla, connect
from workbench.labelling.pulling import read_all
from workbench.labelling.server import RemoteDataset

if TYPE_CHECKING:
    import httpx

PROGRAM = Path(__file__).parents[2] / ".venv-argilla" / "bin" / "argilla-embedded"
PASSWORD = "a-long-password"


@dataclass(frozen=True)
class Person:
    """An annotator."""

    name: str
    id: str
    client: httpx.Client

    def answer(self, record: str, values: dict[str, Any], status: str = "submitted") -> None:
        """Answer a record, or answer it anew, by the server's id."""
        body = {"record_id": record, "status": status, "values": {k: {"value": v} for k, v in values.items()}}
        told = self.client.post("/api/v1/me/responses/bulk", json={"items": [body]}).raise_for_status().json()
        assert told["items"][0]["error"] is None, told


@dataclass
class Served:
    """A running server."""

    url: str
    key: str
    home: Path
    people: dict[str, Person]
    opened: ExitStack

    def connect(self, workspace: str = "default") -> Argilla:
        """Return a connection of the owner."""
        found = connect(self.url, self.key, workspace)
        self.opened.callback(found.close)
        return found

    def person(self, name: str, workspace: str = "default") -> Person:
        """Return an annotator of a workspace, made on first use."""
        if name not in self.people:
            owner = self.client(self.key)
            self.connect(workspace)
            spaces = owner.get("/api/v1/me/workspaces").json()["items"]
            space = next(item["id"] for item in spaces if item["name"] == workspace)
            made = {"first_name": name, "username": name, "password": PASSWORD, "role": "annotator"}
            user = owner.post("/api/v1/users", json=made).raise_for_status().json()
            owner.post(f"/api/v1/workspaces/{space}/users", json={"user_id": user["id"]}).raise_for_status()
            self.people[name] = Person(name, user["id"], self.client(user["api_key"]))
        return self.people[name]

    def client(self, key: str) -> httpx.Client:
        """Return an HTTP client that has a user's key."""
        import httpx

        headers = {"X-Argilla-Api-Key": key}
        return self.opened.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=60))

    def ids(self, dataset: RemoteDataset) -> dict[str, str]:
        """Return the server's record ids by ours."""
        reading = read_all(self.connect(), dataset, lambda done, total: None)
        return {record.id: record.server_id for record in reading.records.values()}


@pytest.fixture(scope="session")
def argilla(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Start the embedded Argilla once, or skip and say how to have it."""
    pytest.importorskip("argilla", reason="needs the labelling extra: pip install 'workbench[labelling]'")
    if not PROGRAM.exists():
        pytest.skip("no embedded Argilla here; to run this: make argilla")
    home = tmp_path_factory.mktemp("argilla")
    try:
        command = [PROGRAM, "up", "--home", home, "--port", str(_free_port()), "--json"]
        url = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["url"]
        key = json.loads((home / "owner.json").read_bytes())["api_key"]
        with ExitStack() as opened:
            yield Served(url, key, home, {}, opened)
    finally:
        subprocess.run([PROGRAM, "down", "--home", home], capture_output=True, check=False)


def _free_port() -> int:
    """Return a port of this test session alone: two sessions may start at once."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
