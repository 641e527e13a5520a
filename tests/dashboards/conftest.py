"""Three homes, a full, an empty and a damaged one, and a page opened over any of them without a browser."""

from __future__ import annotations

import asyncio
import getpass
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import orjson
import pytest
import streamlit.config
from streamlit.navigation.page import calc_hash
from streamlit.testing.v1 import AppTest

from tests.dashboards import labelled_home
from workbench.config.evalset_yaml import load_evalset
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.evaluation.engine import Halt
from workbench.jobs.evaluating import Job, evaluate_all
from workbench.jobs.gating import Question, decide_release
from workbench.jobs.overruling import promote
from workbench.jobs.planning import Asked, plan

APP = Path(__file__).parents[2] / "dashboards" / "app.py"
TOPICS = ("plans", "refunds", "rooms", "taxes")
N = 160
"""Samples of the full home's evalset, in families of two."""


def samples(n: int = N) -> list[dict[str, Any]]:
    """Return samples of a made-up help centre: with a passage that holds the answer, and one that does not."""
    return [
        {
            "id": f"q{i:03d}",
            "group": f"article-{i // 2}",
            "messages": [
                {"role": "user", "content": f"How many {TOPICS[i % 4]} are in article {i // 2}, version {i}?"}
            ],
            "references": [f"There are {i} {TOPICS[i % 4]}."],
            "contexts": [
                {"id": f"p{i}", "text": f"Article {i // 2}, version {i}. There are {i} {TOPICS[i % 4]}."},
                {"id": f"p{i}b", "text": "Other articles tell of other things."},
            ],
            "gold_contexts": [f"p{i}"],
            "tags": {"topic": TOPICS[i % 4], "length": "short" if i % 3 else "long"},
        }
        for i in range(n)
    ]


def answers(right: Callable[[int], bool], n: int = N) -> list[dict[str, Any]]:
    """Return recorded answers, right where the function says so; the last sample has none."""
    return [
        {
            "id": f"q{i:03d}",
            "output": f"There are {i if right(i) else i + 1} {TOPICS[i % 4]}.",
            "latency": 0.2 + (i % 7) / 10,
            "input_tokens": 60,
            "output_tokens": 8,
            "cost": 0.0002,
        }
        for i in range(n - 1)
    ]


CONFIG = """\
models:
  base: {kind: recorded, path: base.jsonl}
  tuned: {kind: recorded, path: tuned.jsonl}
candidate: tuned
"""
EVALSET = """\
name: helpcentre
version: "1"
split: {salt: helpcentre-1, train: 0.2, dev: 0.4, gate: 0.4}
scorers:
  - {kind: exact_match}
  - {kind: token_f1, name: f1}
policy:
  metrics:
    exact_match: {min: 0.3, margin: 0.1}
    f1: {margin: 0.02}
"""


def write_project(folder: Path) -> Workbench:
    """Write a project whose two models are recorded answers."""
    evalset = folder / "evalsets" / "helpcentre"
    evalset.mkdir(parents=True)
    (folder / "workbench.yaml").write_text(CONFIG)
    (evalset / "evalset.yaml").write_text(EVALSET)
    _lines(evalset / "samples.jsonl", samples())
    _lines(folder / "base.jsonl", answers(lambda i: i % 3 != 0))
    _lines(folder / "tuned.jsonl", answers(lambda i: i % 5 != 0))
    return load_workbench(folder / "workbench.yaml")


def evaluated(bench: Workbench, *asked: Asked) -> list[str]:
    """Evaluate and return the ids of the runs."""
    evalset = load_evalset(bench.evalsets / "helpcentre", bench)
    jobs = [Job(p, bench.home.new_run(p.spec, datetime.now(UTC))) for p in (plan(bench, a, evalset) for a in asked)]
    everything = evaluate_all(bench, jobs, Halt(), lambda _: nullcontext(lambda _: None), lambda _: None)
    with ThreadPoolExecutor(1) as thread:  # a browser under test holds this thread's event loop
        made = thread.submit(asyncio.run, everything).result()
    assert made is not None
    return [run.id for run in made]


def _lines(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A home with four runs (two models, dev and gate), a baseline and a gate that was decided. Tests only read it."""
    bench = write_project(tmp_path_factory.mktemp("full"))
    wanted = [Asked("helpcentre", use, model) for model in ("base", "tuned") for use in ("dev", "gate")]  # type: ignore[arg-type]
    runs = evaluated(bench, *wanted)
    promote(bench, runs[1], None, "first release", datetime.now(UTC))
    decide_release(bench, Question(), datetime.now(UTC))
    return bench


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A home without anything in it; a new one each time, because some pages read evalsets in."""
    return write_project(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def damaged(full: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A copy of the full home with files cut short: each run's in another way, and the book of gates."""
    folder = tmp_path_factory.mktemp("damaged") / "project"
    shutil.copytree(full.file.parent, folder)
    bench = load_workbench(folder / "workbench.yaml")
    ids = bench.home.run_ids()
    cut(bench.home.runs / ids[0] / "summary.json")
    cut(bench.home.runs / ids[1] / "scores.parquet")
    cut(bench.home.runs / ids[2] / "samples.parquet")
    (bench.home.runs / ids[3] / "summary.json").unlink()
    cut(bench.home.root / "gates" / "records.jsonl")
    return bench


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A home with labels, a judged run, calibrations, an attack and datasets. Tests only read it."""
    return labelled_home.build(tmp_path_factory.mktemp("labelled"))


@pytest.fixture
def writable(full: Workbench, tmp_path: Path) -> Workbench:
    """A copy of the full home for a test that changes it."""
    shutil.copytree(full.file.parent, tmp_path / "project")
    return load_workbench(tmp_path / "project" / "workbench.yaml")


def cut(file: Path) -> None:
    """Leave the first half of a file."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


@dataclass(frozen=True)
class Opened:
    """A page as a person sees it."""

    at: AppTest

    def texts(self) -> str:
        """Return everything that is written on the page."""
        kinds = ("title", "header", "subheader", "caption", "text", "code", "markdown", "info", "warning", "error")
        return "\n".join(
            [*(str(e.value) for kind in kinds for e in getattr(self.at, kind)), *map(unescape, self._drawn())]
        )

    def tables(self) -> list[list[dict[str, str]]]:
        """Return the tables of few rows, by the names of their columns."""
        return [_rows(said) for said in self._drawn() if "<table" in said]

    def _drawn(self) -> list[str]:
        return [str(found.proto.body) for found in self.at.get("html")]

    def calm(self) -> Opened:
        """Return it, having seen that no exception reached it."""
        assert [e.value for e in self.at.exception] == []
        assert "This page broke" not in self.texts()
        return self


def _rows(said: str) -> list[dict[str, str]]:
    names = [unescape(name) for name in re.findall(r"<th[^>]*>([^<]*)</th>", said)]
    rows = (re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in said.split("<tr>")[2:])
    return [dict(zip(names, map(unescape, row), strict=True)) for row in rows]


Open = Callable[..., Opened]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Return a function that opens a page as this machine's person: `open_page("runs", bench, run="…")`."""
    before = streamlit.config.get_option("server.address")
    streamlit.config.set_option("server.address", "127.0.0.1")
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")

    def opened(name: str, bench: Workbench, **query: str) -> Opened:
        monkeypatch.setenv("WORKBENCH_CONFIG", str(bench.file))
        at = AppTest.from_file(str(APP), default_timeout=60)
        at._page_hash = calc_hash(name)
        for key, value in query.items():
            at.query_params[key] = value
        at.run()
        return Opened(at)

    yield opened
    streamlit.config.set_option("server.address", before)
