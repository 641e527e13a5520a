"""The pages that build: pairs, eval sets, training; over full, empty and damaged homes; by button and direct call."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dashboards import access, building
from dashboards.access import Person
from tests.curation.pairs.made import clean_pairs
from tests.dashboards.building_home import BEGUN, DONE, NOON, STOPPED, build
from tests.dashboards.conftest import Open, Opened, cut
from tests.dashboards.labelled_home import HOSTILE
from workbench.config.evalset_yaml import load_evalset
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.evalsets.choosing import Wanted
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.stored_datasets import versions_in
from workbench.errors import AccessRefused
from workbench.jobs import background
from workbench.jobs.by_hand import duel_of, samples_to_compare, tally
from workbench.jobs.evalset_candidates import Sources as Offered
from workbench.jobs.pairs import Building, Sources
from workbench.jobs.pairs_linting import LintWish
from workbench.labelling.by_hand import book_of
from workbench.reading.storing import Origin, store_rows
from workbench.records import Turn
from workbench.training.spec import TrainSpec

PAGES = {
    "pairs": ({}, {"labels": "prefs"}, {"view": "Stored sets", "set": "answers-train"}),
    "evalsets": ({}, {"view": "Build"}, {"view": "Changes"}),
    "training": ({}, {"view": "Plan"}, {"view": "Compare by hand"}, {"view": "Chat"}),
}
WANTED = Building("made", "train", "pairs", Sources(labels=("prefs",)), PairPolicy())


@pytest.fixture(scope="module")
def built(full: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A home to build from. Tests only read it."""
    return build(tmp_path_factory.mktemp("built") / "project", full.file.parent)


@pytest.fixture
def own(built: Workbench, tmp_path: Path) -> Workbench:
    """A copy of it, for a test that changes it."""
    shutil.copytree(built.file.parent, tmp_path / "project")
    return load_workbench(tmp_path / "project" / "workbench.yaml")


def press(page: Opened, key: str) -> Opened:
    """Press a button by its key."""
    page.at.button(key=key).click().run()
    return page.calm()


def dev_runs(bench: Workbench) -> tuple[str, str]:
    base, tuned = (run for run in bench.home.run_ids() if "-dev-" in run)
    return base, tuned


# ---------------------------------------------------------------- every page over every home


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_home_names_the_command_that_comes_next(page: str, empty: Workbench, open_page: Open) -> None:
    for query in PAGES[page]:
        found = open_page(page, empty, **query).calm()
        assert "workbench " in found.texts() or (page == "evalsets" and not query)  # there is one


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_home_is_told_and_breaks_no_page(
    page: str, own: Workbench, open_page: Open
) -> None:  # fmt: skip
    hurt = ("records/*/*/labels.parquet", "training/*/*.json", "training/*/losses.parquet", "runs/*/samples.parquet",
            "datasets/answers-train/*/rows.parquet", "datasets/imported-dev/*/manifest.json")  # fmt: skip
    for file in (path for pattern in hurt for path in own.home.root.glob(pattern)):
        cut(file)
    (own.evalsets / "helpcentre" / "samples.jsonl").write_text("{broken\n")
    for query in (*PAGES[page], {"view": "Build", "datasets": "imported-dev", "into": "new", "from": "answers-train"}):
        open_page(page, own, **query).calm()


def test_hostile_words_in_addresses_and_texts_stay_words(built: Workbench, open_page: Open) -> None:
    for said in (HOSTILE[0], HOSTILE[3]):
        open_page("pairs", built, labels=said, into=said, scorer=said, tuned=said, **{"from": said}).calm()
        open_page("evalsets", built, view="Build", into=said, datasets="imported-dev", strata=said).calm()
        open_page("training", built, view="Plan", recipe=said, dataset=said, base=said).calm()
        open_page("training", built, run=said, a=said, sample=said).calm()
    shown = open_page("pairs", built, view="Stored sets", set="answers-train").calm()
    told = "".join(str(e.value) for kind in ("caption", "markdown", "success") for e in getattr(shown.at, kind))
    assert HOSTILE[0] not in told and HOSTILE[3] not in told


# ---------------------------------------------------------------- pairs


