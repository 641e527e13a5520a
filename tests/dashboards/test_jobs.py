"""The page of jobs: what runs, how far, its log, stop and go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from dashboards import acting
from tests.dashboards.conftest import Open
from tests.reports.hostile import HOSTILE
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.jobs.background import Job, job, jobs, start


def slow(bench: Workbench) -> Workbench:
    """Give a project a model that takes a quarter of a second an answer."""
    model = "  slow: {kind: scripted, latency: 0.25, concurrency: 1}\ncandidate: tuned"
    bench.file.write_text(bench.file.read_text().replace("candidate: tuned", model))
    return load_workbench(bench.file)


def wait(bench: Workbench, job_id: str, until: Callable[[Job], bool]) -> Job:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if until(found := job(bench.home, job_id)):
            return found
        time.sleep(0.05)
    raise AssertionError(f"still {job(bench.home, job_id)}")


def test_an_empty_home_says_what_is_listed_here(open_page: Open, empty: Workbench) -> None:
    assert "workbench jobs ls" in open_page("jobs", empty).calm().texts()


def test_a_job_is_seen_running_stopped_by_its_button_and_gone_on_with(open_page: Open, writable: Workbench) -> None:
    bench = slow(writable)
    begun = start(bench, ("eval", "run", "helpcentre", "--model", "slow"), "ada")
    wait(bench, begun.id, lambda j: j.progress is not None and j.progress.done > 0)
    page = open_page("jobs", bench, job=begun.id).calm()
    assert page.at.button(key="cancel").label == "Stop"
    assert "started by ada" in page.texts() and "helpcentre" in page.texts()
    page.at.button(key="cancel").click().run()
    stopped = wait(bench, begun.id, lambda j: not j.alive())
    assert stopped.state == "stopped" and stopped.stops[0].by == "ada"
    page.at.run()
    assert "asked to stop by ada" in page.calm().texts()
    page.at.button(key="resume").click().run()
    again = jobs(bench.home)[0]
    assert again.command.resumes == begun.id and page.at.query_params["job"] in (again.id, [again.id])
    for _ in range(3):
        acting.background.cancel(job(bench.home, again.id), "ada")
    wait(bench, again.id, lambda j: not j.alive())


def test_a_log_and_a_name_are_shown_as_text(open_page: Open, writable: Workbench) -> None:
    begun = start(writable, ("eval", "run", "no-such-set"), "<b>:green-badge[PASS]</b>@example.com")
    ended = wait(writable, begun.id, lambda j: not j.alive())
    with (Path(ended.path) / "log").open("a", encoding="utf-8", errors="replace") as log:
        log.write("\n".join(HOSTILE))
    page = open_page("jobs", writable, job=begun.id).calm()
    assert "UNKNOWN_EVALSET" in page.texts() and ended.state == "failed"
    assert HOSTILE[0] in page.texts() and ":green-badge[" not in "\n".join(c.value for c in page.at.caption)


def test_a_job_that_is_not_there_is_told(open_page: Open, writable: Workbench) -> None:
    start(writable, ("eval", "run", "no-such-set"), "ada")
    assert "UNKNOWN_JOB" in open_page("jobs", writable, job="../../etc").calm().texts()
