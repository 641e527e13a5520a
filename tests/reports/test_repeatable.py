"""The same saved values give the same bytes, whatever the hash seed and the time zone of the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports.nouns import CALM, new_run

ROOT = Path(__file__).parents[2]
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "Africa/Casablanca")
PROGRAM = """
import hashlib, sys
from pathlib import Path
from tests.reports.nouns import comparison, release
from workbench.evaluation.run import read_run
from workbench.reports.as_html import page
from workbench.reports.as_markdown import markdown
from workbench.reports.comparison import comparison_document
from workbench.reports.gate import gate_document
from workbench.reports.junit import gate_junit, run_junit
from workbench.reports.run import run_document
from workbench.store.home import RunFolder
folder = RunFolder(Path(sys.argv[1]))
run = read_run(folder)
documents = run_document(run, folder), comparison_document(comparison()), gate_document(release())
texts = [show(d) for d in documents for show in (page, markdown)] + [gate_junit(release()), run_junit(run)]
print(*(hashlib.sha256(t.encode()).hexdigest() for t in texts))
"""


def hashes(folder: Path, seed: int, zone: str) -> str:
    env = os.environ | {"PYTHONHASHSEED": str(seed), "TZ": zone, "LC_ALL": "C"}
    words = [sys.executable, "-c", PROGRAM, str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT, env=env).stdout


def trial(tmp_path: Path, seeds: int, zones: int) -> None:
    _, folder = new_run(CALM, tmp_path)
    found = {hashes(folder.path, seed, zone) for seed in range(seeds) for zone in ZONES[:zones]}
    assert len(found) == 1
    assert len(set(found.pop().split())) == 8


def test_reports_are_the_same_bytes_under_3_hash_seeds_and_2_time_zones(tmp_path: Path) -> None:
    trial(tmp_path, 3, 2)


@pytest.mark.long
def test_reports_are_the_same_bytes_under_10_hash_seeds_and_5_time_zones(tmp_path: Path) -> None:
    trial(tmp_path, 10, 5)


def test_what_is_written_at_the_run_s_end_is_what_is_written_later(tmp_path: Path) -> None:
    from workbench.reports.run import write_reports

    run, folder = new_run(CALM, tmp_path)
    first = (folder.report.read_bytes(), folder.page.read_bytes())
    write_reports(run, folder)
    assert (folder.report.read_bytes(), folder.page.read_bytes()) == first
