"""Two runs held against each other."""

from __future__ import annotations

from dashboards import charts, data
from dashboards.parts import word_diff
from tests.dashboards.conftest import Open
from tests.reports.nouns import difference
from workbench.config.workbench_yaml import Workbench


def test_an_empty_home_names_the_next_command(open_page: Open, empty: Workbench) -> None:
    assert "workbench eval run" in open_page("compare", empty).calm().texts()


def test_the_newest_run_and_the_one_before_it_on_the_same_samples_are_compared(
    open_page: Open, full: Workbench
) -> None:
    page = open_page("compare", full).calm()
    ids = full.home.run_ids()
    assert (page.at.selectbox(key="a").value, page.at.selectbox(key="b").value) == (ids[1], ids[3])
    found = data.comparison(ids[1], ids[3])
    assert [row["n"] for row in page.tables()[1]] == [str(found.n), str(found.n)]
    assert f"{found.n_regressions['exact_match']:,} samples" in page.texts()


def test_runs_and_pages_come_from_the_address(open_page: Open, full: Workbench) -> None:
    ids = full.home.run_ids()
    page = open_page("compare", full, a=ids[0], b=ids[2], kind="fix", page="2").calm()
    assert page.at.selectbox(key="b").value == ids[2] and page.at.selectbox(key="kind").value == "fix"
    assert page.at.number_input(key="page").value == 2


def test_runs_on_other_samples_are_refused_with_why(open_page: Open, full: Workbench) -> None:
    ids = full.home.run_ids()
    assert "OTHER_SAMPLES" in open_page("compare", full, a=ids[0], b=ids[3]).calm().texts()


def test_damaged_tables_are_told(open_page: Open, damaged: Workbench) -> None:
    page = open_page("compare", damaged).calm()
    assert "This cannot be shown" in page.texts() or page.at.info


def test_slices_are_marked_by_the_adjusted_p_value_and_the_metrics_direction() -> None:
    clear = difference("right", 0.1, 0.05, p=0.001, p_adjusted=0.01)
    assert charts.surely(clear) == "pass"
    assert charts.surely(clear.model_copy(update={"better": "lower"})) == "fail"
    assert charts.surely(clear.model_copy(update={"p_adjusted": 0.2})) == ""
    assert charts.surely(difference("right", None, 0.0)) == ""


def test_a_word_diff_gives_both_texts_back() -> None:
    before, after = "There are 5 plans.\n  Yes", "There are six plans,\n  yes"
    left, right = word_diff(before, after)
    assert "".join(text for text, _ in left) == before and "".join(text for text, _ in right) == after
    assert ("5", "del") in left and ("six", "ins") in right
