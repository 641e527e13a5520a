"""`workbench eval report`: to files, to standard output, or beside the run's tables."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from tests.cli.conftest import Command


def test_a_report_goes_where_it_is_asked_to_go(workbench: Command) -> None:
    assert workbench("eval", "run", "-q").code == 0
    done = workbench("eval", "report", "--html", "r.html", "--junit", "r.xml", "--markdown", "-")
    assert done.code == 0 and done.out.startswith("# first · dev · candidate\n")
    assert Path("r.html").read_text().startswith("<!DOCTYPE html>")
    assert ET.parse("r.xml").getroot().get("tests") == "2"


def test_without_a_file_the_run_s_own_reports_are_written_anew(workbench: Command) -> None:
    assert workbench("eval", "run", "-q").code == 0
    (run,) = Path(".workbench/runs").iterdir()
    before = {name: (run / name).read_bytes() for name in ("report.md", "report.html")}
    for name in before:
        (run / name).unlink()
    assert workbench("eval", "report").code == 0
    assert {name: (run / name).read_bytes() for name in before} == before


def test_an_unknown_run_is_told_and_nothing_is_written(workbench: Command) -> None:
    assert workbench("eval", "run", "-q").code == 0
    done = workbench("eval", "report", "nonesuch", "--html", "r.html")
    assert done.code == 3 and "nonesuch" in done.err
    assert not Path("r.html").exists()
