"""Evalsets are built from what people settled; what people wrote into the file stays; each version tells itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.curation.test_firewall import conversation, sample
from tests.evaluation.made import made
from tests.labelling.made import task
from workbench.config.evalset_yaml import load_evalset
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.evalsets.changes import Signed
from workbench.curation.evalsets.choosing import Candidate, Wanted, allocation, choose
from workbench.datasets import Sample, Split, split_of
from workbench.errors import ConfigError, DataError
from workbench.jobs.building_evalsets import Built, build, since
from workbench.jobs.evalset_sources import from_dataset, from_failures, from_labels, skeletons
from workbench.labelling.imported import store_imported
from workbench.labelling.resolving import Resolution, Resolved
from workbench.labelling.snapshot import Snapshot
from workbench.labelling.tables import RESOLVED, write_rows
from workbench.reading.storing import Origin, store_rows
from workbench.store.home import RunFolder

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED = Signed("Ada", "a first version")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    (tmp_path / "workbench.yaml").write_text("models: {m: {kind: scripted}}\ncandidate: m\n")
    (tmp_path / "evalsets").mkdir()
    return load_workbench(tmp_path / "workbench.yaml")


def candidates(*samples: Sample, by_people: bool = True) -> list[Candidate]:
    return [Candidate(one, f"source/{one.id}", by_people) for one in samples]


def tagged(name: str, **tags: str) -> Sample:
    return sample(name, f"the question number {name} is asked here", f"family {name}").model_copy(update={"tags": tags})


def built(
    bench: Workbench,
    some: Sequence[Candidate],
    wanted: Wanted | None = None,
    *,
    replace: bool = False,
    dry: bool = False,
) -> Built:
    return build(bench, "made", some, wanted or Wanted(), SIGNED, NOW, replace=replace, dry=dry)


def test_a_new_evalset_can_be_run_and_tells_its_first_version(bench: Workbench) -> None:
    built(bench, candidates(*(tagged(f"s{at}") for at in range(20))))
    folder = bench.evalsets / "made"
    evalset = load_evalset(folder)
    assert sum(evalset.stored(use, bench.home).manifest.n for use in evalset.uses()) == 20
    changes = (folder / "CHANGES.md").read_text()
    assert "## 1 · 2026-01-01 · Ada" in changes and "Why: a first version" in changes and "added 20" in changes
    assert "Reviewed by: nobody yet" in changes and (folder / "README.md").exists()


def test_what_people_wrote_into_the_file_stays_and_is_told(bench: Workbench) -> None:
    rows = [tagged(f"s{at}") for at in range(4)]
    built(bench, candidates(*rows))
    file = bench.evalsets / "made" / "samples.jsonl"
    lines = file.read_text().splitlines()
    mended = lines[0].replace("question number s0", "QUESTION number s0").replace(":", " : ", 1)
    file.write_text("\n".join([mended, lines[1], lines[3]]) + "\n")
    done = built(bench, candidates(*rows, tagged("s9")))
    assert (done.merged.kept, sorted(done.merged.added)) == (["s0"], ["s2", "s9"])
    assert file.read_text().splitlines()[:3] == [mended, lines[1], lines[3]]
    changes = (bench.evalsets / "made" / "CHANGES.md").read_text()
    assert changes.index("## 2 ") < changes.index("## 1 ")
    for told in ("edited by hand", "by hand removed 1: s2", "by hand changed 1: s0", "kept as they stood 1: s0"):
        assert told in changes


def test_rows_are_replaced_only_when_it_is_asked_for_and_the_fields_are_told(bench: Workbench) -> None:
    built(bench, candidates(tagged("s1")))
    other = tagged("s1").model_copy(update={"references": ("yes",)})
    assert built(bench, candidates(other)).merged.kept == ["s1"]
    done = built(bench, candidates(other), replace=True)
    assert [change.field for change in done.merged.changed[0].fields] == ["references[0]"]
    assert "- changed s1: references·0·" in done.entry


def test_a_dry_run_and_a_build_without_anything_new_write_nothing(bench: Workbench) -> None:
    assert built(bench, candidates(tagged("s1")), dry=True).entry
    assert not (bench.evalsets / "made").exists()
    built(bench, candidates(tagged("s1")))
    before = (bench.evalsets / "made" / "CHANGES.md").read_bytes()
    assert built(bench, candidates(tagged("s1"))).entry == ""
    assert (bench.evalsets / "made" / "CHANGES.md").read_bytes() == before


def test_a_damaged_file_is_not_touched(bench: Workbench) -> None:
    built(bench, candidates(tagged("s1")))
    file = bench.evalsets / "made" / "samples.jsonl"
    file.write_bytes(file.read_bytes() + b'{"id": "half')
    before = file.read_bytes()
    with pytest.raises(DataError):
        built(bench, candidates(tagged("s2")))
    assert file.read_bytes() == before


def test_synthetic_samples_enter_only_with_a_persons_answer(bench: Workbench) -> None:
    made_up = tagged("s1", synthetic="true")
    assert choose(candidates(made_up, by_people=False), Wanted()).taken == []
    assert len(choose(candidates(made_up), Wanted()).taken) == 1


def test_what_was_learnt_from_and_what_another_side_asks_does_not_enter(bench: Workbench) -> None:
    split = Split(salt="made", train=0.5, dev=0.2, gate=0.3)
    sides = {use: next(f"f{at}" for at in range(99) if split_of(f"f{at}", split) == use) for use in ("train", "gate")}
    learnt = "how long is the password of a team that was made last year"
    store_rows([conversation("c", learnt)], Origin("learnt", "conversations", "train"), bench.home.root, NOW)
    twice = "what does the team plan cost when one pays it for a whole year"
    rows = [
        sample("known", learnt, sides["gate"]),
        sample("one", twice, sides["train"]),
        sample("two", twice, sides["gate"]),
    ]
    done = built(bench, candidates(*rows))
    assert len(done.merged.added) == 1
    assert {one.id: one.why[:23] for one in done.choice.left}["known"] == "it would guard what was"


@pytest.mark.parametrize("how", ["equal", "proportional"])
def test_strata_are_filled_as_stated_and_the_same_on_every_machine(how: str) -> None:
    rows = [tagged(f"{topic}{at}", topic=topic) for topic, n in (("a", 40), ("b", 20), ("c", 4)) for at in range(n)]
    wanted = Wanted(n=32, tag="topic", how="equal" if how == "equal" else "proportional", seed=1)
    one, two = choose(candidates(*rows), wanted), choose(candidates(*reversed(rows)), wanted)
    assert one.taken == two.taken and len(one.taken) == 32
    sizes = {stratum.name: stratum.taken for stratum in one.strata}
    assert sizes == (
        {"topic=a": 14, "topic=b": 14, "topic=c": 4} if how == "equal" else {"topic=a": 20, "topic=b": 10, "topic=c": 2}
    )


@pytest.mark.parametrize("how", ["equal", "proportional"])
@pytest.mark.parametrize("n", [0, 1, 7, 63, 64, 99, None])
def test_an_allocation_never_takes_more_than_there_is(how: str, n: int | None) -> None:
    there = {"a": 40, "b": 20, "c": 4}
    quotas = allocation(there, Wanted(n=n, tag="t", how="equal" if how == "equal" else "proportional"))
    assert sum(quotas.values()) == min(64, 64 if n is None else n)
    assert all(quotas[name] <= size for name, size in there.items())


def test_a_tag_that_no_candidate_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="UNKNOWN_TAG"):
        choose(candidates(tagged("s", topic="a")), Wanted(tag="topik"))


def settled(tmp_path: Path, answers: Sequence[Resolved], *, origin: dict[str, str] | None = None) -> Snapshot:
    """Return a snapshot of one record for each answer's record, with conflicts resolved."""
    ids = dict.fromkeys(one.record_id for one in answers)
    tasks = [
        task(1).model_copy(update={"id": name, "outputs": ("as the model said",), **(origin or {})}) for name in ids
    ]
    snapshot = store_imported(tmp_path / "records" / "review", tasks, [], "sample_review", NOW)
    write_rows(snapshot.path / RESOLVED, list(answers))
    return Snapshot(
        snapshot.path,
        snapshot.manifest.model_copy(update={"resolution": Resolution(policies=("adjudicated", "unanimous"))}),
    )


