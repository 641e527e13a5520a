"""In Chromium, after the demo, to the end: failures are coded, sent, labelled in Argilla, pulled, made into a set,
trained on, asked again, and seen as fixed. Nothing stands in for anything. WORKBENCH_SCREENSHOTS keeps the pictures.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.dashboards import serving
from tests.browser.walking import Annotator, Walker
from tests.demo.test_demo import command, outer
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Conversation
from workbench.evaluation.one_sample import OneSample, one_sample
from workbench.jobs.demo import SMALL
from workbench.jobs.failures import read_book
from workbench.jobs.failures_fates import act_fates, fates

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["outer"]
CODED = 3
"""Failures that are coded, sent, labelled and learnt from."""
REVIEW, WHO = "review-1", "ada"


@pytest.mark.long
@pytest.mark.served
@pytest.mark.argilla
def test_failures_are_coded_sent_labelled_pulled_trained_on_asked_again_and_seen_as_fixed(
    outer: Workbench, browser: Browser, tmp_path: Path
) -> None:
    done = subprocess.run(command(outer), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    bench = load_workbench(outer.home.root / SMALL.folder / "workbench.yaml")
    password = new_annotator(bench, WHO)
    try:
        with serving(bench.file, tmp_path / "log.txt") as address:
            walk(Walker(browser, address), bench, password)
        assert "Traceback" not in (tmp_path / "log.txt").read_text(errors="replace")
        check(bench)
    finally:
        workbench(bench, "argilla", "down")


def workbench(bench: Workbench, *words: str) -> str:
    """Run a command of the project as somebody types it; return what it printed."""
    argv = [sys.executable, "-m", "workbench", "--config", str(bench.file), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True, cwd=bench.file.parent).stdout


def new_annotator(bench: Workbench, name: str) -> str:
    """Make an annotator as the Labelling page says; return the password that is shown once."""
    told = workbench(bench, "argilla", "users", "add", name, "--workspace", "default")
    return re.search(r"password\W+(\S+)", told, re.IGNORECASE)[1]  # type: ignore[index]


def walk(who: Walker, bench: Workbench, password: str) -> None:
    """Walk the whole loop by clicking."""
    who.open("/")
    who.keep("1-overview")
    find(who)
    code(who)
    send(who)
    label(who, bench, password)
    build(who)
    train(who)
    ask_again(who)
    see_it_fixed(who)
    assert who.wrong == []


def find(who: Walker) -> None:
    who.menu("Failures")
    who.choose("Run", re.compile("helpcentre · dev · sft-dpo"))
    who.choose("Metric", re.compile("exact_match"))
    who.see("answers that this metric finds wrong")
    who.keep("2-failures")


def code(who: Walker) -> None:
    who.follow("Code these, one after the other")
    for n in range(CODED):
        who.write("What went wrong first?", ("copies another line", "names another thing", "is not in the passages")[n])
        who.page.get_by_role("combobox", name="Tags").click()
        who.page.keyboard.type("wrong line", delay=40)
        who.page.get_by_role("option", name=re.compile("wrong line")).wait_for()
        who.page.keyboard.press("Enter")
        who.settle()
        who.page.keyboard.press("Escape")
        who.keep(f"3-coding-{n}")
        who.page.keyboard.press("Control+Enter")
        who.see(f"{n + 1} coded by you")
    who.follow("Send the coded ones on")


def send(who: Walker) -> None:
    who.unfold(f"Send {CODED} on")
    who.write("Name", REVIEW)
    who.write("Why", "seen in coding")
    who.choose("Template", "response_edit")
    who.keep("4-sending")
    who.press("Send on")
    who.see("Sent on, and written down.")
    who.keep("5-sent")
    who.follow("Where they are labelled, and pulled")


def label(who: Walker, bench: Workbench, password: str) -> None:
    who.see("nothing of it was pulled yet")
    who.press("Ask Argilla now")
    who.see("of 3 records have")
    who.keep("6-waiting")
    with who.page.expect_popup() as opened:
        who.page.get_by_role("link", name="Open in Argilla").click()
    person = Annotator(opened.value, WHO, password)
    waiting = sent(bench)
    while waiting:
        person.settle()
        shown = next(one for one in waiting if person.shows(one.messages[-1].content[-60:]))
        person.edit(shown.references[0])
        who_page, who.page = who.page, person.page
        who.keep(f"7-argilla-{len(waiting)}")
        who.page = who_page
        person.submit()
        waiting.remove(shown)
    person.page.close()
    who.press("Pull what was labelled")
    who.see(re.compile("^As pulled"), 120)
    who.keep("8-pulled")
    who.follow("Build pairs or conversations of it")


def sent(bench: Workbench) -> list[OneSample]:
    (act,) = read_book(bench.home).acts
    return [one_sample(bench.home.run(of.run), of.sample) for of in act.what]


def build(who: Walker) -> None:
    who.choose("Rows", "conversations")
    who.see(f"{CODED} conversations in")
    who.keep("9-pairs")
    who.press("Save")
    who.see("Saved 3 rows")
    who.keep("10-saved")
    who.follow("Plan a training on it")


def train(who: Walker) -> None:
    who.choose("Go on from", re.compile("sft-dpo"))
    who.unfold("Adapter, rate, batches")
    who.write("Epochs", "12")
    who.write("Learning rate", "0.001")
    who.write("Threads", "1")
    who.keep("11-plan")
    who.press("Start training")
    who.see("Started")
    who.keep("12-started")
    who.see("Done: train sft", 300)
    who.keep("12-done")
    who.follow(re.compile("What it made"))
    who.see("Not evaluated yet")
    who.keep("13-trained")


def ask_again(who: Walker) -> None:
    who.page.get_by_role("button", name="Evaluate", exact=True).scroll_into_view_if_needed()
    who.page.wait_for_timeout(3000)  # charts above it are drawn, and move it
    who.press("Evaluate")
    who.see("Started")
    who.see("Evaluate it again", 300)
    who.keep("14-evaluated")


def see_it_fixed(who: Walker) -> None:
    who.menu("Failures")
    who.choose("Run", re.compile("helpcentre · dev · sft-dpo"))
    who.section("What was sent")
    who.see("3 of 3 labelled · 3 in a dataset · trained on by")
    who.unfold("Each of them")
    who.keep("15-fixed")
    who.follow(re.compile("before and after"))
    who.keep("16-before-and-after")


def check(bench: Workbench) -> None:
    """Hold what the pages showed against what lies on the disk."""
    book = read_book(bench.home)
    (act,) = book.acts
    assert len(act.what) == CODED and act.template == "response_edit"
    (told,) = act_fates(bench, [act])
    assert (told.n_labelled, told.n_in_rows, len(told.trained)) == (CODED, CODED, 1)
    assert told.n_fixed == told.n_learnt >= 1, "a tiny model learns at least one of three by heart"
    rows = list(find_dataset(bench.home.root, f"{REVIEW}-train").iter_values())
    assert all(isinstance(row, Conversation) and WHO in row.lineage.annotators for row in rows)
    assert {run.model for fate in fates(bench, act.what).values() for run in fate.fixed_in() if run.learnt} == {
        f"train:{told.trained[0]}"
    }
