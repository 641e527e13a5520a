"""The first page: what a person sees of a project at once."""

from __future__ import annotations

from tests.dashboards.conftest import Open
from workbench.config.workbench_yaml import Workbench


def test_an_empty_home_names_the_next_command(open_page: Open, empty: Workbench) -> None:
    page = open_page("overview", empty).calm()
    assert "workbench eval run" in page.texts()


def test_the_full_home_opens(open_page: Open, full: Workbench) -> None:
    open_page("overview", full).calm()


def test_a_damaged_home_opens(open_page: Open, damaged: Workbench) -> None:
    open_page("overview", damaged).calm()