def said(record: str, question: str, value: str | None, by: str | None = "unanimous", n: int = 2) -> Resolved:
    found = {"record_id": record, "question": question, "value": value, "by": by, "guideline": "g"}
    return Resolved.model_validate({**found, "annotators": tuple("abcd"[:n])})


def test_a_record_needs_an_answer_that_was_adjudicated_or_given_by_two(tmp_path: Path) -> None:
    snapshot = settled(tmp_path, [
        said("good", "verdict", "good"),
        said("passed", "verdict", "pass"),
        said("mended", "verdict", "mend"), said("mended", "answer", "the right one", by="adjudicated", n=1),
        said("alone", "verdict", "good", n=1),
        said("open", "verdict", None, by=None),
        said("dropped", "verdict", "drop"),
        said("wrong", "verdict", "fail"),
    ])  # fmt: skip
    found, left = from_labels(snapshot)
    answers = {one.sample.id: one.sample.references for one in found}
    assert answers == {"good": ("14 days",), "passed": ("as the model said",), "mended": ("the right one",)}
    assert all(one.by_people and one.sample.group == "g0" for one in found)
    assert {one.id for one in left} == {"alone", "open", "dropped", "wrong"}


def test_a_snapshot_whose_conflicts_nobody_resolved_is_refused(tmp_path: Path) -> None:
    snapshot = store_imported(tmp_path / "records" / "review", [task(1)], [], "sample_review", NOW)
    with pytest.raises(DataError, match="NOT_RESOLVED"):
        from_labels(snapshot)


