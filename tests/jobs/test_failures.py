"""Notes are kept whoever writes at once, acts are written down and obey the firewall, and fates are what happened."""

from __future__ import annotations

import multiprocessing
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.dashboards.conftest import evaluated, write_project
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Conversation, PreferencePair
from workbench.errors import ConfigError, DataError, LeakageError
from workbench.failures.entries import AnswerId, book_of
from workbench.failures.failure import Wanted
from workbench.failures.taxonomy import Mode
from workbench.jobs.failures import (
    add,
    all_keys,
    code,
    exported,
    find_failures,
    pick,
    read_book,
    save_taxonomy,
    taxonomy_of,
    tidy,
    undo,
    with_mode,
)  # fmt: skip
from workbench.jobs.failures_fates import act_fates, fates
from workbench.jobs.failures_sending import Sending, send
from workbench.jobs.planning import Asked


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A project with three runs: base and tuned on dev, base on gate."""
    bench = write_project(tmp_path_factory.mktemp("made"))
    evaluated(
        bench,
        Asked("helpcentre", "dev", "base"),
        Asked("helpcentre", "dev", "tuned"),
        Asked("helpcentre", "gate", "base"),
    )
    return bench


@pytest.fixture
def bench(made: Workbench, tmp_path: Path) -> Workbench:
    shutil.copytree(made.file.parent, tmp_path / "project")
    return load_workbench(tmp_path / "project" / "workbench.yaml")


def failing(bench: Workbench, run: int = 0) -> list[AnswerId]:
    """Return the failing answers of one of the runs."""
    run_id = bench.home.run_ids()[run]
    return [AnswerId(run=run_id, sample=s, repeat=r) for s, r in all_keys(bench, run_id, Wanted(metric="exact_match"))]


def fixed(bench: Workbench) -> list[AnswerId]:
    """Return the answers of the first run that fail there and pass in the second."""
    still = {of.sample for of in failing(bench, 1)}
    return [of for of in failing(bench) if of.sample not in still]


def write_notes(file: Path, by: str, samples: list[AnswerId]) -> None:
    bench = load_workbench(file)
    for of in samples:
        code(bench, of, by, text=f"{by} saw it", tags=["seen"])


def test_two_coders_at_once_are_both_kept(bench: Workbench) -> None:
    some = failing(bench)[:6]
    context = multiprocessing.get_context("spawn")
    people = [context.Process(target=write_notes, args=(bench.file, by, some)) for by in ("ada", "bob")]
    for one in people:
        one.start()
    with ThreadPoolExecutor(3) as threads:  # sessions of one server are threads of one process
        list(threads.map(lambda by: write_notes(bench.file, by, some), ["cyd", "dee", "eve"]))
    for one in people:
        one.join(60)
    current = read_book(bench.home).current()
    assert {of: {n.by for n in current[of]} for of in some} == {of: {"ada", "bob", "cyd", "dee", "eve"} for of in some}
    assert len(book_of(bench.home.root).records()) == 30


def test_a_note_that_was_edited_is_found(bench: Workbench) -> None:
    code(bench, failing(bench)[0], "ada", text="first")
    code(bench, failing(bench)[1], "ada", text="second")
    file = book_of(bench.home.root).file
    file.write_bytes(file.read_bytes().replace(b"first", b"other"))
    with pytest.raises(DataError, match="edited"):
        read_book(bench.home)


def test_undo_takes_back_ones_own_line_and_leaves_it_in_the_book(bench: Workbench) -> None:
    of = failing(bench)[0]
    line = code(bench, of, "ada", text="hasty")
    with pytest.raises(DataError, match="written by ada"):
        undo(bench, line.id, "bob")
    undo(bench, line.id, "ada")
    assert read_book(bench.home).current() == {}
    assert len(book_of(bench.home.root).records()) == 2
    with pytest.raises(DataError, match="no such line"):
        undo(bench, "nobody", "ada")


def test_a_note_says_something_of_an_answer_that_is_there(bench: Workbench) -> None:
    run = bench.home.run_ids()[0]
    with pytest.raises(ConfigError, match="says nothing"):
        code(bench, failing(bench)[0], "ada", text="  ")
    with pytest.raises(DataError, match="no such answer"):
        code(bench, AnswerId(run=run, sample="nobody"), "ada", text="x")
    with pytest.raises(ConfigError, match="FIELD_VALUE"):
        code(bench, failing(bench)[0], "ada", tags=["x" * 81])


def test_tags_are_one_printable_line_each_once() -> None:
    assert tidy(["Wrong\tUnit", " wrong unit ", "", "a\x1b[31mb", "\ud800"]) == ("wrong unit", "a [31mb", "\\ud800")


def test_corrections_and_picks_become_pairs_and_conversations(bench: Workbench) -> None:
    one, two = fixed(bench)[:2]
    tuned = bench.home.run_ids()[1]
    code(bench, one, "ada", text="off by one", correction="There are some, said Ada.")
    pick(bench, AnswerId(run=tuned, sample=two.sample), two, "bob")
    sent = send(bench, Sending("pairs", "fixes", (one, two), "ada", "first fixes"))
    rows = [r for r in find_dataset(bench.home.root, "fixes-train").iter_values() if isinstance(r, PreferencePair)]
    assert sent.act.made == len(rows) == 2
    by_rule = {row.rule: row for row in rows}
    assert by_rule["edit"].chosen.text() == "There are some, said Ada." and by_rule["edit"].chosen.model == "human"
    assert by_rule["pick"].chosen.model == "tuned" and by_rule["pick"].lineage.annotators == ("bob",)
    assert one.source() in by_rule["edit"].lineage.sources
    send(bench, Sending("conversations", "fixes", (one, two), "ada"))
    chats = [r for r in find_dataset(bench.home.root, "fixes-train").iter_values() if isinstance(r, Conversation)]
    assert [c.messages[-1].content for c in chats] == ["There are some, said Ada."]


def test_another_runs_answers_are_chosen_where_they_pass(bench: Workbench) -> None:
    chosen = tuple(failing(bench))
    sent = send(bench, Sending("pairs", "better", chosen, "ada", better=bench.home.run_ids()[1], scorer="exact_match"))
    assert sent.act.made == len(fixed(bench)) > 0


def test_failures_without_a_correction_make_no_pair(bench: Workbench) -> None:
    with pytest.raises(DataError, match="NO_JUDGEMENTS"):
        send(bench, Sending("pairs", "fixes", (failing(bench)[0],), "ada"))
    assert read_book(bench.home).acts == []


@pytest.mark.parametrize("to", ["pairs", "conversations", "evalset"])
def test_gate_failures_may_only_be_relabelled(bench: Workbench, to: str) -> None:
    of = failing(bench, 2)[0]
    code(bench, of, "ada", correction="better")
    with pytest.raises(LeakageError, match="GATE_FAILURES"):
        send(bench, Sending(to, "stolen", (of,), "ada"))  # type: ignore[arg-type]
    assert read_book(bench.home).acts == []


def test_no_gate_set_is_made_of_failures(bench: Workbench) -> None:
    with pytest.raises(LeakageError, match="no gate set"):
        send(bench, Sending("pairs", "x", (failing(bench)[0],), "ada", use="gate"))


def test_failures_enter_an_evalset_with_their_families(bench: Workbench) -> None:
    some = tuple(failing(bench)[:3])
    sent = send(bench, Sending("evalset", "watched", some, "ada", "seen in coding"))
    assert sent.act.made == 3
    text = (bench.evalsets / "watched" / "samples.jsonl").read_text()
    assert all(of.sample in text for of in some) and "article-" in text
    assert "seen in coding" in (bench.evalsets / "watched" / "CHANGES.md").read_text()


def test_a_fate_tells_datasets_trainings_and_later_runs(bench: Workbench) -> None:
    one, other = fixed(bench)[0], failing(bench, 1)[0]
    still = AnswerId(run=one.run, sample=other.sample)
    runs = bench.home.run_ids()
    code(bench, one, "ada", correction="It is so.")
    act = send(bench, Sending("pairs", "fixes", (one,), "ada")).act
    training = bench.home.root / "training" / "20260101-t1"
    training.mkdir(parents=True)
    (training / "spec.json").write_text(f'{{"dataset": "{act.fingerprint}"}}')
    found = fates(bench, [one, still])
    assert [r.dataset for r in found[one].rows] == [f"fixes-train@{act.fingerprint[:8]}"]
    assert found[one].trained == ("20260101-t1",)
    assert [(run.run, run.passes) for run in found[one].later] == [(runs[1], True)], "the gate side asks others"
    assert "fixed in" in found[one].told() and found[still].fixed_in() == () and not found[still].rows
    (told,) = act_fates(bench, [act])
    assert (told.n_in_rows, told.n_fixed, told.latest) == (1, 1, runs[1])


def test_a_taxonomy_is_saved_as_a_version_and_as_the_file_that_templates_read(bench: Workbench) -> None:
    before = taxonomy_of(bench)
    line = save_taxonomy(bench, with_mode(before, Mode(value="units", severity=4, includes=("unit",))), "ada", "units")
    assert line.taxonomy.version == "2" and taxonomy_of(bench) == line.taxonomy
    assert line.fingerprint in exported(bench).read_text()
    with pytest.raises(DataError, match="meanwhile"):
        save_taxonomy(bench, before, "bob", "mine", before.fingerprint())
    assert save_taxonomy(bench, line.taxonomy, "bob", "nothing") == line, "nothing is written where nothing changed"
    moved = with_mode(line.taxonomy, Mode(value="scale", includes=("unit",)))
    assert moved.codes(["unit"]) == {"scale"}, "a tag means the code that it was given last"


def test_hostile_words_go_into_the_book_and_come_back_the_same(bench: Workbench) -> None:
    of = failing(bench)[0]
    text = "<script>alert(1)</script> :green-badge[PASS] \u202e ![x](http://x.test) =1+1"
    code(bench, of, "<img src=x>", text=text, tags=["<b>"])
    (note,) = read_book(bench.home).current()[of]
    assert (note.text, note.by, note.tags) == (text, "<img src=x>", ("<b>",))


def test_the_page_tells_which_failures_have_a_note(bench: Workbench) -> None:
    of = failing(bench)[0]
    line = code(bench, of, "ada", tags=["x"])
    assert [f.of for f in find_failures(bench, of.run, Wanted(coded=True)).failures] == [of]
    assert add(bench.home, line.model_copy(update={"id": "again"})).id == "again"
