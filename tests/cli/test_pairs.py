"""`workbench pairs`: build, lint and balance as a person types them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from tests.curation.pairs.made import PLANTED, clean_pairs
from tests.dashboards.building_home import NOON, label
from tests.dashboards.conftest import evaluated, write_project
from workbench.cli.commands import cli
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import PreferencePair
from workbench.errors import DataError, LeakageError
from workbench.jobs.by_hand import duel_of, pick, samples_to_compare
from workbench.jobs.planning import Asked
from workbench.reading.storing import Origin, store_rows

CONFIG = "home: home\nmodels:\n  m: {kind: scripted}\ncandidate: m\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "workbench.yaml").write_text(CONFIG)
    return tmp_path


def stored(project: Path, pairs: list[PreferencePair], name: str = "raw") -> None:
    store_rows(pairs, Origin(name, "pairs", "train"), project / "home", datetime(2026, 3, 1, tzinfo=UTC))


def typed(project: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(project / "workbench.yaml"), "pairs", *words])


def test_a_set_is_built_from_another_one_linted_and_balanced(project: Path) -> None:
    pairs = clean_pairs(1, 150)
    draw = random.Random(2)
    for at, pair in enumerate(pairs):
        if draw.random() < 0.7 and len(pair.chosen.text()) < len(pair.rejected.text()):
            pairs[at] = pair.model_copy(update={"chosen": pair.rejected, "rejected": pair.chosen})
    stored(project, pairs)
    built = orjson.loads(typed(project, "build", "answers", "--from", "raw", "--json").stdout)
    assert built["manifest"]["n"] == 150 and "policy.conflicts" in built["manifest"]["rule"]
    assert built["waterfall"][0]["n_in"] == 450  # three votes a pair
    linted = typed(project, "lint", "answers", "--html", str(project / "card.html"), "--json")
    assert linted.exit_code == 0
    assert [f["kind"] for f in orjson.loads(linted.stdout)["findings"]] == ["length_skew"]
    assert "length_skew" in (project / "card.html").read_text()
    assert typed(project, "lint", "answers", "--strict").exit_code == 1
    shown = typed(project, "balance", "answers", "--as", "even")
    assert shown.exit_code == 0 and "before" in shown.stdout
    assert orjson.loads(typed(project, "lint", "even", "--strict", "--json").stdout)["findings"] == []


def test_a_blocking_flaw_ends_lint_with_1_unless_it_is_accepted(project: Path) -> None:
    pairs = clean_pairs(3, 60)
    PLANTED["template_tokens"](pairs, random.Random(3))
    stored(project, pairs)
    shown = typed(project, "lint", "raw")
    assert shown.exit_code == 1 and "MEND FIRST" in shown.stdout and "template_tokens" in shown.stdout
    assert typed(project, "lint", "raw", "--accept", "template_tokens").exit_code == 0


def test_row_67_of_bad_input_zero_pairs_is_an_error_that_says_what_was_dropped(project: Path) -> None:
    stored(project, clean_pairs(4, 5))
    with pytest.raises(DataError, match=r"not one of the pairs is left .*few_votes 5.*ZERO_PAIRS"):
        _raised(typed(project, "build", "answers", "--from", "raw", "--min-votes", "9"))


def test_a_build_without_a_source_says_which_there_are(project: Path) -> None:
    with pytest.raises(DataError, match="--labels, --feedback, --from, --run or --picks"):
        _raised(typed(project, "build", "answers"))


def test_pairs_are_built_from_labels_feedback_runs_and_picks_and_signed(tmp_path: Path) -> None:
    bench = write_project(tmp_path / "project")
    folder = bench.file.parent
    label(bench, "prefs")
    base, tuned = evaluated(bench, *(Asked("helpcentre", "dev", model) for model in ("base", "tuned")))
    for number, sample in enumerate(samples_to_compare(bench, base, tuned)[:3]):
        pick(
            bench, duel_of(bench, base, tuned, sample, "seed"), ("left", "tie", "right")[number], "clearly", "bo", NOON
        )
    wanted = {
        "labels": (["--labels", "prefs"], 24), "feedback": (["--feedback", "prefs"], 30), "picks": (["--picks"], 2),
        "runs": (["--run", base, "--run", tuned, "--scorer", "exact_match"], None),
    }  # fmt: skip
    for name, (words, n) in wanted.items():
        found = typed(folder, "build", name, *words, "--by", "Ada", "--json")
        assert found.exit_code == 0, found.output
        manifest = orjson.loads(found.stdout)["manifest"]
        assert manifest["rule"]["by"] == "Ada" and manifest["n"] > 0 and n in (None, manifest["n"])
    [first, *_] = [
        row for row in find_dataset(bench.home.root, "picks").iter_values() if isinstance(row, PreferencePair)
    ]
    assert (
        first.lineage.annotators == ("bo",) and first.rule == "pick" and first.margin == 2 and first.votes is not None
    )
    assert {source.partition("/")[0] for source in first.lineage.sources} == {"picks", base, tuned}
    assert {first.chosen.model, first.rejected.model} == {"base", "tuned"} and first.seen_first is not None


def test_a_run_on_a_gate_set_is_neither_built_from_nor_compared_by_hand(tmp_path: Path) -> None:
    bench = write_project(tmp_path / "project")
    [gate] = evaluated(bench, Asked("helpcentre", "gate", "base"))
    with pytest.raises(LeakageError, match="GATE_RUN"):
        _raised(typed(bench.file.parent, "build", "x", "--run", gate))
    with pytest.raises(LeakageError, match="GATE_RUN"):
        samples_to_compare(bench, gate, gate)


def _raised(result: Result) -> None:
    assert result.exception is not None
    raise result.exception
