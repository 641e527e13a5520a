"""A link holds what it names: what was chosen on the page before, under the same name, does not come between."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def choosing() -> None:
    from dashboards import parts, pieces

    parts.choose("Run", ["a", "b", "c"], key="run")
    parts.choose_several("Labels", ["x", "y"], key="labels")
    pieces.section(("Runs", "Plan"))


def test_what_a_link_names_is_chosen_though_the_page_before_had_named_the_same() -> None:
    at = AppTest.from_function(choosing)
    at.query_params.update({"run": ["b"], "labels": ["y"], "view": ["Plan"]})
    for key, value in {"run": "b", "labels": ["y"], "view": "Plan"}.items():
        at.session_state[f"{key} in the address"] = value
    at.run()
    assert (at.selectbox[0].value, at.multiselect[0].value, at.session_state["view"]) == ("b", ["y"], "Plan")
    assert "b" in at.query_params["run"] and "Plan" in at.query_params["view"]


def test_a_section_of_the_page_before_is_not_taken_for_one_of_this() -> None:
    at = AppTest.from_function(choosing)
    at.query_params["view"] = "Build"
    at.session_state["view"] = "Build"
    at.run()
    assert at.session_state["view"] == "Runs" and not at.exception
