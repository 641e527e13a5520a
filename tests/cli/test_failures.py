"""`workbench failures` from finding to what became of it, typed in a project of one's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Done
from tests.dashboards.conftest import evaluated, write_project
from workbench.jobs.planning import Asked


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bench = write_project(tmp_path_factory.mktemp("made"))
    evaluated(bench, Asked("helpcentre", "dev", "base"), Asked("helpcentre", "dev", "tuned"))
    return bench.file.parent


@pytest.fixture
def failures(workbench: Command, made: Path, tmp_path: Path) -> Command:
    """Run `workbench failures WORDS` over a project with two runs."""
    shutil.copytree(made, tmp_path / "project")
    config = str(tmp_path / "project" / "workbench.yaml")
    return lambda *words: workbench("--config", config, "failures", *words)


def said(done: Done) -> dict[str, object]:
    assert done.code == 0, done.err
    found: dict[str, object] = json.loads(done.out)
    return found


def test_found_coded_grouped_sent_and_followed(failures: Command, made: Path, tmp_path: Path) -> None:
    base, tuned = sorted(p.name for p in (made / ".workbench" / "runs").iterdir())
    found = said(failures("find", base, "--metric", "exact_match", "--json"))
    first, second = (f["of"]["sample"] for f in found["failures"][:2])  # type: ignore[index]
    shown = failures("find", base, "-n", "1")
    assert first in shown.out and "--start 1" in shown.err
    correction = tmp_path / "better.txt"
    correction.write_text("There are many.")
    line = said(
        failures(
            "code", base, first, "--tag", "Off by one", "--note", "one more", "--correction", str(correction), "--json"
        )
    )
    failures("code", base, second, "--tag", "off by one", "--by", "bob")
    failures("code", tuned, second, "--better-than", base, "--by", "bob")
    ranking = said(failures("taxonomy", "--json"))
    assert [(b["code"], b["k"]) for b in ranking["pareto"]] == [("off by one", 2)]  # type: ignore[index]
    sent = failures("send", base, "fixes", "--to", "pairs", "--sample", first, "--sample", second, "--why", "try")
    assert sent.code == 0 and "fixes-train" in sent.out, sent.err
    log = failures("log", base)
    assert "off by one" in log.out and "in a dataset" in log.out and tuned in log.out
    assert failures("code", "--undo", str(line["id"]), "--by", "somebody else").code == 3
    assert failures("code", "--undo", str(line["id"])).code == 0


def test_clusters_by_words_can_be_sent_on(failures: Command, made: Path) -> None:
    base = min(p.name for p in (made / ".workbench" / "runs").iterdir())
    found = said(failures("cluster", base, "--embedding", "words", "--by", "answer", "-k", "3", "-q", "--json"))
    first = found["clusters"][0]  # type: ignore[index]
    sent = said(failures("send", base, "watched", "--to", "evalset", "--cluster", f"{found['id']}:1", "--json"))
    assert len(sent["what"]) == len(first["members"])  # type: ignore[arg-type]
    assert failures("send", base, "x", "--to", "evalset", "--cluster", "latest:99").code == 3
    shown = failures("cluster", base, "--embedding", "words", "-q")
    assert "typical" in shown.out and "A proposal" not in shown.out


def test_a_saved_taxonomy_is_exported_and_wrong_words_are_refused(failures: Command, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text('version: "7"\nmodes: [{value: units, severity: 4}, {value: other}]\n')
    assert "version 7" in failures("taxonomy", "--from", str(file), "--why", "own").err
    assert failures("taxonomy", "-o", "-").out.startswith("# Failure modes, version 7")
    file.write_text('version: "7"\nmodes: [{value: units, severity: 9}, {value: other}]\n')
    assert failures("taxonomy", "--from", str(file)).code == 2
    for words in (
        ("send", "latest", "x", "--to", "pairs"),
        ("code", "latest"),
        ("find", "latest", "--metric", "nobody"),
    ):
        done = failures(*words)
        assert done.code == 2 and "Traceback" not in done.err, words