def test_a_set_is_previewed_with_its_card_before_it_is_saved_and_signed(own: Workbench, open_page: Open) -> None:
    page = open_page("pairs", own, labels="prefs", into="made").calm()
    texts = page.texts()
    assert "24 pairs in 24 families" in texts, "ties and conflicts are out"
    assert "Score card" in texts and "No row is known to any of 1 gate sets" in texts
    assert not (own.home.datasets / "made-train").exists()
    press(page, "save")
    [version] = versions_in(own.home.datasets / "made-train")
    assert version.manifest.rule["by"] == "ada" and version.at and version.manifest.n == 24
    again = open_page("pairs", own, labels="prefs", into="made", conflicts="unanimous").calm()
    assert "Against version 1" in again.texts()


def test_the_policy_in_the_address_is_the_one_that_is_built_by(built: Workbench, open_page: Open) -> None:
    strict = open_page("pairs", built, labels="prefs", votes="3").calm()
    assert "not one of the pairs is left" in strict.texts()
    loose = open_page("pairs", built, labels="prefs", ties="ignored").calm()
    assert "24 pairs in" in loose.texts()


def test_models_feedback_and_runs_are_sources_too(built: Workbench, open_page: Open) -> None:
    assert "30 pairs in" in open_page("pairs", built, feedback="prefs").calm().texts()
    base, _ = dev_runs(built)
    assert "exact_match" in open_page("pairs", built, runs=base, scorer="nobody").calm().texts()


def test_what_a_gate_set_knows_is_shown_and_not_saved_unless_it_is_dropped(own: Workbench, open_page: Open) -> None:
    guarded = load_evalset(own.evalsets / "helpcentre", own).stored("gate", own.home)
    pairs = clean_pairs(9, 10)
    asked = Turn(role="user", content=next(guarded.iter_samples())[0][1].question())
    pairs[0] = pairs[0].model_copy(update={"prompt": (asked,)})
    store_rows(pairs, Origin("leaky", "pairs", "train"), own.home.root, NOON)
    page = open_page("pairs", own, into="made", **{"from": "leaky-train"}).calm()
    assert "1 rows are known to gate sets" in page.texts()
    press(page, "save")
    assert "It was not saved" in page.texts() and not (own.home.datasets / "made-train").exists()
    dropped = open_page("pairs", own, into="made", leaks="drop", **{"from": "leaky-train"}).calm()
    press(dropped, "save")
    assert versions_in(own.home.datasets / "made-train")[0].manifest.n == 9


# ---------------------------------------------------------------- eval sets


def test_an_audit_shows_every_check(built: Workbench, open_page: Open) -> None:
    page = open_page("evalsets", built).calm()
    checks = page.at.dataframe[0].value["check"].tolist()
    assert {"redundancy", "ambiguity", "leakage", "slices", "saturation", "separation", "power"} <= set(checks)


def test_a_stratified_version_is_previewed_and_saved_with_a_reason(own: Workbench, open_page: Open) -> None:
    query = {"view": "Build", "into": "fresh", "datasets": "imported-dev", "strata": "kind", "n": "10"}
    page = open_page("evalsets", own, **query).calm()
    assert not (own.evalsets / "fresh").exists()
    press(page, "save")
    assert "Say why" in page.texts() and not (own.evalsets / "fresh").exists()
    page.at.text_input(key="why").set_value("a first look <b>").run()
    press(page, "save")
    log = (own.evalsets / "fresh" / "CHANGES.md").read_text()
    assert "· ada" in log and "kind=even 5 of 20" in log and "<b>" not in log
    assert "a first look" in open_page("evalsets", own, view="Changes", evalset="fresh").calm().texts()


# ---------------------------------------------------------------- training


def test_a_run_is_shown_with_why_it_ended_and_its_curves(built: Workbench, open_page: Open) -> None:
    early = open_page("training", built, run=STOPPED).calm()
    assert "the dev loss has not fallen" in early.texts() and "stopped early" in early.texts()
    assert len(early.at.get("vega_lite_chart")) == 4 + 3, "loss, rewards, margin, accuracy, and three folded away"
    begun = open_page("training", built, run=BEGUN).calm()
    assert [b.key for b in begun.at.button if b.key == "go-on"]
    assert f"train:{DONE}" in open_page("training", built, run=DONE).calm().texts()


def test_a_plan_is_made_of_a_recipe_and_of_what_is_chosen(built: Workbench, open_page: Open) -> None:
    found = open_page("training", built, view="Plan", recipe="recipes/tone.yaml", on="t4").calm()
    assert "40 rows" in found.texts() and found.at.get("vega_lite_chart")
    broken = open_page("training", built, view="Plan", recipe="recipes/broken.yaml").calm()
    assert "cannot be read" in broken.texts() and "magic" in broken.texts()
    made = open_page("training", built, view="Plan", dataset="words@" + _print(built, "words-train"), rank="4").calm()
    assert '"rank": 4' in made.texts()


