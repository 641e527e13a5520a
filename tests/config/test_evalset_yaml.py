"""evalset.yaml: one purpose or one split, named judges, unique metrics, and no path out of its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.config.evalset_yaml import find_evalsets, load_evalset
from workbench.config.workbench_yaml import Workbench, WorkbenchConfig
from workbench.errors import ConfigError

RUBRIC = "rubrics/right.md"
HEAD = "name: demo\nversion: '1'\n"
SCORERS = "scorers:\n  - {kind: exact_match}\n"


def bench(folder: Path) -> Workbench:
    settings = {"models": {"judge": {"kind": "scripted"}}, "candidate": "judge"}
    return Workbench(folder / "workbench.yaml", WorkbenchConfig.model_validate(settings))


def written(folder: Path, text: str, name: str = "demo") -> Path:
    evalset = folder / "evalsets" / name
    evalset.mkdir(parents=True)
    (evalset / "evalset.yaml").write_text(text)
    rows = [{"id": f"s{i}", "group": f"g{i}", "messages": [{"role": "user", "content": f"{i}?"}]} for i in range(30)]
    (evalset / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return evalset


def test_an_evalset_gives_its_rows_by_use(tmp_path: Path) -> None:
    split = "split: {salt: demo, train: 0.0, dev: 0.5, gate: 0.5}\n"
    evalset = load_evalset(written(tmp_path, HEAD + split + SCORERS))
    assert evalset.uses() == ("dev", "gate")
    dev, gate = (evalset.rows(use, bench(tmp_path).home) for use in evalset.uses())
    assert dev.manifest.n + gate.manifest.n == 30
    assert (dev.manifest.name, dev.manifest.use, gate.manifest.use) == ("demo", "dev", "gate")
    assert dev.path.is_relative_to(tmp_path / ".workbench" / "datasets" / "demo-dev")
    assert [s.info().name for s in evalset.scorers] == ["exact_match"]


def test_all_evalsets_are_found_by_name(tmp_path: Path) -> None:
    for name in ("zoo", "abc"):
        written(tmp_path, f"name: {name}\nversion: '1'\nuse: dev\n" + SCORERS, name)
    assert [e.name for e in find_evalsets(bench(tmp_path))] == ["abc", "zoo"]


def test_faults_of_all_evalsets_are_reported_at_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path, f"name: {name}\nversion: 1\nuse: dev\n" + SCORERS, name)
    with pytest.raises(ConfigError) as caught:
        find_evalsets(bench(tmp_path))
    assert [p.field for p in caught.value.problems] == ["version", "version"]


def test_without_evalsets_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"evalsets: no evalset: .* \[NO_EVALSETS\]"):
        find_evalsets(bench(tmp_path))


BAD = {
    "no-use": (HEAD + SCORERS, ["evalset.yaml:1: neither `use` nor `split` is given", "[USE_OR_SPLIT]"]),
    "both": (
        HEAD + "use: dev\nsplit: {salt: x, dev: 1.0}\n" + SCORERS,
        ["evalset.yaml:3:use: both `use` and `split` are given", "[USE_OR_SPLIT]"],
    ),
    "shares": (HEAD + "split: {salt: x, dev: 0.4}\n" + SCORERS, ["evalset.yaml:3:split", "must be 1, not 0.4"]),
    "name": (
        "name: other\nversion: '1'\nuse: dev\n" + SCORERS,
        ["evalset.yaml:1:name", "(got other)", "[EVALSET_NAME]"],
    ),
    "name-pattern": ("name: My Set\nversion: '1'\nuse: dev\n" + SCORERS, ["evalset.yaml:1:name", "[FIELD_VALUE]"]),
    "no-scorers": (HEAD + "use: dev\nscorers: []\n", ["evalset.yaml:4:scorers", "at least 1 item"]),
    "scorer-kind": (HEAD + "use: dev\nscorers:\n  - {kind: exact}\n", ["evalset.yaml:5:scorers[0]", "'exact_match'"]),
    "scorer-field": (
        HEAD + "use: dev\nscorers:\n  - {kind: exact_match, nme: x}\n",
        ["evalset.yaml:5:scorers[0].nme: unknown key; did you mean 'name'?"],
    ),
    "same-name": (
        HEAD + "use: dev\n" + SCORERS + "  - {kind: exact_match}\n",
        ["two scorers have one name", "[DUPLICATE_NAME]"],
    ),
    "judge": (
        HEAD + f"use: dev\nscorers:\n  - {{kind: rubric_judge, judge: juge, rubric: {RUBRIC}}}\n",
        ["evalset.yaml:5:scorers[0].judge", "did you mean 'judge'?", "scorers[0].rubric", "[UNKNOWN_MODEL]"],
    ),
    "samples-outside": (
        HEAD + "use: dev\nsamples: ../../x.jsonl\n" + SCORERS,
        ["evalset.yaml:4:samples", "[PATH_OUTSIDE]"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_evalset(case: str, tmp_path: Path) -> None:
    text, words = BAD[case]
    folder = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_evalset(folder, bench(tmp_path))
    for word in words:
        assert word in str(caught.value)
    assert not (tmp_path / ".workbench").exists()


def test_samples_that_are_a_link_to_themselves_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, HEAD + "use: dev\n" + SCORERS)
    (folder / "samples.jsonl").unlink()
    (folder / "samples.jsonl").symlink_to("samples.jsonl")
    with pytest.raises(ConfigError, match=r"samples: .*circle of links.*\[PATH_OUTSIDE\]"):
        load_evalset(folder)
