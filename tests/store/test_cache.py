"""The response cache: R9 of the reliability plan."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import DataError, IncompleteRun
from workbench.models import EndpointSpec, Output, Request, Sampling, Usage, spec_fingerprint
from workbench.records import Message
from workbench.store.cache import ResponseCache, answer_key, keep_answer, kept_answers

SPEC = EndpointSpec(kind="endpoint", base_url="http://127.0.0.1:1/v1", model="m")
REQUEST = Request(messages=(Message(role="user", content="Judge this. Template 1, metric version 1."),), sample_id="s")


def key(request: Request = REQUEST, weights: str = "", **changes: Any) -> bytes:
    return answer_key(spec_fingerprint(SPEC.model_copy(update=changes), weights), request)


def said(text: str) -> Request:
    return REQUEST.model_copy(update={"messages": (Message(role="user", content=text),)})


VARIED = {
    "model": key(model="n"),
    "revision": key(revision="abc"),
    "base_url": key(base_url="http://127.0.0.1:2/v1"),
    "adapter hash": key(weights="f00d"),
    "system prompt": key(system="Be brief."),
    "template": key(said("Judge this. Template 2, metric version 1.")),
    "messages": key(REQUEST.model_copy(update={"messages": (*REQUEST.messages, Message(role="user", content="?"))})),
    "temperature": key(sampling=Sampling(temperature=0.5)),
    "top_p": key(sampling=Sampling(top_p=0.5)),
    "max_tokens": key(sampling=Sampling(max_tokens=5)),
    "seed": key(sampling=Sampling(seed=1)),
    "schema": key(REQUEST.model_copy(update={"json_schema": {"type": "object"}})),
    "repeat": key(REQUEST.model_copy(update={"repeat": 1})),
    "metric version": key(said("Judge this. Template 1, metric version 2.")),
}


@pytest.fixture
def cache(tmp_path: Path) -> Any:
    kept = ResponseCache(tmp_path / "cache" / "answers.sqlite")
    yield kept
    kept.close()


@pytest.mark.parametrize("what", VARIED)
def test_r9_whatever_can_change_an_answer_makes_a_miss(what: str, cache: ResponseCache) -> None:
    cache.put(key(), {"text": "yes"})
    assert cache.get(VARIED[what]) is None
    assert len(set(VARIED.values())) == 14


def test_r9_the_same_question_is_a_hit_whichever_sample_asks(cache: ResponseCache) -> None:
    cache.put(key(), {"text": "yes"})
    assert cache.get(key(REQUEST.model_copy(update={"sample_id": "another"}))) == {"text": "yes"}


def test_limits_price_and_the_keys_name_are_no_part_of_the_key() -> None:
    assert key(api_key_env="ANOTHER") == key()


def test_r9_a_damaged_entry_is_a_miss_and_can_be_made_again(cache: ResponseCache) -> None:
    keys = [key(said(f"question {i}")) for i in range(100)]
    for number, each in enumerate(keys):
        cache.put(each, {"text": f"answer {number}"})
    damaged = sqlite3.connect(cache.path)
    for number, each in enumerate(keys):
        payload = damaged.execute("SELECT payload FROM answers WHERE key = ?", (each,)).fetchone()[0]
        broken: list[Any] = [payload[:-1], payload.replace(b"answer", b"cnswer"), b"", "text", b"\x80\x04K*."]
        damaged.execute("UPDATE answers SET payload = ? WHERE key = ?", (broken[number % 5], each))
    # A payload that was kept under another key is damage too.
    damaged.execute("UPDATE OR REPLACE answers SET key = ? WHERE key = ?", (key(), keys[0]))
    damaged.commit()
    damaged.close()
    assert [cache.get(each) for each in (*keys, key())] == [None] * 101
    cache.put(keys[0], {"text": "again"})
    assert cache.get(keys[0]) == {"text": "again"}


async def test_answers_of_the_same_moment_are_written_together_and_none_is_lost_by_a_stop(tmp_path: Path) -> None:
    written: list[int] = []

    class Counting(ResponseCache):
        def keep(self, entries: Sequence[tuple[bytes, bytes]]) -> None:
            super().keep(entries)
            written.append(len(entries))

    cache = Counting(tmp_path / "answers.sqlite")
    keys = [bytes([number]) * 32 for number in range(20)]
    await asyncio.gather(*(cache.put_together(each, {"text": "yes"}) for each in keys[:10]))
    assert written == [10] and len(cache.find(keys)) == 10
    stopped = [asyncio.create_task(cache.put_together(each, {"text": "yes"})) for each in keys[10:]]
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:  # as `asyncio.run` does at its end
        task.cancel()
    await asyncio.gather(*stopped, return_exceptions=True)
    cache.close()
    assert written == [10, 10] and len(cache.find(keys)) == 20


async def test_an_answer_comes_back_marked_as_cached_without_cost_or_latency(cache: ResponseCache) -> None:
    usage = Usage(input_tokens=3, output_tokens=4, cost=5.0, latency=6.0, attempts=2)
    await keep_answer(cache, key(), Output(text="yes", model="m-1", finish_reason="stop", usage=usage))
    kept = kept_answers(cache, [key()])[0]
    free = Usage(input_tokens=3, output_tokens=4, cost=0.0, charged=0.0, cached=True)
    assert kept == Output(text="yes", model="m-1", usage=free)


def test_what_was_put_survives_the_death_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    code = f"""
import os, signal
from collections.abc import Sequence
from pathlib import Path
from workbench.store.cache import ResponseCache
ResponseCache(Path({str(path)!r})).put(b"k" * 32, {{"text": "kept"}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    cache = ResponseCache(path)
    assert cache.get(b"k" * 32) == {"text": "kept"}
    cache.close()


def test_several_processes_share_a_cache(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    code = """
import sys
from collections.abc import Sequence
from pathlib import Path
from workbench.store.cache import ResponseCache
cache = ResponseCache(Path(sys.argv[1]))
for i in range(200):
    cache.put(f"{sys.argv[2]}-{i}".encode().ljust(32), {"writer": sys.argv[2]})
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(n)]) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    cache = ResponseCache(path)
    assert all(cache.get(f"{n}-{i}".encode().ljust(32)) == {"writer": str(n)} for n in range(3) for i in range(200))
    cache.close()


def test_a_full_disk_stops_the_run_and_names_the_path(cache: ResponseCache) -> None:
    cache.put(b"0" * 32, {"text": "before"})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    try:
        with pytest.raises(IncompleteRun, match=r"no room to write .*answers\.sqlite"):
            for number in range(100):
                cache.put(f"{number}".encode().ljust(32), {"text": "x" * 10_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert cache.get(b"0" * 32) == {"text": "before"}


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(DataError, match=r"answers\.sqlite.*cannot be used.*delete it"):
        ResponseCache(path).get(b"k" * 32)


def test_the_cache_holds_json_and_no_pickle(cache: ResponseCache) -> None:
    cache.put(key(), {"text": "yes"})
    reading = sqlite3.connect(cache.path)
    assert reading.execute("SELECT payload FROM answers").fetchone()[0] == b'{"text":"yes"}'
    reading.close()
