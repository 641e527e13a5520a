"""What a reader must find: the decision first, n and failures beside every number, and the way down."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.hostile import HOSTILE
from tests.reports.nouns import CALM, comparison, difference, new_run, release
from workbench.evaluation.comparison import Comparisons
from workbench.gate.decision import Release
from workbench.reports.as_html import POLICY, page
from workbench.reports.as_markdown import LIMIT, markdown
from workbench.reports.changes import anchor
from workbench.reports.comparison import comparison_document, comparisons_document
from workbench.reports.document import Card, Document, Facts, Heading, Paragraph, Samples, Table, Verdict
from workbench.reports.gate import gate_document
from workbench.reports.plots import direction
from workbench.reports.run import run_document
from workbench.reports.words import number, p_value, signed

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Nested(HTMLParser):
    """Fails on a tag that is closed in the wrong order; collects tags, addresses and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.ids: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "action", "data", "xlink:href")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(text: str) -> Nested:
    found = Nested()
    found.feed(text)
    found.close()
    assert found.open == []
    return found


@pytest.mark.parametrize("texts", [CALM, HOSTILE], ids=["calm", "hostile"])
def test_every_page_is_well_formed_loads_nothing_and_has_no_script(texts: tuple[str, ...], tmp_path: Path) -> None:
    run, folder = new_run(texts, tmp_path)
    pages = [run_document(run, folder), comparison_document(comparison(texts)), gate_document(release(texts))]
    for text in map(page, pages):
        found = checked(text)
        assert not found.tags & {"script", "iframe", "object", "embed", "img", "link", "form", "base", "input"}
        assert all(link is not None and link.startswith(("#section-", "#sample-")) for link in found.links)
        assert {str(link)[1:] for link in found.links} <= set(found.ids), "every link has a place on the page"
        assert len(found.ids) == len(set(found.ids))
        assert len(found.ids) == len(set(found.ids))
        assert f'http-equiv="Content-Security-Policy" content="{POLICY}"' in text
        assert text.index("Content-Security-Policy") < text.index("<title>")


@pytest.mark.parametrize("texts", [CALM, HOSTILE], ids=["calm", "hostile"])
def test_every_markdown_table_has_as_many_cells_as_its_head(texts: tuple[str, ...], tmp_path: Path) -> None:
    run, folder = new_run(texts, tmp_path)
    for document in (run_document(run, folder), comparison_document(comparison(texts)), gate_document(release(texts))):
        text = markdown(document)
        assert len(text) < LIMIT + 200
        for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
            assert len({line.count("|") for line in table.splitlines()}) == 1
        assert not [line for line in text.splitlines() if line.startswith(("    ", "```", "---", "<", "/", ">"))]


def test_a_run_shows_n_failures_interval_and_worst_case_beside_every_mean(tmp_path: Path) -> None:
    run, folder = new_run(CALM, tmp_path)
    text = folder.report.read_text(encoding="utf-8")
    whole = next(m for m in run.metrics if m.scorer.startswith("right") and not m.slice)
    assert whole.interval is not None and whole.worst_case is not None and whole.n_failed == 6
    low, high, worst = whole.interval.low, whole.interval.high, whole.worst_case.low
    assert (
        f"| {whole.value:.3f} | [{low:.3f}, {high:.3f}] | 24 | 6 (no_output 3, unparsable 3) | 0 | [{worst:.3f}" in text
    )
    html = folder.page.read_text(encoding="utf-8")
    assert f"{whole.value:.3f} [{low:.3f}, {high:.3f}]" in html and 'class="worst"' in html
    assert "30 asked = 27 answered + 3 failed" in text and "30 asked = 27 answered + 3 failed" in html
    assert f"workbench eval show {run.id}" in text


def test_a_run_page_shows_the_samples_without_answer_without_score_and_the_lowest(tmp_path: Path) -> None:
    _, folder = new_run(CALM, tmp_path)
    html = folder.page.read_text(encoding="utf-8")
    titles = re.findall(r"<h2[^>]*>([^<]*)</h2>", html)
    assert titles[-4:] == ["No answer", "No score", "Lowest right names the right plan", "Lowest rubric"]
    assert html.count("<details>") == 3 + 6 + 20 + 20
    assert html.index("0.000") < html.index("<dt>reason</dt>")


def test_a_gate_says_the_decision_before_anything_else_and_gives_a_row_a_rule() -> None:
    text = markdown(gate_document(release()))
    lines = text.splitlines()
    assert lines[2] == "## ❌ Do not ship"
    for verdict in ("✅ pass", "❌ fail", "❔ inconclusive", "🟡 waived"):
        assert f"| {verdict} |" in text
    assert text.count("| `helpcentre:") == 7
    assert "| `helpcentre:style` | ❌ fail | -0.050 | [-0.070, -0.030] | above -0.020 | 200 | 2 |" in text
    assert "workbench eval compare 20260102-030405678-base 20260102-030405678-tuned" in text
    assert "unaccounted for" in text


@pytest.mark.parametrize(("decision", "word"), [("pass", "Ship"), ("inconclusive", "Not enough evidence")])
def test_each_decision_has_its_word(decision: str, word: str) -> None:
    assert word in markdown(gate_document(release(decision=decision))).splitlines()[2]


def test_several_evalsets_are_listed_first() -> None:
    one, two = release().gates[0], release(decision="pass").gates[0]
    text = markdown(gate_document(Release(decision="fail", gates=(one, two), at=one.at)))
    assert "2 evalsets: 1 pass, 1 fail" in text
    checked(page(gate_document(Release(decision="fail", gates=(one, two), at=one.at))))