def failing(bench: Workbench, use: str) -> RunFolder:
    """Return a finished run on one side that failed on s1 and passed s2."""
    run = made(bench.home.runs, {"s1": [0.0], "s2": [1.0]}, families={"s1": "f1", "s2": "f2"})
    told = json.loads(run.run.model_dump_json())
    told["spec"]["use"] = use
    run.folder.summary.write_text(json.dumps(told))
    return run.folder


def test_a_failure_of_a_gate_run_becomes_no_sample(bench: Workbench) -> None:
    with pytest.raises(DataError, match="GATE_FAILURES"):
        from_failures(failing(bench, "gate"))


def test_samples_of_another_kind_are_refused_and_stored_samples_keep_their_family(bench: Workbench) -> None:
    stored = store_rows([conversation("c", "q")], Origin("x", "conversations", "dev"), bench.home.root, NOW)
    with pytest.raises(DataError, match="DATASET_KIND"):
        from_dataset(stored)
    [one] = from_dataset(store_rows([sample("s", "q", "f")], Origin("y", "samples", "dev"), bench.home.root, NOW))
    assert one.sample.group == "f" and not one.by_people


def test_documents_become_skeletons_which_are_no_samples_until_somebody_asks(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Plans\n\n<!-- passage: plans#1 -->\nThree plans.\n")
    [record] = skeletons(tmp_path)
    assert (record.contexts[0].text, record.tags["skeleton"]) == ("Three plans.", "true")
    answers = [said("plans#1", "verdict", "good")]
    _, [left] = from_labels(settled(tmp_path, answers, origin={"tags": record.tags}))  # type: ignore[dict-item]
    assert left.why == "a skeleton has no question yet"


def test_a_version_that_this_home_no_longer_has_is_not_invented(bench: Workbench) -> None:
    built(bench, candidates(tagged("s1")))
    folder = bench.evalsets / "made"
    changes = (folder / "CHANGES.md").read_text()
    found = since(bench, folder, changes)
    assert found is not None and found.n_same == 1
    assert since(bench, folder, changes, 2) is None
