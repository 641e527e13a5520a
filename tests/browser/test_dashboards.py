"""The pages in a real browser: 25 hostile strings on each run nothing, ask nobody and fake no verdict."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.browser.conftest import Canary
from tests.browser.dashboards import serving
from tests.reports.hostile import aimed
from tests.reports.nouns import new_run, release
from workbench.config.workbench_yaml import load_workbench
from workbench.gate.last import keep
from workbench.jobs.background import Job, job, start
from workbench.store.home import RunFolder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CONFIG = "home: .\nmodels: {model: {kind: scripted}}\ncandidate: model\n"
DRAWN = "document.querySelector('h1') && document.querySelector('[data-test-script-state=notRunning]')"
TAGS = "script, iframe, object, embed, video, form:not(.vega-bindings), base, math, noscript, style, link, meta"


@pytest.fixture(scope="module")
def home(canary: Canary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which every free text is hostile: two runs, a decision, a job."""
    folder = tmp_path_factory.mktemp("hostile")
    texts = tuple(text.encode("utf-8", "replace").decode() for text in aimed(canary.address))
    _, first = new_run(texts, folder)
    with_specs(first)
    turned(first, folder / "runs" / "20260103-030405678-any-dev-model-0a1c")
    keep(folder, release(texts).gates[0].model_copy(update={"evalset": "helpcentre"}))
    (folder / "workbench.yaml").write_text(CONFIG)
    bench = load_workbench(folder / "workbench.yaml")
    begun = ended(bench.home.root, start(bench, ("eval", "run", "--model", texts[0]), texts[21]))
    (Path(begun.path) / "log").write_text("\n".join(texts), encoding="utf-8", errors="replace")
    return folder


def with_specs(run: RunFolder) -> None:
    """Give a made run the specs of its scorers, which every run that was evaluated has."""
    summary = orjson.loads(run.summary.read_bytes())
    summary["spec"]["scorers"] = [{"kind": "exact_match", "name": f"made-{i}"} for i in range(len(summary["scorers"]))]
    run.summary.write_bytes(orjson.dumps(summary))


def ended(root: Path, begun: Job) -> Job:
    from workbench.store.home import Home

    while (found := job(Home(root), begun.id)).alive():
        pass
    return found


def turned(run: RunFolder, to: Path) -> None:
    """Write a run on the same samples whose answers are those of the neighbours, and whose scores are turned round."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    shutil.copytree(run.path, to)
    other = RunFolder(to)
    answers, scores = pq.read_table(run.samples), pq.read_table(run.scores)
    outputs = answers["output"].combine_chunks()
    moved = pa.concat_arrays([outputs[1:], outputs[:1]])
    at = answers.schema.get_field_index("output")
    pq.write_table(answers.set_column(at, "output", moved), other.samples)
    at = scores.schema.get_field_index("value")
    pq.write_table(scores.set_column(at, "value", pc.subtract(1.0, scores["value"])), other.scores)
    summary = orjson.loads(run.summary.read_bytes())
    other.summary.write_bytes(orjson.dumps(summary | {"id": to.name}))


@pytest.fixture(scope="module")
def address(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(home / "workbench.yaml", tmp_path_factory.mktemp("server") / "log") as found:
        yield found


class Watch:
    """A page of a browser, and everything on it that should not be."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.context = browser.new_context(viewport={"width": 1440, "height": 2400})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(120_000)
        self.trouble: list[str] = []
        self.page.on("dialog", lambda d: (self.trouble.append(f"dialog {d.message}"), d.dismiss()))
        self.page.on("pageerror", lambda e: self.trouble.append(f"error {e}"))
        self.page.on("popup", lambda p: self.trouble.append(f"popup {p.url}"))
        mine = (address, "data:", "blob:")
        self.page.on("request", lambda r: None if r.url.startswith(mine) else self.trouble.append(f"asked {r.url}"))

    def open(self, url: str) -> Page:
        self.page.goto(url)
        self.page.wait_for_function(DRAWN, timeout=120_000)
        return self.page


OPENED = {
    "overview": "/",
    "runs": "/runs",
    "one run": "/runs?run=20260102-030405678-any-dev-model-0a1b",
    "compare": "/compare",
    "jobs": "/jobs",
    "failures": "/failures?run=20260102-030405678-any-dev-model-0a1b",
    "a first failure": "/sample?run=20260102-030405678-any-dev-model-0a1b",
    "coding": "/coding?run=20260102-030405678-any-dev-model-0a1b",
}


@pytest.mark.parametrize("name", OPENED)
def test_hostile_text_runs_nothing_asks_nobody_and_fakes_no_verdict(
    name: str, address: str, browser: Browser, canary: Canary
) -> None:
    watch = Watch(browser, address)
    page = watch.open(address + OPENED[name])
    for folded in page.locator("details summary").all()[:10]:
        folded.click()
    for text in page.locator("[data-testid=stMain]").locator("[data-testid=stText], [data-testid=stHtml]").all()[:20]:
        text.hover()
        text.click()
    for _ in range(10):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert watch.trouble == [] and canary.asked == []
    assert page.locator("[data-testid=stMain]").locator(TAGS).count() == 0
    badges = page.locator("[data-testid=stMarkdownContainer] .stMarkdownBadge").all_inner_texts()
    assert [badge for badge in badges if "PASS" in badge] == []
    assert page.locator("[data-testid=stMarkdownContainer] a[href^=javascript], img[src*='markdown']").count() == 0
    assert "This page broke" not in page.inner_text("body")
    watch.context.close()
