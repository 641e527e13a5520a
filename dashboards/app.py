"""The pages: `streamlit run dashboards/app.py`, which `workbench dashboards` does with the right settings."""

from __future__ import annotations

import gc
import logging
import secrets
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from dashboards import access, parts
from workbench.errors import WorkbenchError

log = logging.getLogger("dashboards")
# Drawn here: an icon of Streamlit's own set would be fetched from another server.
ICON = (Path(__file__).parent / "icon.svg").read_text(encoding="utf-8")


class PageSpec(NamedTuple):
    """One page of the menu."""

    group: str
    """Heading in the menu."""
    name: str
    """Module in `dashboards/views`, and the page's address."""
    title: str
    """Name in the menu."""
    icon: str
    """Material symbol."""


PAGES = (
    PageSpec("Release", "overview", "Overview", ":material/flag:"),
    PageSpec("Release", "runs", "Runs", ":material/format_list_bulleted:"),
    PageSpec("Release", "compare", "Compare", ":material/compare_arrows:"),
    PageSpec("Errors", "failures", "Failures", ":material/report:"),
    PageSpec("Errors", "sample", "Sample", ":material/search:"),
    PageSpec("Errors", "coding", "Coding", ":material/sell:"),
    PageSpec("Data", "labelling", "Labelling", ":material/edit_note:"),
    PageSpec("Data", "pairs", "Pairs", ":material/balance:"),
    PageSpec("Data", "evalsets", "Eval sets", ":material/checklist:"),
    PageSpec("Data", "data", "Data", ":material/database:"),
    PageSpec("Models", "judges", "Judges", ":material/gavel:"),
    PageSpec("Models", "training", "Training", ":material/model_training:"),
    PageSpec("Models", "jobs", "Jobs", ":material/terminal:"),
)


def main() -> None:
    """Let the person in, draw the menu and the chosen page."""
    st.set_page_config("workbench", ICON, layout="wide", initial_sidebar_state=220)
    person = _let_in()
    pages = _pages()
    st.session_state["pages"] = {page.url_path or PAGES[0].name: page for group in pages.values() for page in group}
    chosen = st.navigation(pages, position="sidebar", expanded=True)
    parts.who(person)
    chosen.run()


def _let_in() -> access.Person:
    """Return who is here; show how to come in, and stop, where nobody is."""
    try:
        return access.person()
    except access.NotLoggedIn:
        st.title("workbench")
        st.button("Log in", type="primary", on_click=st.login)
    except WorkbenchError as exc:
        parts.fault(exc)
        if access.logged_in():
            st.button("Log out", on_click=st.logout)
    st.stop()


def _pages() -> dict[str, list[st.Page]]:
    """Return the pages whose file is there, by group."""
    found: dict[str, list[st.Page]] = {}
    for spec in PAGES:
        if (Path(__file__).parent / "views" / f"{spec.name}.py").exists():
            page = st.Page(_guarded(spec.name), title=spec.title, icon=spec.icon, url_path=spec.name)
            found.setdefault(spec.group, []).append(page)
    return found


def _guarded(name: str) -> Callable[[], None]:
    """Return a page that tells what it cannot read, and no traceback."""

    def run() -> None:
        try:
            import_module(f"dashboards.views.{name}").show()
            _set_aside(name)
        except WorkbenchError as exc:
            parts.fault(exc)
        except Exception:
            number = secrets.token_hex(4)
            log.exception("page %s broke, reference %s", name, number)
            parts.broken(number)

    return run


@st.cache_resource(show_spinner=False)
def _set_aside(name: str) -> None:
    """Take what is loaded now out of the garbage collector's sight, once a page in the life of the server.

    Streamlit looks through all objects after every run, before the browser hears of its end: 0.12 s for 170,000,
    nearly all modules that stay.
    """
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
