"""The pages of error analysis over full, empty and damaged homes; what is done on them is written down and signed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from dashboards import access, acting_failures
from tests.dashboards.conftest import Open, Opened
from workbench.config.workbench_yaml import Workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.errors import AccessRefused
from workbench.failures.entries import AnswerId, book_of
from workbench.failures.failure import Wanted
from workbench.jobs.failures import all_keys, code, read_book, taxonomy_of
from workbench.jobs.failures_clusters import Asked, cluster
from workbench.jobs.failures_sending import Sending

MARKUP = re.compile(r"<script>|(?<!\\)\]\(|:green-badge\[|\u202e")
"""What would be more than words in a label."""
PAGES = ("failures", "sample", "coding")
HOSTILE = "<script>alert(1)</script> ![x](http://canary.test/x) :green-badge[PASS] $\\href{javascript:f()}{x}$ \u202eb"


def failing(bench: Workbench, run: int = 0) -> list[AnswerId]:
    run_id = bench.home.run_ids()[run]
    keys = all_keys(bench, run_id, Wanted(metric="exact_match"))
    return [AnswerId(run=run_id, sample=sample, repeat=repeat) for sample, repeat in keys]


def press(page: Opened, key: str) -> Opened:
    page.at.button(key=key).click().run()
    return page.calm()


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_home_names_the_next_command(open_page: Open, empty: Workbench, name: str) -> None:
    assert "workbench eval run" in open_page(name, empty).calm().texts()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("run", [0, 1, 2, 3])
def test_damaged_runs_open_with_words_and_no_traceback(
    open_page: Open, damaged: Workbench, name: str, run: int
) -> None:
    page = open_page(name, damaged, run=damaged.home.run_ids()[run], sample="q001")
    assert [e.value for e in page.at.exception] == [] and "This page broke" not in page.texts()


def test_a_book_that_was_edited_is_told(open_page: Open, writable: Workbench) -> None:
    some = failing(writable)[:2]
    for of in some:
        code(writable, of, "ada", text="first")
    file = book_of(writable.home.root).file
    file.write_bytes(file.read_bytes().replace(b"first", b"other", 1))
    page = open_page("failures", writable, run=some[0].run)
    assert "edited" in page.texts()


def test_the_list_counts_its_failures_and_leads_on(open_page: Open, full: Workbench) -> None:
    some = failing(full)
    page = open_page("failures", full, run=some[0].run, metric="exact_match").calm()
    assert f"{len(some)} of" in page.texts() and "answers that this metric finds wrong" in page.texts()
    narrow = open_page("failures", full, run=some[0].run, metric="exact_match", text="zzz").calm()
    assert "Nothing is like this" in narrow.texts()


def test_a_sample_shows_passages_scores_other_models_and_where_it_comes_from(open_page: Open, full: Workbench) -> None:
    of = failing(full)[0]
    page = open_page("sample", full, run=of.run, sample=of.sample).calm()
    words = page.texts()
    assert "accepted answer" in words and "Other models" in words and "what became of it" in words
    assert [e.label for e in page.at.expander if "gold" in e.label and "given 1" in e.label]
    unknown = open_page("sample", full, run=of.run, sample="nobody")
    assert "nearest" in unknown.texts() and not unknown.at.exception


def test_notes_are_written_undone_and_gone_on_with(open_page: Open, writable: Workbench) -> None:
    first, second = failing(writable)[:2]
    page = open_page("coding", writable, run=first.run, sample=first.sample).calm()
    name = f"{first.run}/{first.record()}"
    page.at.text_area(key=f"note {name}").set_value("one too many").run()
    press(page, f"tags {name} 1")
    press(page, "save")
    (note,) = read_book(writable.home).current()[first]
    assert (note.text, note.by, len(note.tags)) == ("one too many", "ada", 1)
    assert page.at.query_params["sample"] == second.sample
    press(page, "undo")
    assert read_book(writable.home).current() == {}
    assert page.at.text_area(key=f"note {name}").value == "one too many", "what was taken back is not lost"


def test_an_empty_note_is_refused_and_a_draft_stays(open_page: Open, writable: Workbench) -> None:
    first, second = failing(writable)[:2]
    page = open_page("coding", writable, run=first.run, sample=first.sample).calm()
    page.at.button(key="save").click().run()
    assert "says nothing" in page.texts()
    page.at.text_area(key=f"note {first.run}/{first.record()}").set_value("begun").run()
    press(page, "next")
    assert page.at.query_params["sample"] == second.sample
    press(page, "previous")
    assert page.at.text_area(key=f"note {first.run}/{first.record()}").value == "begun"
    other = open_page("coding", writable, run=first.run, sample=first.sample).calm()
    assert other.at.text_area(key=f"note {first.run}/{first.record()}").value == "", "nobody sees another's draft"


def test_the_better_answer_is_picked_and_becomes_a_pair(open_page: Open, writable: Workbench) -> None:
    still = {of.sample for of in failing(writable, 2)}
    of = next(of for of in failing(writable) if of.sample not in still)
    other = writable.home.run_ids()[2]
    page = open_page("sample", writable, run=of.run, sample=of.sample).calm()
    press(page, f"pick-{other}-0")
    (line,) = read_book(writable.home).picks
    assert (line.better.run, line.worse, line.by) == (other, of, "ada")
    listed = open_page(
        "failures", writable, run=of.run, metric="exact_match", text=f"version {int(of.sample[1:])}?"
    ).calm()
    listed.at.selectbox(key="send-to").set_value("pairs").run()
    press(listed, "send-now")
    assert find_dataset(writable.home.root, "fixes-train").manifest.n == 1
    sent = open_page("failures", writable, run=of.run, view="What was sent").calm()
    assert "1 in a dataset" in sent.texts() and "1 of 1 pass in" in sent.texts()


def test_codes_ranking_and_agreement_come_of_what_was_coded(open_page: Open, writable: Workbench) -> None:
    some = failing(writable)[:4]
    for of, ada, bob in zip(some, ("unit", "unit", "odd", "odd"), ("unit", "odd", "odd", "odd"), strict=True):
        code(writable, of, "ada", tags=[ada])
        code(writable, of, "bob", tags=[bob])
    cluster(writable, some[0].run, Wanted(), Asked(embedding="words"), lambda *_: None)
    run = some[0].run
    assert "2 codes in 4 answers" in open_page("coding", writable, run=run, view="Ranking").calm().texts()
    assert "Krippendorff" in open_page("coding", writable, run=run, view="Agreement").calm().texts()
    page = open_page("coding", writable, run=run, view="Taxonomy").calm()
    assert "Group into codes" in page.texts()
    page.at.button(key="FormSubmitter:new-code-Add the code").click().run()
    page.calm()
    (saved,) = read_book(writable.home).versions
    assert saved.by == "ada" and saved.taxonomy.codes(["odd"]) == {"odd"}
    assert "A proposal to look at" in open_page("failures", writable, run=run, view="Alike").calm().texts()


def test_hostile_words_are_shown_as_words(open_page: Open, writable: Workbench) -> None:
    of = failing(writable)[0]
    code(writable, of, HOSTILE, text=HOSTILE, tags=[HOSTILE[:60]], correction=HOSTILE)
    for name, query in (("failures", {}), ("sample", {"sample": of.sample}), ("coding", {"sample": of.sample}),
                        ("coding", {"view": "Ranking"}), ("coding", {"view": "Taxonomy"})):  # fmt: skip
        page = open_page(name, writable, run=of.run, **query).calm()
        labels = [e.value for kind in ("caption", "markdown") for e in getattr(page.at, kind)] + [
            e.label for e in page.at.expander
        ]
        said = [str(label) for label in labels]
        assert not [s for s in said if MARKUP.search(s)], name


ROLES = ("viewer", "annotator", "curator", "admin")


@pytest.fixture
def as_role(monkeypatch: pytest.MonkeyPatch, writable: Workbench) -> Iterator[object]:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(writable.file))

    def become(role: str) -> None:
        monkeypatch.setattr(access, "person", lambda: access.Person("eve", role))  # type: ignore[arg-type]

    yield become


@pytest.mark.parametrize("role", ROLES)
def test_each_act_asks_for_its_role_when_it_is_called(as_role, writable: Workbench, role: str) -> None:
    one, two = failing(writable)[:2]
    tuned = AnswerId(run=writable.home.run_ids()[2], sample=one.sample)
    as_role(role)
    now = taxonomy_of(writable)
    acts = {
        "annotator": [lambda: acting_failures.code(one, "x", []), lambda: acting_failures.pick(tuned, one),
                      lambda: acting_failures.undo("nobody")],
        "curator": [lambda: acting_failures.save_taxonomy(now, "", now.fingerprint()),
                    lambda: acting_failures.send_on(Sending("pairs", "x", (two,), "", use="train")),
                    lambda: acting_failures.send_on(Sending("argilla", "x", (two,), "")),
                    lambda: acting_failures.cluster(one.run, Wanted(), "nothing")],
    }  # fmt: skip
    for needed, some in acts.items():
        for act in some:
            refused = False
            try:
                act()
            except AccessRefused:
                refused = True
            except Exception as exc:  # what it is refused for otherwise is another test's
                assert "takes the role" not in str(exc)
            assert refused == (ROLES.index(role) < ROLES.index(needed)), (role, needed)
