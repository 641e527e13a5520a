"""Templates are data: all faults are told at once, and what they show and ask fits together."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labelling.made import ODD, TEMPLATES, folder, task, template
from workbench.config.labelling_yaml import BUILT_IN, read_template
from workbench.errors import ConfigError, DataError
from workbench.jobs.labelling_sources import refuse_unfit
from workbench.labelling.page_text import JOINER, clipped, escaped, padded, page_places, unescaped, unpadded
from workbench.labelling.questions import Option, SpanQuestion, TextQuestion
from workbench.labelling.tasks import blinded_order, faults, rendered
from workbench.labelling.wire import answer_value, value_json
from workbench.records import Span

TAXONOMY = BUILT_IN / "taxonomy.yaml"
GOOD = """\
name: own
version: "1"
fields:
  - {name: answer, title: Answer, show: output}
questions:
  - {name: verdict, title: "Good?", kind: label, options: [{value: "yes"}, {value: "no"}]}
"""


@pytest.mark.parametrize("name", TEMPLATES)
def test_built_in_templates_load_and_carry_a_version(name: str) -> None:
    found = template(name)
    assert found.version.startswith(f"{name}/1") and len(found.guidelines) > 300
    outputs = 2 if found.spec.compares() else 1
    assert faults(task(1, outputs), found.form(outputs)) == []


def test_a_projects_own_template_loads_the_same_way(tmp_path: Path) -> None:
    assert read_template(folder(tmp_path / "own", GOOD), TAXONOMY).version == "own/1"


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    bad = GOOD.replace("show: output", "show: outputs").replace("kind: label", "kind: labels") + "overlap: 0\n"
    with pytest.raises(ConfigError) as told:
        read_template(folder(tmp_path / "own", bad, guidelines=None), tmp_path / "none.yaml")
    said = str(told.value)
    assert "template.yaml:4:fields[0].show" in said and "unknown kind 'labels'" in said and "overlap" in said
    assert "guidelines.md: no such file" in said and "none.yaml: no such file" in said


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("name: own", "name: other", "TEMPLATE_NAME"),
        ("kind: label,", "kind: span, field: nowhere,", "shows no single text"),
        ("kind: label,", "kind: label, when: pair,", "need a field that shows `candidates`"),
        ('{value: "no"}', '{value: "yes"}', "two options have the value"),
        ("kind: label,", "kind: label, required: false,", "at least one question must be required"),
    ],
)
def test_what_does_not_fit_together_is_refused(old: str, new: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=why):
        read_template(folder(tmp_path / "own", GOOD.replace(old, new)), TAXONOMY)


def test_candidates_are_asked_for_as_a_pair_or_as_a_ranking() -> None:
    pair, several = (template("preference").form(n) for n in (2, 3))
    assert [q.name for q in pair.questions] == ["preferred", "strength", "reason"]
    assert [q.name for q in several.questions] == ["ranking", "strength", "reason"]
    assert [f.name for f in several.fields if f.name.startswith("answer")] == ["answer_a", "answer_b", "answer_c"]


def test_a_record_that_lacks_what_is_shown_is_refused() -> None:
    bare = task(1).model_copy(update={"shown": {}})
    assert [p.field for p in faults(bare, template("judge_audit").form(1))] == ["shown.judge_verdict"]
    assert [p.code for p in faults(task(1, 3), template("preference").form(2))] == ["CANDIDATES"]


@given(st.integers(2, 4), st.text(max_size=20))
def test_the_blinded_order_is_a_shuffle_that_record_and_seed_fix(n: int, record: str) -> None:
    order = blinded_order("seed", record, n)
    assert sorted(order) == list(range(n)) and order == blinded_order("seed", record, n)


def test_over_many_records_each_output_stands_first_equally_often() -> None:
    first = [blinded_order("seed", f"r{n}", 2)[0] for n in range(4000)]
    assert 1880 < sum(first) < 2120


ALPHABET = st.sampled_from("<>&/!?#;ax1 \r\n😀é" + JOINER) | st.characters(
    exclude_categories=["Cs"], exclude_characters="\0"
)
TEXTS = st.text(ALPHABET, max_size=60)


@given(TEXTS)
def test_text_for_the_page_comes_back_and_holds_no_markup(text: str) -> None:
    shown = escaped(padded(text))
    assert unpadded(unescaped(shown)) == text
    page = Page()
    page.feed(shown)
    page.close()
    assert page.markup == []
    assert "".join(page.text).replace(JOINER, "") == padded(text).replace(JOINER, "")
    assert len(escaped(clipped(text * 40, 1000))) <= 1000 + 40


class Page(HTMLParser):
    """Whatever a parser of HTML takes for markup, and the text it is left with."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.markup: list[str] = []
        self.text: list[str] = []
        self.handle_data = self.text.append  # type: ignore[method-assign]
        self.handle_comment = self.handle_decl = self.handle_pi = self.unknown_decl = self.markup.append  # type: ignore[method-assign,assignment]

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.markup.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.markup.append(tag)


