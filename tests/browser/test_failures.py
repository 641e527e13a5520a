"""In Chromium, by keys and clicks: a failure is found, coded, corrected, sent to pairs, and seen as sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.dashboards import serving
from tests.dashboards.conftest import evaluated, write_project
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import PreferencePair
from workbench.failures.failure import Wanted
from workbench.jobs.failures import all_keys, read_book
from workbench.jobs.planning import Asked

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STILL = "[data-test-script-state=notRunning]"
PATIENCE = 60_000


def settled(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector(STILL, state="attached", timeout=PATIENCE)


@pytest.mark.long
def test_a_failure_is_found_coded_corrected_sent_and_seen_as_sent(browser: Browser, tmp_path: Path) -> None:
    bench = write_project(tmp_path / "project")
    (run,) = evaluated(bench, Asked("helpcentre", "dev", "base"))
    first = all_keys(bench, run, Wanted(metric="exact_match"))[0][0]
    with serving(bench.file, tmp_path / "log.txt") as address:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/failures?run={run}&metric=exact_match")
        page.get_by_text("answers that this metric finds wrong").wait_for()
        page.get_by_role("link", name="Code these, one after the other").click()
        page.get_by_label("What went wrong first?").fill("counted one too many")
        page.get_by_text("The answer as it should have been").click()
        page.get_by_label("Whole answer").fill("There are as many as the article says.")
        page.get_by_label("Whole answer").press("Control+Enter")
        settled(page)
        page.keyboard.press("Control+Enter")
        page.get_by_text("1 coded by you").wait_for()
        page.keyboard.press("Alt+ArrowLeft")
        page.get_by_text("this one too").wait_for()
        page.goto(f"{address}/failures?run={run}&metric=exact_match&notes=with")
        page.get_by_text("Send 1 on").click()
        page.get_by_label("What for").click()
        page.get_by_role("option", name="as preference pairs").click()
        settled(page)
        page.get_by_role("button", name="Send on", exact=True).click()
        page.get_by_text("Sent on, and written down.").wait_for()
        page.get_by_role("link", name="See what becomes of it").click()
        page.get_by_text("read from what names the failures").wait_for()
        page.close()
    book = read_book(bench.home)
    (note,), (act,) = book.notes, book.acts
    assert (note.of.sample, note.text) == (first, "counted one too many")
    assert (act.to, act.what, act.by) == ("pairs", (note.of,), note.by)
    (pair,) = find_dataset(bench.home.root, "fixes-train").iter_values()
    assert isinstance(pair, PreferencePair) and pair.chosen.text() == "There are as many as the article says."