def test_an_undefined_difference_is_a_dash_with_its_reason_and_never_a_number() -> None:
    text = markdown(comparison_document(comparison()))
    assert "| empty | 0.710 | — | — | none: nothing was scored on both sides | — |" in text
    assert "NaN" not in text and "nan" not in page(comparison_document(comparison())).lower().replace("finance", "")


def test_a_slice_is_marked_only_where_the_adjusted_p_value_agrees() -> None:
    chance = difference("right", 0.1, 0.05, p=0.01, p_adjusted=0.2, adjustment="benjamini-hochberg")
    real = difference("right", 0.1, 0.05, p=0.001, p_adjusted=0.01, adjustment="benjamini-hochberg")
    worse = difference("right", 0.1, 0.05, p=0.001, better="lower")
    assert [direction(m) for m in (chance, real, worse)] == ["inconclusive", "pass", "fail"]


def test_every_regression_and_fix_leads_to_a_card_with_both_answers_scores_and_reasons() -> None:
    found = comparison()
    text = page(comparison_document(found))
    for change in found.changes:
        place = anchor("sample", change.sample_id)
        assert f'<a href="#{place}">' in text
        card = text.partition(f'<dl id="{place}">')[2].partition("</dl>")[0]
        for said in (change.question, change.answer_before, change.answer_after, change.reason):
            assert said in card
        assert number(change.before) in card and "--sample" in card
    assert f"](<gate.html#{place}>)" in markdown(comparison_document(found), "gate.html")
    assert "](<https://ci.example/job%201/gate.html#sample-" in markdown(
        comparison_document(found), "https://ci.example/job 1/gate.html"
    )
    assert "](" not in markdown(comparison_document(found)), "without a page there is nothing to lead to"


def test_a_sample_that_changed_in_two_metrics_has_one_card() -> None:
    found = comparison()
    one = found.changes[0]
    twice = found.model_copy(update={"changes": (one, one.model_copy(update={"scorer": "style", "kind": "fix"}))})
    text = page(comparison_document(twice))
    place = anchor("sample", one.sample_id)
    assert (text.count(f'<dl id="{place}">'), text.count(f'<a href="#{place}">')) == (1, 2)


@given(st.lists(st.text(max_size=90), max_size=6, unique=True))
def test_anchors_are_plain_and_no_two_samples_share_one(ids: list[str]) -> None:
    found = [anchor("sample", name) for name in ids]
    assert len(set(found)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", name) for name in found)


def test_a_metric_that_is_better_lower_says_so_wherever_it_stands() -> None:
    text = page(comparison_document(comparison()))
    assert "brevity (lower is better)" in text
    decided = release()
    lower = decided.gates[0].rows[4].model_copy(update={"better": "lower"})
    gate = decided.gates[0].model_copy(update={"rows": (lower,)})
    document = gate_document(decided.model_copy(update={"gates": (gate,)}))
    assert "helpcentre:brevity.max` (lower is better)" in markdown(document)
    assert page(document).count("(lower is better)") >= 3


def test_several_candidates_stand_in_one_table_with_holm() -> None:
    one = comparison()
    metrics = (difference("right", 0.06, 0.03, p_adjusted=0.062, adjustment="holm"),)
    several = Comparisons(against=(one.model_copy(update={"metrics": metrics}),) * 3)
    text = markdown(comparisons_document(several))
    assert "3 models against" in text and "p, Holm" in text and text.count("| 0.0620 |") == 6
    checked(page(comparisons_document(several)))
    assert comparisons_document(Comparisons(against=(one,))) == comparison_document(one)


def test_a_report_too_long_for_a_comment_says_what_it_left_out() -> None:
    rows = [("x" * 100, str(i)) for i in range(200)]
    table = Table(("a", "b"), rows)
    text = markdown(Document("long", [table, *(Paragraph("word " * 100) for _ in range(300))]))
    assert "… and 160 more rows in the HTML page." in text
    assert len(text) < 65_536 and text.rstrip().endswith("more parts are in the HTML page.")


def test_a_long_answer_is_cut_and_says_by_how_much() -> None:
    text = page(Document("t", [Samples([Card("s", "0", (("answer", "y" * 10_000),))])]))
    assert "… (4000 more characters)" in text


@pytest.mark.parametrize("lead", ["- ", "+ ", "1. ", "/close", "=== ", "1) ", "# "])
def test_a_line_that_begins_with_markup_stays_a_line_of_text(lead: str) -> None:
    from tests.reports.test_escaping import shown

    blocks = [Heading("x"), Verdict("plain", "word", f"{lead}said"), Paragraph(f"{lead}said"), Facts([f"{lead}said"])]
    found = shown(markdown(Document("t", blocks)))
    assert set(found.tags) <= {"h1", "h2", "p", "ul", "li"} and found.tags.count("li") == 1
    assert not any(line.startswith("/") for line in markdown(Document("t", blocks)).splitlines())


def test_numbers_in_words() -> None:
    assert [number(x) for x in (None, 0.0, -0.0, 0.81249, -0.0001, 1234.5)] == [
        "—", "0.000", "0.000", "0.812", "-0.0001", "1234.500",
    ]  # fmt: skip
    assert [signed(x) for x in (None, 0.5, 0.0, -0.5)] == ["—", "+0.500", "0.000", "-0.500"]
    assert [p_value(p) for p in (None, 0.04, 0.00001)] == ["—", "0.0400", "< 0.0001"]


def test_no_event_loop_is_left_behind() -> None:
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
