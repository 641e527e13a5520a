"""Twenty people at the pages while an evaluation runs: nothing breaks, every count adds up. MINUTES=5: in full."""

from __future__ import annotations

import asyncio
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import CHROMIUM, QUIET
from tests.browser.dashboards import serving
from tests.dashboards.conftest import write_project
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.jobs.background import Job, job, start

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

SESSIONS = 20
MINUTES = float(os.environ.get("MINUTES", "1"))
PATHS = ("/", "/runs", "/compare", "/failures", "/labelling", "/judges", "/training", "/data", "/jobs")
COUNTS = re.compile(r"([\d,]+) asked = ([\d,]+) answered \+ ([\d,]+) failed")
DRAWN = "document.querySelector('h1') && document.querySelector('[data-test-script-state=notRunning]')"


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; to run this: apt-get install chromium")
def test_twenty_sessions_during_a_running_evaluation_see_no_fault_and_no_torn_count(tmp_path: Path) -> None:
    bench = write_project(tmp_path / "project")
    text = bench.file.read_text()
    slow = "  slow: {kind: scripted, latency: 0.3, concurrency: 1}\ncandidate: tuned"
    bench.file.write_text(text.replace("candidate: tuned", slow))
    bench = load_workbench(bench.file)
    for model in ("base", "tuned"):
        wait(bench, start(bench, ("eval", "run", "helpcentre", "--model", model), "ada"))
    begun = start(bench, ("eval", "run", "helpcentre", "--model", "slow", "--repeats", "20"), "ada")
    log = tmp_path / "log"
    with serving(bench.file, log) as address:
        visits, faults = asyncio.run(visited(bench, address))
    assert faults == [] and visits >= SESSIONS
    assert "Traceback" not in log.read_text(errors="replace")
    assert job(bench.home, begun.id).state in ("running", "done")


def wait(bench: Workbench, begun: Job) -> None:
    while job(bench.home, begun.id).alive():
        time.sleep(0.2)


async def visited(bench: Workbench, address: str) -> tuple[int, list[str]]:
    """Return how many pages were seen by all sessions, and what was wrong with them."""
    from playwright.async_api import async_playwright

    end = time.monotonic() + 60 * MINUTES
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        contexts = [await browser.new_context() for _ in range(SESSIONS)]
        found = await asyncio.gather(*(person(bench, c, address, i, end) for i, c in enumerate(contexts)))
        await browser.close()
    return sum(n for n, _ in found), [fault for _, faults in found for fault in faults]


async def person(bench: Workbench, context: BrowserContext, address: str, at: int, end: float) -> tuple[int, list[str]]:
    """Go from page to page until the time is over, and to a run now and then."""
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda exc: faults.append(f"error {exc}"))
    visits = 0
    while time.monotonic() < end or not visits:
        runs = bench.home.run_ids()
        paths = (*PATHS, f"/runs?run={runs[(at + visits) % len(runs)]}")
        path = paths[(at + visits) % len(paths)]
        await page.goto(address + path, timeout=180_000)
        await page.wait_for_function(DRAWN, timeout=180_000)
        said = await page.inner_text("[data-testid=stMain]")
        if "This page broke" in said or "Traceback" in said:
            faults.append(f"{path}: {said[:300]}")
        for asked, answered, failed in COUNTS.findall(said):
            if int(asked.replace(",", "")) != int(answered.replace(",", "")) + int(failed.replace(",", "")):
                faults.append(f"{path}: {asked} != {answered} + {failed}")
        visits += 1
    return visits, faults