def test_a_training_is_started_as_a_job_of_the_command_that_one_would_type(
    own: Workbench, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    def start(bench: Workbench, argv: list[str], by: str, resumes: str = "") -> background.Job:
        started.append([*argv, by])
        command = background.Started(argv=(), words=(), folder="", environment={}, by=by, at="now")
        return background.Job(id="job", path="", command=command, state="running")

    monkeypatch.setattr(background, "start", start)
    press(open_page("training", own, view="Plan", recipe="recipes/tone.yaml"), "start")
    [[*argv, by]] = started
    assert argv[:2] == ["train", "sft"] and by == "ada"
    text = (own.file.parent / argv[2]).read_text()
    assert '"ada"' in text and "words@" in text
    press(open_page("training", own, run=BEGUN), "go-on")
    assert started[-1] == ["train", "resume", BEGUN, "ada"]


def test_a_pick_is_blinded_becomes_a_label_and_then_a_pair(own: Workbench, open_page: Open) -> None:
    base, tuned = dev_runs(own)
    page = open_page("training", own, view="Compare by hand", a=base, b=tuned).calm()
    names = [label for label in page.texts().split() if label in ("base", "tuned")]
    press(page, "pick-right")
    press(page, "pick-tie")
    [first, tie] = book_of(own.home.root).records()
    assert (first.by, first.labels[0].annotator, len(first.labels), len(tie.labels)) == ("ada", "ada", 2, 1)
    assert first.labels[0].value == str(first.order[1] + 1), "the label names the output, not the side"
    assert tally(own, ("", ""), (base, tuned)).n == 2 and not names
    shown = open_page("pairs", own, picks="true", into="by-hand").calm()
    assert "1 pairs in 1 families" in shown.texts()
    press(page, "back")
    assert tie.sources[0].endswith(str(page.at.query_params["sample"]))


def test_gate_runs_are_neither_offered_nor_compared(built: Workbench, open_page: Open) -> None:
    gate = next(run for run in built.home.run_ids() if "-gate-" in run)
    page = open_page("training", built, view="Compare by hand", a=gate).calm()
    assert all("gate" not in option for box in page.at.selectbox for option in box.options)


# ---------------------------------------------------------------- roles


def acts(bench: Workbench) -> dict[str, tuple[str, object]]:
    """Return every act of these pages with its least role, as a direct call."""
    base, tuned = dev_runs(bench)
    duel = duel_of(bench, base, tuned, samples_to_compare(bench, base, tuned)[0], "seed")
    spec = TrainSpec.model_validate({"name": "x", "base": "base", "dataset": "words@123456", "method": {"kind": "sft"}})
    offered = Offered(datasets=("imported-dev",))
    return {
        "save_pairs": ("curator", lambda: building.save_pairs(WANTED)),
        "save_balanced": ("curator", lambda: building.save_balanced("answers-train", LintWish())),
        "save_evalset": ("curator", lambda: building.save_evalset("x", offered, Wanted(n=4), "why", replace=False)),
        "start_training": ("curator", lambda: building.start_training(spec)),
        "resume_training": ("curator", lambda: building.resume_training(BEGUN)),
        "ask": ("curator", lambda: building.ask(("a", "b"), ())),
        "say": ("annotator", lambda: building.say(duel, "left", "clearly")),
    }


@pytest.mark.parametrize("role", access.ROLES)
def test_each_act_asks_for_its_role_whoever_calls_it(
    role: access.Role, own: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(own.file))
    monkeypatch.setattr(access, "person", lambda: Person("mallory", role))
    for name, (least, call) in acts(own).items():
        if access.ROLES.index(role) < access.ROLES.index(least):  # type: ignore[arg-type]
            with pytest.raises(AccessRefused, match=least):
                call()  # type: ignore[operator]
        elif name in ("save_pairs", "save_evalset", "say"):
            call()  # type: ignore[operator]
    curates = role in ("curator", "admin")
    assert (own.home.datasets / "made-train").exists() is curates and (own.evalsets / "x").exists() is curates
    assert len(book_of(own.home.root).records()) == (role != "viewer")


def _print(bench: Workbench, label: str) -> str:
    return versions_in(bench.home.datasets / label)[-1].path.name[:12]
