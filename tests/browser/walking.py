"""Somebody in front of the pages, who clicks and types; and in front of Argilla's, as an annotator."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

STILL = "[data-test-script-state=notRunning]"
PATIENCE = 60_000
SIZE = {"width": 1440, "height": 1000}


class Walker:
    """Somebody who walks through the pages. WORKBENCH_SCREENSHOTS names a folder to keep pictures in."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self.context: BrowserContext = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda e: self.wrong.append(str(e)))

    def open(self, path: str) -> None:
        """Open a page by its address."""
        self.page.goto(f"{self.address}{path}")
        self.page.locator("h1").first.wait_for()
        self.settle()

    def settle(self) -> None:
        """Wait until the page is drawn."""
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector(STILL, state="attached", timeout=PATIENCE)
        assert "This page broke" not in self.page.inner_text("body")

    def menu(self, name: str) -> None:
        """Open a page by the menu."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("heading", name=name, level=1).wait_for()
        self.settle()

    def follow(self, name: str | re.Pattern[str]) -> None:
        """Follow a link of the page."""
        self.page.get_by_role("link", name=name).first.click()
        self.settle()

    def section(self, name: str) -> None:
        """Choose a section of a page."""
        self.page.get_by_test_id("stButtonGroup").get_by_role("radio", name=name, exact=True).first.click()
        self.settle()

    def choose(self, label: str, option: str | re.Pattern[str]) -> None:
        """Choose an option of a list."""
        self.page.get_by_role("combobox", name=label).first.click()
        self.page.get_by_role("option", name=option).first.click()
        self.settle()

    def write(self, label: str, text: str) -> None:
        """Type into a field, and leave it."""
        box = self.page.get_by_label(label, exact=True).first
        box.fill(text)
        box.press("Tab")
        self.settle()

    def unfold(self, name: str) -> None:
        """Open a folded part."""
        self.page.locator("summary").filter(has_text=name).first.click()
        self.settle()

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).first.click()
        self.settle()

    def see(self, text: str | re.Pattern[str], seconds: float = 60) -> None:
        """Wait until a text stands on the page."""
        self.page.get_by_text(text).first.wait_for(timeout=seconds * 1000)
        self.settle()

    def keep(self, name: str) -> None:
        """Keep a picture where somebody asked for it."""
        if folder := os.environ.get("WORKBENCH_SCREENSHOTS"):
            self.page.wait_for_timeout(800)  # charts are drawn a moment later
            self.page.screenshot(path=Path(folder) / f"{name}.png")


class Annotator:
    """Somebody who labels in Argilla's own page."""

    def __init__(self, page: Page, name: str, password: str) -> None:
        self.page = page
        page.set_default_timeout(PATIENCE)
        page.wait_for_url(re.compile("sign-in"))
        page.fill("input[type=text]", name)
        page.fill("input[type=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)

    def settle(self) -> None:
        """Wait until a record and its questions are there."""
        self.page.get_by_text("Submit", exact=True).wait_for()
        self.page.wait_for_timeout(800)  # the page takes the focus a moment later

    def shows(self, text: str) -> bool:
        """Return whether the record that is shown has this text."""
        shown = " ".join(self.page.inner_text("body").replace("\N{WORD JOINER}", "").split())
        return " ".join(text.split()) in shown

    def edit(self, text: str) -> None:
        """Say that the answer wants editing, and write the whole right one."""
        self.page.locator("label, button").get_by_text("Edited below", exact=True).first.click()
        box = self.page.locator("[contenteditable=true]").first
        box.click()
        self.page.keyboard.type(text)

    def submit(self) -> None:
        """Submit, and wait until the server has it."""
        with self.page.expect_response(lambda r: "responses" in r.url and r.request.method in ("POST", "PUT")) as sent:
            self.page.get_by_text("Submit", exact=True).click()
        assert sent.value.ok, sent.value.text()
        self.page.wait_for_timeout(800)
