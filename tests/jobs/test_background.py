"""Jobs are processes of their own, of a literal list of commands, and never said to run when they do not."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dashboards.conftest import write_project
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.errors import ConfigError, DataError
from workbench.jobs.background import Job, Ran, cancel, job, jobs, log, resume, start
from workbench.jobs.launchable import LAUNCHABLE
from workbench.jobs.process_times import started_at


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A project with a model that takes a quarter of a second an answer, one at a time."""
    made = write_project(tmp_path_factory.mktemp("project"))
    slow = "  slow: {kind: scripted, latency: 0.25, concurrency: 1}\ncandidate: tuned"
    made.file.write_text(made.file.read_text().replace("candidate: tuned", slow))
    return load_workbench(made.file)


SLOW = ("eval", "run", "helpcentre", "--model", "slow")


def wait(bench: Workbench, found: Job, until: Callable[[Job], bool]) -> Job:
    """Return the job when it is as wanted."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = job(bench.home, found.id)
        if until(now):
            return now
        time.sleep(0.05)
    raise AssertionError(f"still {job(bench.home, found.id)}\n{log(found)}")


def ended(found: Job) -> bool:
    return not found.alive()


def test_a_job_runs_to_its_end_and_says_who_what_and_which_run(bench: Workbench) -> None:
    begun = start(bench, ("eval", "run", "helpcentre", "--model", "base", "--limit", "5"), "ada@example.com")
    assert begun.state in ("running", "done")
    done = wait(bench, begun, ended)
    assert (done.state, done.code, done.command.by) == ("done", 0, "ada@example.com")
    assert done.progress is not None and done.progress.done == done.progress.total > 0
    assert [made.id for made in done.made] == bench.home.run_ids()[-1:]
    assert "exact_match" in log(done)
    assert jobs(bench.home)[0].id == done.id == job(bench.home, "latest").id


def test_a_job_that_is_stopped_ends_resumably_and_is_gone_on_with(bench: Workbench) -> None:
    begun = wait(bench, start(bench, SLOW, "ada"), lambda j: j.progress is not None and j.progress.done > 0)
    cancel(begun, "grace")
    assert job(bench.home, begun.id).state in ("stopping", "stopped")
    stopped = wait(bench, begun, ended)
    assert (stopped.state, stopped.code, [stop.by for stop in stopped.stops]) == ("stopped", 143, ["grace"])
    cancel(stopped, "grace")
    assert len(job(bench.home, begun.id).stops) == 1, "what has ended is not asked to stop"
    again = resume(bench, stopped, "ada")
    more = wait(bench, again, lambda j: j.progress is not None and j.progress.done > 1)
    assert again.command.resumes == stopped.id and more.made == stopped.made
    assert more.progress is not None and more.progress.begun > 0, "what was answered is not asked again"
    for _ in range(3):
        cancel(more, "ada")
    assert wait(bench, again, ended).state == "stopped"


def test_who_is_killed_is_not_said_to_run(bench: Workbench) -> None:
    begun = wait(bench, start(bench, SLOW, "ada"), lambda j: j.progress is not None and j.progress.done > 0)
    ran = Ran.model_validate_json((Path(begun.path) / "state.json").read_bytes())
    os.kill(ran.pid, signal.SIGKILL)
    wait(bench, begun, lambda _: started_at(ran.pid) != ran.pid_started)
    assert job(bench.home, begun.id).state == "running", "the command itself goes on"
    cancel(begun, "ada")
    lost = wait(bench, begun, ended)
    assert (lost.state, lost.code) == ("lost", None) and lost.resumable()


def test_a_number_that_another_process_has_now_is_not_signalled(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = wait(bench, start(bench, SLOW, "ada"), lambda j: (Path(j.path) / "state.json").exists())
    sent: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "kill", lambda pid, number: sent.append(pid))
        patched.setattr("workbench.jobs.background.started_at", lambda pid: "another boot:1")
        cancel(begun, "ada")
    assert sent == []
    for _ in range(3):
        cancel(begun, "ada")
    wait(bench, begun, ended)


REFUSED = (
    ("doctor",),
    ("eval",),
    ("eval", "run", "--html", "x.html"),
    ("eval", "run", "--config=/etc/passwd"),
    ("data", "export", "helpcentre", "--out", "x"),
    ("sh", "-c", "true"),
    ("--config", "x", "eval", "run"),
    ("eval", "run", "a\x00b"),
    ("eval", "run", "a\nb"),
    ("label", "push", "x", "--from", "/etc/passwd"),
    ("label", "push", "x", "--from=../../secret"),
    ("train", "sft", "~/recipe.yaml"),
    ("eval", "run", *["x"] * 300),
)


@pytest.mark.parametrize("argv", REFUSED)
def test_what_is_not_on_the_list_is_not_started(argv: tuple[str, ...], empty_bench: Workbench) -> None:
    with pytest.raises(ConfigError, match="NO_SUCH_JOB"):
        start(empty_bench, argv, "ada")
    assert jobs(empty_bench.home) == []


@pytest.fixture(scope="module")
def empty_bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return write_project(tmp_path_factory.mktemp("none"))


def test_every_command_of_the_list_and_its_options_are_there() -> None:
    import click

    from workbench.cli.reference import commands

    known = dict(commands())
    for words, options in LAUNCHABLE.items():
        command = known[" ".join(("workbench", *words))]
        assert not isinstance(command, click.Group)
        there = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(options) <= there, f"{words}: {set(options) - there}"


@pytest.mark.parametrize("name", ["../runs", "x", "", "20260101-000000000-x"])
def test_a_job_that_is_not_there_is_told(name: str, empty_bench: Workbench) -> None:
    with pytest.raises(DataError, match="UNKNOWN_JOB"):
        job(empty_bench.home, name)