def test_words_of_a_text_stay_words_and_nothing_else_becomes_one() -> None:
    assert escaped("a < b && c > d") == "a < b && c > d"
    assert escaped("<b>AT&T</b>").replace(JOINER, "") == "<b>AT&T</b>"
    assert escaped("&lt;script>") == f"&{JOINER}lt;script>" and unescaped(escaped("&#13;")) == "&#13;"


@given(TEXTS.filter(bool), st.data())
def test_spans_survive_the_browsers_way_of_counting(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start=start, end=data.draw(st.integers(start + 1, len(text))), label="x")
    question = SpanQuestion(kind="span", name="s", title="s", field="answer", options=(Option(value="x"),))
    sent = value_json((span,), question, text)
    page = escaped(text).replace("&#13;", "\r").encode("utf-16-le")
    marked = page[2 * sent[0]["start"] : 2 * sent[0]["end"]].decode("utf-16-le")
    assert marked.replace(JOINER, "") == text[span.start : span.end].replace(JOINER, "")
    assert sent[0]["end"] <= len(escaped(padded(text))), "the server takes it"
    assert answer_value(sent, question, text) == (span,)
    assert len(page_places(text)) == len(text) + 1


def test_a_span_that_ends_before_the_invisible_character_ends_with_the_bracket() -> None:
    question = SpanQuestion(kind="span", name="s", title="s", field="answer", options=(Option(value="x"),))
    for end in (3, 4):
        raw = [{"start": 0, "end": end, "label": "x"}]
        assert answer_value(raw, question, "a <b>") == (Span(start=0, end=3, label="x"),)


def test_what_is_copied_from_the_page_comes_back_as_the_text_was() -> None:
    question = TextQuestion(kind="text", name="t", title="t")
    assert answer_value(escaped("if a<b & c&d: <br/>"), question, "") == "if a<b & c&d: <br/>"


def test_hostile_text_is_shown_whole() -> None:
    shown = rendered(task(0), template("rag_review").form(1), (0,))
    assert shown["answer"] == ODD and shown["passages"].startswith("[1] refunds#2 · score 0.83\n\nRefunds")


def test_a_fault_that_all_records_share_is_told_once() -> None:
    bare = [task(n).model_copy(update={"outputs": ()}) for n in range(50)]
    with pytest.raises(DataError) as told:
        refuse_unfit(bare, template("rag_review").form(1), "evalset:refunds-dev")
    lines = str(told.value).splitlines()
    assert lines[0].endswith("[FIELD_MISSING], and 49 more like it: r001, r002, r003, r004, r005, …")
    assert lines[1:] == ["(50 problems in all)"]


def test_samples_without_answers_fit_the_template_that_reviews_them() -> None:
    bare = [task(n).model_copy(update={"outputs": (), "contexts": (), "reference": None}) for n in range(3)]
    refuse_unfit(bare, template("sample_review").form(1), "evalset:refunds-dev")
