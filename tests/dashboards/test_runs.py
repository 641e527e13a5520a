"""The list of runs, and one run."""

from __future__ import annotations

from tests.dashboards.conftest import Open
from workbench.config.workbench_yaml import Workbench


def test_an_empty_home_names_the_next_command(open_page: Open, empty: Workbench) -> None:
    assert "workbench eval run" in open_page("runs", empty).calm().texts()


def test_the_list_is_searched_by_word_and_state(open_page: Open, full: Workbench) -> None:
    page = open_page("runs", full).calm()
    assert "4 of 4 runs" in page.texts()
    page.at.text_input(key="q").set_value("TUNED gate").run()
    assert "1 of 4 runs" in page.calm().texts()
    page.at.selectbox(key="state").set_value("damaged").run()
    assert "0 of 4 runs" in page.calm().texts()


def test_a_search_is_part_of_the_address(open_page: Open, full: Workbench) -> None:
    assert "2 of 4 runs" in open_page("runs", full, q="dev").calm().texts()


def test_a_run_shows_its_metrics_with_interval_n_and_failures(open_page: Open, full: Workbench) -> None:
    run = full.home.run_ids()[-1]
    page = open_page("runs", full, run=run, metric="f1").calm()
    shown = {card.label: card.value for card in page.at.metric}
    assert set(shown) == {"exact_match", "f1"} and all(0 <= float(value) <= 1 for value in shown.values())
    assert "failed 0" in page.texts() and "families" in page.texts()
    assert page.at.selectbox(key="metric").value == "f1"


def test_a_damaged_home_lists_what_can_be_read_and_says_what_cannot(open_page: Open, damaged: Workbench) -> None:
    page = open_page("runs", damaged).calm()
    states = list(page.at.dataframe[0].value["state"])
    assert sorted(states) == ["damaged", "finished", "finished", "unfinished"]
    for run in damaged.home.run_ids():
        open_page("runs", damaged, run=run).calm()


def test_a_run_that_is_not_there_is_told(open_page: Open, full: Workbench) -> None:
    assert "UNKNOWN_RUN" in open_page("runs", full, run="no-such-run").calm().texts()
