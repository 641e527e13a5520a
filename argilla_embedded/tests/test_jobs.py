"""Every kind of background job is done, also when the server is killed while it waits or runs."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.serving import Server, make_dataset, ok, push, submit


@dataclass
class Receiver:
    """Takes webhooks; those that come while it is shut get no answer."""

    server: ThreadingHTTPServer
    open: threading.Event = field(default_factory=threading.Event)
    taken: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not made[0].open.is_set():
                made[0].refused += 1
                time.sleep(60)
                return
            made[0].taken.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.append(Receiver(server))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made[0]
    server.shutdown()
    server.server_close()


def until(holds: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_jobs_that_wait_or_run_when_the_server_is_killed_are_done_after_it(
    own_server: Server, receiver: Receiver, tmp_path: Path
) -> None:
    own_server.up()
    with own_server.owner() as owner:
        dataset = make_dataset(owner, "default", "jobs")
        imported = make_dataset(owner, "default", "imported")
        events = ["record.created", "record.completed", "response.created"]
        ok(owner.post("/webhooks", json={"url": receiver.url, "events": events, "description": "test"}))
        records = push(owner, dataset, [f"text {number}" for number in range(5)])
        for record in records:
            assert submit(owner, record).is_success
        until(lambda: receiver.refused, "no webhook came")  # one job runs, the others wait
        rows = tmp_path / "rows"
        rows.mkdir()
        (rows / "train.jsonl").write_text("".join(f'{{"id": "{n}", "text": "row {n}"}}\n' for n in range(20)))
        mapping = {"fields": [{"source": "text", "target": "text"}], "external_id": "id"}
        hub = {"name": str(rows), "subset": "default", "split": "train", "mapping": mapping}
        ok(owner.post(f"/datasets/{imported}/import", json=hub))
    assert own_server.status()["pending_jobs"] >= 15
    own_server.kill()
    set_status(own_server.home, records[0], "pending")  # as if killed between the answer and the record's status
    receiver.open.set()
    own_server.up()
    until(lambda: own_server.status()["pending_jobs"] == 0, "jobs are left")
    assert own_server.status()["failed_jobs"] == 0
    came = {(each["type"], record_of(each)) for each in receiver.taken}
    assert {(event, record) for event in events for record in records} <= came
    with own_server.owner() as owner:
        assert ok(owner.get(f"/records/{records[0]}"))["status"] == "completed"
        assert len(ok(owner.get(f"/datasets/{imported}/records", params={"limit": 100}))["items"]) == 20


def record_of(event: dict[str, Any]) -> str:
    data = event["data"]
    return str(data["record"]["id"] if event["type"].startswith("response") else data["id"])


def set_status(home: Path, record: str, status: str) -> None:
    with sqlite3.connect(home / "argilla.db", timeout=30) as database:
        changed = database.execute("UPDATE records SET status = ? WHERE id = ?", (status, record.replace("-", "")))
        changed = (
            changed
            if changed.rowcount
            else database.execute("UPDATE records SET status = ? WHERE id = ?", (status, record))
        )
        assert changed.rowcount == 1
    database.close()


def test_a_worker_that_dies_is_replaced(server: Server, receiver: Receiver) -> None:
    receiver.open.set()
    workers = psutil.Process(int((server.home / "lock").read_text())).children()
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
    with server.owner() as owner:
        dataset = make_dataset(owner, "default", "after the worker died")
        hook = ok(owner.post("/webhooks", json={"url": receiver.url, "events": ["record.created"], "description": "x"}))
        push(owner, dataset, ["one"])
        until(lambda: receiver.taken, "no webhook came")
        ok(owner.delete(f"/webhooks/{hook['id']}"))


def test_the_kinds_of_jobs_are_those_that_the_tests_know() -> None:
    spec = importlib.util.find_spec("argilla_server")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "jobs"
    kinds = {
        line.removeprefix("async def ").split("(")[0]
        for file in folder.glob("*.py")
        for before, line in pairs(file.read_text().splitlines())
        if before.startswith("@job(")
    }
    assert kinds == {
        "update_dataset_records_status_job",
        "import_dataset_from_hub_job",
        "export_dataset_to_hub_job",
        "notify_event_job",
    }


def pairs(lines: list[str]) -> list[tuple[str, str]]:
    return list(itertools.pairwise(lines))
