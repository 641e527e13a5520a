"""Hostile text stays text: parsed back, it is what it was, and no tag, link or control character came with it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.reports.hostile import HOSTILE
from workbench.reports.escaping import (
    BREAK,
    UNSEEN,
    html_text,
    markdown_code,
    markdown_text,
    one_line,
    shorten,
    visible,
    xml_attribute,
    xml_text,
)

SIGNS = "<>&\"'`*_[](){}#!|~$:@\\/-+=.;%^ \t\nabcXYZ019wﷺ\u202e\u200b\x00\x1b\ud800é😀"
MARKUP = st.text(st.sampled_from(SIGNS), max_size=40)
ANY = st.text(st.characters(codec=None), max_size=60) | MARKUP | st.sampled_from(HOSTILE)
WHOLE = 10_000


class Seen(HTMLParser):
    """Keeps text, tags and attribute values."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.values = "", [], []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [value for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(page: str) -> Seen:
    parser = Seen()
    parser.feed(page)
    parser.close()
    return parser


def shown(page: str) -> Seen:
    """Return what a Markdown page looks like once a reader has made HTML of it."""
    return seen(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(page))


@given(ANY)
def test_html_text_comes_back_and_brings_no_tag(text: str) -> None:
    page = seen(f'<p title="{html_text(text)}">{html_text(text)}</p>')
    assert page.text == visible(text)
    assert page.tags == ["p"] and page.values == [visible(text)]


@given(ANY)
def test_xml_text_and_attributes_come_back(text: str) -> None:
    page = f'<?xml version="1.0" encoding="UTF-8"?><a b="{xml_attribute(text)}">{xml_text(text)}</a>'
    root = ET.fromstring(page.encode("utf-8"))
    assert (root.text or "") == visible(text) and root.get("b") == visible(text)
    assert len(root) == 0


@settings(max_examples=300)
@given(ANY)
def test_markdown_text_comes_back_from_a_table_cell_as_nothing_but_text(text: str) -> None:
    page = shown(f"| a | b |\n|---|---|\n| {markdown_text(f'x{text}x', WHOLE)} | end |")
    assert page.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    assert [line for line in page.text.replace(BREAK, "").split("\n") if line] == [
        "a",
        "b",
        one_line(f"x{text}x", WHOLE),
        "end",
    ]


@given(ANY)
def test_markdown_code_holds_what_it_was_given(text: str) -> None:
    page = shown(f"x{markdown_code(text, WHOLE)}")
    assert page.tags == ["p", "code"]
    assert page.text[1:].strip() == one_line(text, WHOLE).replace("|", "¦").strip()


@given(ANY)
def test_nothing_invisible_is_left_and_utf_8_can_hold_it(text: str) -> None:
    assert not UNSEEN.search(visible(text))
    visible(text).encode("utf-8")
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("\x1b[31mPASS", "␛[31mPASS"),
        ("evil\u202egnp.exe", "evil⟦U+202E⟧gnp.exe"),
        ("\ud800", "⟦U+D800⟧"),
        ("\U000e0041", "⟦U+E0041⟧"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_invisible_characters_are_shown_by_name(text: str, named: str) -> None:
    assert visible(text) == named


@pytest.mark.parametrize(
    "text",
    [
        "@octocat",
        "see #12",
        "!34",
        "~bug",
        "https://evil.example",
        "www.evil.example",
        ":shipit:",
        ":+1:",
        "a@b.example",
        "GH-12",
        "gh-12",
        "2d579a8",
        "2d579a8" + "0" * 33,
    ],
)
def test_a_site_finds_nothing_to_link_or_notify(text: str) -> None:
    said = shown("x " + markdown_text(text)).text
    assert text not in said and text in said.replace(BREAK, "")


def test_names_stay_readable_in_raw_markdown() -> None:
    text = "token_f1 at 2026-01-02T03:04:05+00:00: 95 % of 3.5-7 within [-0.1, 0.25]"
    assert markdown_text(text) == text


def test_a_cut_text_says_so() -> None:
    assert one_line("x" * 200, 10) == "x" * 9 + "…"
    assert shorten("abcdef", 4) == "abcd… (2 more characters)" and shorten("abc", 4) == "abc"
