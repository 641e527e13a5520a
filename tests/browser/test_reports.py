"""Reports in a real browser: 25 hostile strings in every sink run nothing, ask nobody, and can be read.

WORKBENCH_SCREENSHOTS names a folder to keep the pictures in, for people to look at.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Canary
from tests.reports.hostile import HOSTILE, aimed
from tests.reports.nouns import CALM, comparison, new_run, release
from workbench.reports.as_html import page
from workbench.reports.comparison import comparison_document
from workbench.reports.escaping import one_line, visible
from workbench.reports.gate import gate_document
from workbench.reports.run import run_document

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TAGS = "script, iframe, object, embed, video, img, form, input, base, link, math, image, noscript, textarea"


def run_page(texts: tuple[str, ...], home: Path) -> str:
    run, folder = new_run(texts, home, n=len(texts))
    return page(run_document(run, folder))


PAGES: dict[str, Callable[[tuple[str, ...], Path], str]] = {
    "run": run_page,
    "comparison": lambda texts, _: page(comparison_document(comparison(texts))),
    "gate": lambda texts, _: page(gate_document(release(texts))),
}
"""Between them they show every string as prompt, answer, reason, name and tag."""


class Watch:
    """Opens a page and notes everything it must not do."""

    def __init__(self, browser: Browser, **look: object) -> None:
        self.context = browser.new_context(viewport={"width": 1180, "height": 900}, **look)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("dialog", lambda d: (self.trouble.append(f"dialog {d.message}"), d.dismiss()))
        self.page.on("console", lambda m: self.trouble.append(f"console {m.text}"))
        self.page.on("pageerror", lambda e: self.trouble.append(f"error {e}"))
        self.page.on("request", lambda r: None if r.url.startswith("file:") else self.trouble.append(f"asked {r.url}"))
        self.page.on("popup", lambda p: self.trouble.append(f"popup {p.url}"))

    def open(self, text: str, folder: Path) -> Page:
        file = folder / "page.html"
        file.write_text(text, encoding="utf-8", errors="replace")
        self.page.goto(file.as_uri())
        return self.page


def poke(page: Page) -> None:
    """Do what a reader does: unfold everything, move over and click on texts, press keys."""
    for details in page.locator("details").all():
        details.locator("summary").click()
    for text in page.locator(".text").all()[:30]:
        text.hover()
        text.click()
    for _ in range(10):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")


@pytest.mark.parametrize("name", PAGES)
def test_hostile_text_runs_nothing_and_asks_nobody(name: str, browser: Browser, canary: Canary, tmp_path: Path) -> None:
    texts = tuple(aimed(canary.address))
    watch = Watch(browser)
    page = watch.open(PAGES[name](texts, tmp_path), tmp_path)
    start = page.url
    poke(page)
    page.wait_for_timeout(300)  # for a refresh, a prefetch or a fetch that is under way
    assert watch.trouble == [] and canary.asked == []
    assert page.url.partition("#")[0] == start
    assert page.locator(TAGS).count() == 0
    assert page.locator("svg:not(.plot)").count() == 0
    handlers = (
        "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => /^on|^style$/.test(a.name))"
    )
    assert page.evaluate(f"{handlers}.length") == 0
    links = page.locator("a").evaluate_all("found => found.map(a => a.getAttribute('href'))")
    assert all(link.startswith(("#section-", "#sample-")) for link in links)
    keep(page, f"hostile-{name}")
    watch.context.close()


def test_every_hostile_string_can_be_read_in_the_run_page(browser: Browser, canary: Canary, tmp_path: Path) -> None:
    texts = tuple(aimed(canary.address))
    watch = Watch(browser)
    page = watch.open(run_page(texts, tmp_path), tmp_path)
    shown = set(page.locator(".text").evaluate_all("found => found.map(e => e.textContent)"))
    cells = page.locator("main").evaluate("e => e.textContent")
    for text in texts:
        said = visible(text.encode("utf-8", "replace").decode())
        assert said in shown or visible(text) in shown or one_line(text, 300) in cells, text
    watch.context.close()


def test_the_policy_of_the_page_would_hold_even_without_escaping(
    browser: Browser, canary: Canary, tmp_path: Path
) -> None:
    whole = page(comparison_document(comparison(CALM)))
    bad = "".join(text for text in aimed(canary.address) if "http-equiv" not in text)  # a refresh is no load
    watch = Watch(browser)
    opened = watch.open(whole.replace("<main>", f"<main>{bad}"), tmp_path)
    opened.wait_for_timeout(300)
    assert not [line for line in watch.trouble if line.startswith("dialog")]
    assert canary.asked == []
    watch.context.close()


LOOKS: dict[str, dict[str, str]] = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("look", [*LOOKS, "print"])
def test_the_page_can_be_read(name: str, look: str, browser: Browser, tmp_path: Path) -> None:
    watch = Watch(browser, **LOOKS.get(look, {"color_scheme": "dark"}))
    page = watch.open(PAGES[name](CALM, tmp_path), tmp_path)
    if look == "print":
        page.emulate_media(media="print")
    assert luminance(page, "body", "backgroundColor") < 40 if look == "dark" else 215
    paper, ink = luminance(page, "body", "backgroundColor"), luminance(page, "body", "color")
    assert abs(paper - ink) > 150
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the window"
    plots = page.locator("svg.plot")
    assert plots.count() >= 2
    assert plots.evaluate_all("found => found.every(s => s.getBBox().width <= 880 && s.querySelector('desc'))")
    assert page.locator("svg.plot text").evaluate_all(
        "found => found.every(t => { const b = t.getBBox(); return b.x >= -1 && b.x + b.width <= 881 })"
    ), "a label leaves its picture"
    keep(page, f"{name}-{look}")
    if look == "print":
        page.pdf(path=tmp_path / "page.pdf")
        assert (tmp_path / "page.pdf").stat().st_size > 10_000
        folded = page.locator("details .text").first
        assert folded.count() == 0 or folded.bounding_box() is not None, "a printed page cannot be unfolded"
    watch.context.close()


def luminance(page: Page, selector: str, colour: str) -> float:
    """Return how light a colour is, from 0 to 255."""
    value = page.locator(selector).evaluate(f"e => getComputedStyle(e).{colour}")
    red, green, blue = (float(part) for part in value[value.index("(") + 1 : -1].split(",")[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def keep(page: Page, name: str) -> None:
    """Keep a picture of the whole page where somebody asked for it."""
    if folder := os.environ.get("WORKBENCH_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_link_to_a_sample_unfolds_its_card(browser: Browser, tmp_path: Path) -> None:
    watch = Watch(browser)
    opened = watch.open(PAGES["gate"](CALM, tmp_path), tmp_path)
    link = opened.locator('a[href^="#sample-"]').first
    place = str(link.get_attribute("href"))[1:]
    card = opened.locator(f'dl[id="{place}"]')
    assert not card.is_visible()
    link.click()
    card.wait_for(state="visible", timeout=5_000)
    assert watch.trouble == []


def test_there_are_25_hostile_strings() -> None:
    assert len(HOSTILE) == len(set(HOSTILE)) == 25
