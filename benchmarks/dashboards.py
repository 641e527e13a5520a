"""How long the pages take in Chromium over a home of 1,000,000 scores, beyond a Streamlit page that shows a constant.

Both servers run side by side; each page is opened right after the constant one, in a browser context of its own, and
run again once everything on it is drawn. The 95th percentile of the differences is the figure. A page is open when its
script has ended; until its charts and grids are drawn too, the browser loads their programs, which is told besides.
"""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, Goal
from benchmarks.run_folders import write_runs
from benchmarks.setting import Setting
from workbench.cli.serving_dashboards import SETTINGS
from workbench.store.home import RunFolder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAME = "dashboards"
OPENS = 4
"""Times that each page is opened in a round."""
RERUNS = 3
"""Times that it is run again each time."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CONFIG = """\
home: .
models: {made: {kind: scripted}}
candidate: made
"""
CONSTANT = 'import streamlit as st\nst.title("Constant")\nst.write(42)\n'
DRAWN = "() => document.querySelector('h1') && document.querySelector('[data-test-script-state=notRunning]')"
WHOLE = "() => !document.querySelector('[data-testid=stSkeleton]')"
RERUN = """() => new Promise(done => {
    const KEY = {key: 'r', code: 'KeyR', keyCode: 82, which: 82, bubbles: true}
    const app = document.querySelector('[data-test-script-state]'), began = performance.now()
    let ran = false
    new MutationObserver((_, watch) => {
        if (app.dataset.testScriptState !== 'notRunning') ran = true
        else if (ran) { watch.disconnect(); done(performance.now() - began) }
    }).observe(app, {attributes: true, attributeFilter: ['data-test-script-state']})
    for (const what of ['keydown', 'keyup']) document.body.dispatchEvent(new KeyboardEvent(what, KEY))
})"""
"""Asks for a rerun as the key `r` does; resolves with its milliseconds."""


@dataclass(frozen=True)
class Visit:
    """The seconds that one visit of a page took."""

    opened: float
    """Until its script had ended."""
    whole: float
    """Until its charts and grids were drawn too."""
    rerun: tuple[float, ...]
    """For each run after that."""


@dataclass(frozen=True)
class Served:
    """A server of pages."""

    address: str
    process: subprocess.Popen[bytes]

    def peak_mb(self) -> float:
        """Return the most memory it held, in MB of 2**20 bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def dashboards(setting: Setting) -> list[Figure]:
    """Measure opening and rerunning every page, and the server's memory."""
    from playwright.sync_api import sync_playwright

    pages = _pages(_home(setting))
    opened: dict[str, list[float]] = {name: [] for name in pages}
    whole: dict[str, list[float]] = {name: [] for name in pages}
    rerun: dict[str, list[float]] = {name: [] for name in pages}
    memory: list[float] = []
    with _both(setting) as (constant, real), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=list(QUIET))
        for number in (0, *setting.each_round()):
            setting.say(f"round {number}" if number else "one round that does not count")
            for name, path in pages.items():
                found = [_beyond(browser, constant, real, path) for _ in range(OPENS if number else 1)]
                if number:
                    opened[name].append(_p95([one.opened for one in found]))
                    whole[name].append(_p95([one.whole for one in found]))
                    rerun[name].append(_p95([took for one in found for took in one.rerun]))
            if number:
                memory.append(real.peak_mb())
        browser.close()
    return [
        *(
            Figure(NAME, f"{name}: opens, p95 beyond a constant", "s", tuple(opened[name]), Goal("<=", 0.4))
            for name in pages
        ),
        *(Figure(NAME, f"{name}: is whole, p95 beyond a constant", "s", tuple(whole[name])) for name in pages),
        *(
            Figure(NAME, f"{name}: reruns, p95 beyond a constant", "s", tuple(rerun[name]), Goal("<=", 0.15))
            for name in pages
        ),
        Figure(NAME, "the server's memory, peak", "MB", tuple(memory), Goal("<=", 500)),
    ]


def _beyond(browser: Browser, constant: Served, real: Served, path: str) -> Visit:
    """Return by how many seconds a page takes longer than the constant one. Never below a microsecond."""
    base, found = _visit(browser, constant.address), _visit(browser, real.address + path)
    return Visit(
        max(1e-6, found.opened - base.opened),
        max(1e-6, found.whole - base.whole),
        tuple(max(1e-6, took - before) for took, before in zip(found.rerun, base.rerun, strict=True)),
    )


def _visit(browser: Browser, address: str) -> Visit:
    """Open a page in a fresh context, and run it again."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page: Page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_function(DRAWN, timeout=120_000, polling=5)
    opened = time.perf_counter() - began
    page.wait_for_function(WHOLE, timeout=120_000, polling=5)
    whole = time.perf_counter() - began
    again = []
    for _ in range(RERUNS):
        page.wait_for_timeout(300)
        again.append(float(page.evaluate(RERUN)) / 1000)
    if "This page broke" in page.inner_text("body"):
        raise RuntimeError(f"{address} broke")
    context.close()
    return Visit(opened, whole, tuple(again))


def _pages(folders: Sequence[RunFolder]) -> dict[str, str]:
    """Return every page's address by its name."""
    before, after = folders[0].id, folders[-1].id
    from dashboards.app import PAGES

    found = {spec.title: f"/{spec.name}" for spec in PAGES[1:]}
    asked = {
        "Compare": f"?a={before}&b={after}",
        "Failures": f"?run={after}",
        "Sample": f"?run={after}&sample=s000003",
        "Coding": f"?run={after}",
    }
    found = {title: path + asked.get(title, "") for title, path in found.items()}
    return {"Overview": "/", "One run": f"/runs?run={after}", **found}


def _home(setting: Setting) -> list[RunFolder]:
    (setting.folder / "workbench.yaml").write_text(CONFIG)
    (setting.folder / "constant.py").write_text(CONSTANT)
    return write_runs(setting)


@contextmanager
def _both(setting: Setting) -> Iterator[tuple[Served, Served]]:
    """Serve a constant page and the real ones, side by side, under the same settings."""
    flags = [f"--{name}={value}" for name, value in SETTINGS.items()]
    config = str(setting.folder / "workbench.yaml")
    commands = [
        [
            "-m",
            "streamlit",
            "run",
            str(setting.folder / "constant.py"),
            *flags,
            "--server.address=127.0.0.1",
            "--server.port",
        ],
        ["-m", "workbench", "--config", config, "dashboards", "--port"],
    ]
    served: list[Served] = []
    with (setting.log()).open("ab") as log:
        try:
            for command in commands:
                port = _free_port()
                process = subprocess.Popen(
                    [sys.executable, *command, str(port)], stdout=log, stderr=log, env=os.environ
                )
                served.append(Served(f"http://localhost:{port}", process))
            for server in served:
                _wait(server)
            yield served[0], served[1]
        finally:
            for server in served:
                server.process.terminate()
                server.process.wait()


def _wait(server: Served) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.address}/_stcore/health"):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{server.address} does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        sys.exit("no Chromium here; to measure the pages: apt-get install chromium")
    return found


def _p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]
