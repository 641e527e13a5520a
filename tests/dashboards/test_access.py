"""Who gets in and what they may do: every cell of role × act, by direct call and by button; nobody unknown."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
import streamlit as st
import streamlit.config

from dashboards import access, acting
from dashboards.access import ACTS, ROLES, Act, NotLoggedIn, Role
from tests.dashboards.conftest import Open
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.errors import AccessRefused, ConfigError
from workbench.jobs.background import jobs
from workbench.jobs.launchable import LAUNCHABLE

ALLOWED: dict[Role, set[Act]] = {
    "viewer": {"read"},
    "annotator": {"read", "code", "pick"},
    "curator": {"read", "code", "pick", "adjudicate", "send", "build", "evaluate", "train", "stop"},
    "admin": {
        "read", "code", "pick", "adjudicate", "send", "build", "evaluate", "train", "stop", "gate", "promote",
    },
}  # fmt: skip
"""Written out, so that a change of the table is seen."""
CELLS = list(product(ROLES, ACTS))


@pytest.fixture
def team(full: Workbench, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that logs somebody in: `team("curator")`; four people have a role each."""
    config = tmp_path / "workbench.yaml"
    roles = ", ".join(f'"{role}@example.com": {role}' for role in ROLES)
    home = full.home.root
    config.write_text(
        f"{full.file.read_text()}home: {home}\nevalsets: {full.evalsets}\ndashboards: {{roles: {{{roles}}}}}\n"
    )
    for name in ("base", "tuned"):
        (tmp_path / f"{name}.jsonl").write_bytes((full.file.parent / f"{name}.jsonl").read_bytes())
    monkeypatch.setenv("WORKBENCH_CONFIG", str(config))
    monkeypatch.setattr(access, "_has_login", lambda: True)

    def log_in(who: str | None, **claims: object) -> Workbench:
        claims = {"is_logged_in": who is not None, "email": f"{who}@example.com", **claims}
        monkeypatch.setattr(st, "user", claims)
        return load_workbench(config)

    yield log_in


@pytest.mark.parametrize(("role", "act"), CELLS)
def test_every_cell_of_the_table_holds_when_the_function_is_called(role: Role, act: Act, team: Any) -> None:
    team(role)
    if act in ALLOWED[role]:
        assert access.act(act) == (f"{role}@example.com", role) and access.may(act)
    else:
        assert not access.may(act)
        with pytest.raises(AccessRefused, match="ROLE"):
            access.act(act)


@pytest.mark.parametrize("role", ROLES)
def test_every_command_is_refused_to_who_may_not_start_it_and_nothing_is_left_behind(role: Role, team: Any) -> None:
    bench = team(role)
    before = jobs(bench.home)
    for command in LAUNCHABLE:
        if acting.what(command) not in ALLOWED[role]:
            with pytest.raises(AccessRefused, match="ROLE"):
                acting.start([*command, "x"])
        else:
            with pytest.raises(ConfigError, match="NO_SUCH_JOB"):
                acting.start([*command, "--not-an-option"])
    assert jobs(bench.home) == before


BUTTONS: dict[str, tuple[str, Act]] = {
    "decide": ("overview", "gate"),
    "rescore": ("runs", "evaluate"),
}
"""Buttons by key: on which page, for which act."""
EDGES: list[tuple[Role, str]] = [
    ("curator", "decide"), ("admin", "decide"), ("annotator", "rescore"), ("curator", "rescore"),
]  # fmt: skip
"""The last role without each button, and the first with it."""


@pytest.mark.parametrize(("role", "key"), EDGES)
def test_a_button_is_off_for_whom_it_is_not_for(role: Role, key: str, team: Any, open_page: Open) -> None:
    bench = team(role)
    page, act = BUTTONS[key]
    query = {"run": bench.home.run_ids()[-1]} if page == "runs" else {}
    opened = open_page(page, bench, **query).calm()
    assert opened.at.button(key=key).disabled == (act not in ALLOWED[role])


def test_who_loses_the_role_while_the_page_is_open_starts_nothing_by_clicking(team: Any, open_page: Open) -> None:
    bench = team("curator")
    before = jobs(bench.home)
    opened = open_page("runs", bench, run=bench.home.run_ids()[-1]).calm()
    team("viewer")
    opened.at.button(key="rescore").click().run()
    opened.calm()
    assert jobs(bench.home) == before and opened.at.button(key="rescore").disabled


def test_nobody_sees_a_page_before_logging_in(team: Any, open_page: Open) -> None:
    bench = team(None)
    with pytest.raises(NotLoggedIn):
        access.person()
    opened = open_page("runs", bench).calm()
    assert [button.label for button in opened.at.button] == ["Log in"] and not opened.at.dataframe


def test_who_is_taken_from_the_list_is_refused_at_the_next_rerun(team: Any, open_page: Open) -> None:
    bench = team("viewer")
    opened = open_page("runs", bench).calm()
    assert "4 of 4 runs" in opened.texts()
    bench.file.write_text(bench.file.read_text().replace('"viewer@example.com": viewer, ', ""))
    opened.at.run()
    assert "NO_ROLE" in opened.texts() and "4 of 4" not in opened.texts() and not opened.at.dataframe


@pytest.mark.parametrize(
    "claims",
    [{"email": "mallory@example.com"}, {"email": ""}, {"email": None}, {"email_verified": False}, {"email": "admin"}],
)
def test_who_has_no_role_or_an_address_that_is_not_verified_is_refused(claims: dict[str, object], team: Any) -> None:
    team("admin", **claims)
    with pytest.raises(AccessRefused, match="NO_ROLE"):
        access.person()


def test_an_address_counts_in_any_case_of_letters(team: Any) -> None:
    team("curator", email="Curator@Example.COM")
    assert access.person() == ("curator@example.com", "curator")


def served_at(address: str | None) -> Callable[[str], Any]:
    """Return Streamlit's options, with the server at an address."""
    return lambda name: address if name == "server.address" else streamlit.config.get_option(name)


@pytest.mark.parametrize("address", [None, "0.0.0.0", "192.168.1.5", "::", "example.com"])
def test_without_a_login_the_network_is_refused_even_if_the_server_was_started_by_hand(
    address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "get_option", served_at(address))
    with pytest.raises(AccessRefused, match="NO_LOGIN"):
        access.person()


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_on_this_machine_whoever_it_is_is_its_person(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "get_option", served_at(address))
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert access.person() == ("ada", "admin")


def test_secrets_that_cannot_be_read_open_no_door(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "secrets.toml"
    broken.write_text("[auth\n")
    monkeypatch.setattr(access, "secret_files", lambda: [broken])
    monkeypatch.setattr(type(st.secrets), "load_if_toml_exists", lambda _: False)
    monkeypatch.setattr(st, "get_option", served_at("127.0.0.1"))
    with pytest.raises(AccessRefused, match="NO_LOGIN"):
        access.person()
