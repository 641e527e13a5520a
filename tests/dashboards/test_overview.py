"""The first page: what a person sees of a project at once."""

from __future__ import annotations

import gc

import streamlit as st

from tests.dashboards.conftest import Open
from workbench.config.workbench_yaml import Workbench


def test_an_empty_home_names_the_next_command(open_page: Open, empty: Workbench) -> None:
    page = open_page("overview", empty).calm()
    assert "workbench eval run" in page.texts()


def test_the_full_home_opens(open_page: Open, full: Workbench) -> None:
    open_page("overview", full).calm()


def test_a_damaged_home_opens(open_page: Open, damaged: Workbench) -> None:
    open_page("overview", damaged).calm()


def test_what_a_page_loaded_is_no_work_for_the_collector_after_each_run(open_page: Open, empty: Workbench) -> None:
    st.cache_resource.clear()
    gc.unfreeze()
    open_page("overview", empty).calm()
    assert gc.get_freeze_count() > 10 * len(gc.get_objects())
