"""The queue on disk: what was put in is there after a kill, whole, in order, and once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import redis
from fakeredis import FakeRedis, FakeServer

from argilla_embedded.queue import Journal, QueueServer, decode, dump, encode, socket_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def serving(folder: Path) -> QueueServer:
    return QueueServer(str(folder / "q.sock"), Journal(folder / "queue.sqlite"))


def client(folder: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(folder / "q.sock"))


def test_what_was_put_in_is_there_after_a_restart(folder: Path) -> None:
    with serving(folder):
        one = client(folder)
        one.rpush("list", b"a\r\nb", b"\x00\xff", "é")
        one.hset("hash", mapping={"x": b"1", "y": b""})
        one.zadd("sorted", {"later": 1790000000.123456, "soon": -1})
        one.sadd("set", "m")
        one.set("text", "t", ex=1000)
        one.delete("list2")
        one.lpop("list")
    with serving(folder):
        one = client(folder)
        assert one.lrange("list", 0, -1) == [b"\x00\xff", "é".encode()]
        assert one.hgetall("hash") == {b"x": b"1", b"y": b""}
        assert one.zrange("sorted", 0, -1, withscores=True) in (
            [(b"soon", -1.0), (b"later", 1790000000.123456)],
            [[b"soon", -1.0], [b"later", 1790000000.123456]],
        )
        assert one.smembers("set") == {b"m"} and one.get("text") == b"t" and 0 < int(one.ttl("text")) <= 1000


def test_everything_acknowledged_survives_a_kill_of_the_process(folder: Path) -> None:
    code = """
import os, signal, sys
from tests.test_queue import client, serving
from pathlib import Path
folder = Path(sys.argv[1])
with serving(folder):
    one = client(folder)
    for number in range(200):
        with one.pipeline() as together:
            together.hset(f"job:{number}", "data", "x" * 1000)
            together.rpush("queue", number)
            together.execute()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=Path(__file__).parents[1], check=False)
    assert ended.returncode == -9
    with serving(folder):
        one = client(folder)
        assert one.lrange("queue", 0, -1) == [b"%d" % number for number in range(200)]
        assert all(one.exists(f"job:{number}") for number in range(200))


def test_a_transaction_that_was_given_up_is_not_played_again(folder: Path) -> None:
    with serving(folder):
        one, other = client(folder), client(folder)
        with one.pipeline() as together:
            together.watch("seen")
            other.set("seen", "changed")
            together.multi()
            together.set("never", "1")
            with pytest.raises(redis.WatchError):
                together.execute()
    with serving(folder):
        assert client(folder).get("never") is None and client(folder).get("seen") == b"changed"


def test_a_command_that_was_refused_is_an_error_and_not_played_again(folder: Path) -> None:
    with serving(folder):
        one = client(folder)
        one.set("text", "t")
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            one.rpush("text", "x")
    with serving(folder):
        assert client(folder).get("text") == b"t"


def test_the_journal_shrinks_to_what_is_still_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argilla_embedded.queue.COMPACT_AFTER", 50)
    with serving(folder) as server:
        one = client(folder)
        for number in range(120):
            one.set("text", number)
        assert server.journal.length <= 51
    with serving(folder):
        assert client(folder).get("text") == b"119"


def test_nobody_else_may_open_the_socket(folder: Path) -> None:
    with serving(folder):
        assert (folder / "q.sock").stat().st_mode & 0o077 == 0
    assert not (folder / "q.sock").exists()


def test_a_deep_home_has_its_socket_elsewhere(tmp_path: Path) -> None:
    assert socket_path(tmp_path / "a") == str(tmp_path / "a" / "queue.sock")
    elsewhere = Path(socket_path(tmp_path / ("d" * 100)))
    assert len(str(elsewhere)) <= 100 and elsewhere.parent.stat().st_mode & 0o077 == 0


def test_commands_read_back_as_they_were_written() -> None:
    command = (b"SET", b"", b"\r\n*1\r\n$3\r\nend", bytes(range(256)))
    assert decode(encode(command)) == command


def test_a_dump_makes_the_same_again_and_forgets_workers() -> None:
    one = FakeRedis(server=FakeServer(), protocol=2)
    one.rpush("rq:queue:high", "a", "b")
    one.hset("rq:worker:x", "state", "busy")
    other = FakeRedis(server=FakeServer(), protocol=2)
    for command in dump(one):
        other.execute_command(*command)
    assert other.lrange("rq:queue:high", 0, -1) == [b"a", b"b"] and not other.exists("rq:worker:x")
