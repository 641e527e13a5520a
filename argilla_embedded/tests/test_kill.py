"""Kill the server without a warning while people answer and records are pushed: what was acknowledged is there."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.serving import Server, make_dataset, make_user, ok, push, submit


@dataclass
class Acknowledged:
    """What the server said it had done."""

    answers: dict[str, str] = field(default_factory=dict)
    """Record id to the last acknowledged value."""
    attempted: dict[str, str] = field(default_factory=dict)
    """Record id to a value that was sent later, and may be there as well."""
    pushed: set[str] = field(default_factory=set)
    """External ids."""
    count: int = 0
    """Acknowledgements."""


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.long)])
def test_every_acknowledged_answer_and_record_is_there_after_kills(own_server: Server, kills: int) -> None:
    own_server.up()
    chance = random.Random(4)
    with own_server.owner() as owner:
        dataset = make_dataset(owner, "default", "killed")
        records = push(owner, dataset, [f"first {number}" for number in range(200)])
        people = [make_user(owner, name, "annotator", "default") for name in ("alice", "bob")]
    keys = [person["api_key"] for person in people]
    told = [Acknowledged() for _ in keys]
    pushed = Acknowledged()
    for number in range(kills):
        stop = threading.Event()
        threads = [
            threading.Thread(target=answer, args=(own_server.client(key), records, said, stop, number))
            for key, said in zip(keys, told, strict=True)
        ]
        threads.append(threading.Thread(target=keep_pushing, args=(own_server.owner(), dataset, pushed, stop, number)))
        for thread in threads:
            thread.start()
        wait_for_progress(told, pushed)
        time.sleep(chance.uniform(0, 0.5))
        own_server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        own_server.up()
        found = every_record(own_server.owner(), dataset)
        for person, said in zip(people, told, strict=True):
            check_answers(found, person["id"], said)
        check_records(found, pushed)
    check_statuses(own_server.owner(), dataset)


def wait_for_progress(told: list[Acknowledged], pushed: Acknowledged) -> None:
    """Wait until everybody was told of something new, so that there is something to lose."""
    before, began = [said.count for said in (*told, pushed)], time.monotonic()
    while any(said.count == had for said, had in zip((*told, pushed), before, strict=True)):
        assert time.monotonic() - began < 60, "nothing was acknowledged for a minute"
        time.sleep(0.01)


def answer(client: httpx.Client, records: list[str], said: Acknowledged, stop: threading.Event, turn: int) -> None:
    """Answer records, over and over, until the server is gone."""
    number = turn * 7
    while not stop.is_set():
        record, value = records[number % len(records)], ("good", "bad")[(number // len(records) + turn) % 2]
        said.attempted[record] = value
        try:
            answered = submit(client, record, value)
        except httpx.TransportError:
            return
        if answered.is_success and answered.json()["items"][0]["error"] is None:
            said.answers[record] = value
            del said.attempted[record]
            said.count += 1
        number += 1


def keep_pushing(owner: httpx.Client, dataset: str, said: Acknowledged, stop: threading.Event, turn: int) -> None:
    """Push records, a batch at a time, until the server is gone."""
    number = 0
    while not stop.is_set():
        texts = [f"turn {turn} batch {number} record {each}" for each in range(20)]
        try:
            push(owner, dataset, texts)
        except httpx.TransportError:
            return
        said.pushed.update(texts)
        said.count += 1
        number += 1


def check_answers(found: list[dict[str, Any]], user: str, said: Acknowledged) -> None:
    """Hold what the server has against what it acknowledged; an answer that was under way may be there as well."""
    has = {
        record["id"]: response["values"]["verdict"]["value"]
        for record in found
        for response in record["responses"]
        if response["user_id"] == user
    }
    for record, value in said.answers.items():
        assert has.get(record) in {value, said.attempted.get(record, value)}, record


def check_records(found: list[dict[str, Any]], said: Acknowledged) -> None:
    """Hold the records against those that were acknowledged: each once."""
    names = [record["external_id"] for record in found]
    assert len(names) == len(set(names))
    assert said.pushed <= set(names)


def check_statuses(owner: httpx.Client, dataset: str) -> None:
    """Wait until every record's status fits its answers, as the job that every start does sees to."""
    stale: list[str] = []
    for _ in range(100):
        stale = [
            record["id"]
            for record in every_record(owner, dataset)
            if (record["status"] == "completed") != any(each["status"] == "submitted" for each in record["responses"])
        ]
        if not stale:
            return
        time.sleep(0.2)
    raise AssertionError(f"{len(stale)} records have a status that does not fit their answers")


def every_record(owner: httpx.Client, dataset: str) -> list[dict[str, Any]]:
    """Return all records of a dataset with all answers."""
    records: list[dict[str, Any]] = []
    while True:
        place = {"include": "responses", "limit": 1000, "offset": len(records)}
        page = ok(owner.get(f"/datasets/{dataset}/records", params=place))["items"]
        records += page
        if len(page) < 1000:
            return records
