"""The journal: what was acknowledged is on disk, whole, once."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import DataError, IncompleteRun
from workbench.store.journal import FORMAT, Journal


async def test_what_was_added_can_be_read_back_by_sample(tmp_path: Path) -> None:
    async with Journal(tmp_path / "j.sqlite") as journal:
        journal.add_output("a", 0, b"one")
        journal.add_score("a", 0, "f1", b"score")
        journal.add_output("b", 1, b"two")
        await journal.durable()
        entries = await journal.entries(["a"])
    assert entries.outputs == {("a", 0): b"one"}
    assert entries.scores == {("a", 0, "f1"): b"score"}


async def test_the_same_key_is_kept_once_with_its_latest_value(tmp_path: Path) -> None:
    async with Journal(tmp_path / "j.sqlite") as journal:
        journal.add_output("a", 0, b"old")
        await journal.durable()
        journal.add_output("a", 0, b"new")
        await journal.durable()
        assert await journal.counts() == (1, 0)
        assert (await journal.entries(["a"])).outputs[("a", 0)] == b"new"


async def test_closing_makes_everything_durable_without_being_asked(tmp_path: Path) -> None:
    async with Journal(tmp_path / "j.sqlite") as journal:
        for i in range(1500):
            journal.add_output(f"s{i}", 0, b"x")
    async with Journal(tmp_path / "j.sqlite") as journal:
        assert await journal.counts() == (1500, 0)


async def test_waiters_share_commits_and_none_is_forgotten(tmp_path: Path) -> None:
    async with Journal(tmp_path / "j.sqlite") as journal:

        async def write(k: int) -> None:
            journal.add_score(f"s{k}", 0, "f1", b"x")
            await journal.durable()
            assert (await journal.entries([f"s{k}"])).scores

        await asyncio.gather(*(write(k) for k in range(200)))


async def test_what_was_spent_is_what_the_budget_was_charged_also_where_the_cost_is_unknown(tmp_path: Path) -> None:
    async with Journal(tmp_path / "j.sqlite") as journal:
        journal.add_output("a", 0, b'{"ok":{"text":"x","usage":{"cost":null,"charged":4.0}}}')
        journal.add_output("b", 0, b'{"failed":{"kind":"malformed","usage":{"cost":1.0,"charged":2.0}}}')
        journal.add_output("c", 0, b'{"ok":{"text":"x","usage":{"cost":null,"charged":null}}}')
        journal.add_score("a", 0, "f1", b'{"ok":{"value":1.0,"usage":{"cost":0.5,"charged":0.5}}}')
        journal.add_score("b", 0, "f1", b'{"failed":{"kind":"no_output","usage":null}}')
        await journal.flush()
        assert await journal.spent() == 6.5


async def test_failures_can_be_forgotten_while_what_does_not_apply_stays(tmp_path: Path) -> None:
    async with Journal(tmp_path / "j.sqlite") as journal:
        journal.add_output("a", 0, b"bad: timeout")
        journal.add_output("b", 0, b"good")
        journal.add_score("b", 0, "f1", b"bad: judge")
        journal.add_score("b", 0, "em", b"bad: n/a")
        await journal.durable()
        assert await journal.forget(b"bad:", but_not=b"bad: n/a") == 2
        entries = await journal.entries(["a", "b"])
    assert set(entries.outputs) == {("b", 0)}
    assert set(entries.scores) == {("b", 0, "em")}


async def test_an_id_with_a_lone_surrogate_is_stored_escaped(tmp_path: Path) -> None:
    async with Journal(tmp_path / "j.sqlite") as journal:
        journal.add_output("a\ud800", 0, b"x")
        await journal.durable()
        assert await journal.counts() == (1, 0)


async def test_a_journal_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "j.sqlite")
    db.execute(f"PRAGMA user_version={FORMAT + 1}")
    db.close()
    with pytest.raises(DataError, match=r"newer workbench \(format 2, this one knows 1\).*\[JOURNAL\]"):
        async with Journal(tmp_path / "j.sqlite"):
            pass


async def test_a_damaged_journal_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_bytes(b"not a database, but long enough to look like a file" * 20)
    with pytest.raises(DataError, match=r"j\.sqlite: is damaged.*\[JOURNAL\]"):
        async with Journal(tmp_path / "j.sqlite"):
            pass


ACKNOWLEDGING = """
import asyncio, sys
from pathlib import Path
from workbench.store.journal import Journal

async def main():
    async with Journal(Path(sys.argv[1])) as journal:
        async def write(k):
            for i in range(10_000):
                journal.add_output(f"{k}-{i}", 0, b"payload" * 20)
                await journal.durable()
                print(f"{k}-{i}", flush=True)
        await asyncio.gather(*(write(k) for k in range(16)))

asyncio.run(main())
"""


async def test_sigkill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    for trial in range(3):
        path = tmp_path / f"{trial}.sqlite"
        with subprocess.Popen(
            [sys.executable, "-c", ACKNOWLEDGING, str(path)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            seen = [child.stdout.readline().strip() for _ in range(200 + 150 * trial)]
            os.kill(child.pid, signal.SIGKILL)
            seen += [line.strip() for line in child.stdout if line.endswith("\n")]
        async with Journal(path) as journal:
            entries = await journal.entries(seen)
        assert {s for s, _ in entries.outputs} == set(seen)
        assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


FILLING = """
import asyncio, resource, signal, sys
from pathlib import Path
from workbench.store.journal import Journal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

async def main():
    async with Journal(Path(sys.argv[1])) as journal:
        for i in range(10_000):
            journal.add_output(str(i), 0, b"x" * 1000)
            await journal.durable()
            print(i, flush=True)

try:
    asyncio.run(main())
except Exception as exc:
    print(type(exc).__name__, exc)
"""


async def test_a_disk_that_cannot_take_more_stops_the_run_names_the_path_and_loses_nothing(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE  # the limit stands in for a full disk: the kernel refuses the write in the same way
    path = tmp_path / "j.sqlite"
    done = subprocess.run([sys.executable, "-c", FILLING, str(path)], capture_output=True, text=True, check=True)
    *acknowledged, last = done.stdout.splitlines()
    assert last.startswith(f"{IncompleteRun.__name__} no room to write {path}")
    async with Journal(path) as journal:
        entries = await journal.entries(acknowledged)
        assert len(entries.outputs) == len(acknowledged) > 10
        journal.add_output("after", 0, b"x")
        await journal.durable()
