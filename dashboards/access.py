"""Who is here and what they may do. Pages ask to draw; the function that acts asks again, and that answer counts.

On loopback without a login, whoever can open the page is the person whose machine it is: admin, by the login name.
With OpenID Connect (`[auth]` in .streamlit/secrets.toml), the roles stand in workbench.yaml under `dashboards.roles`.
They are read anew at each rerun: who is taken from the list is refused at the next one, however long a cookie lives.
"""

from __future__ import annotations

import getpass
import ipaddress
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import streamlit as st

from workbench.config.dashboards_yaml import ROLES, Role
from workbench.errors import AccessRefused, Problem

__all__ = ["ACTS", "ROLES", "Act", "NotLoggedIn", "Person", "Role", "act", "logged_in", "may", "person", "require"]

Act = Literal["read", "code", "pick", "adjudicate", "send", "build", "evaluate", "train", "stop", "gate", "promote"]
"""What a person can do on the pages."""

ACTS: dict[Act, Role] = {
    "read": "viewer",
    "code": "annotator",
    "pick": "annotator",
    "adjudicate": "curator",
    "send": "curator",
    "build": "curator",
    "evaluate": "curator",
    "train": "curator",
    "stop": "curator",
    "gate": "admin",
    "promote": "admin",
}
"""The least role for each: `read` pages · `code` failures · `pick` the better answer · `adjudicate` labels · `send` to
annotators · `build` pairs, evalsets, datasets · `evaluate`, `train` · `stop` a job · `gate` takes a look, which are
counted · `promote` a baseline."""


class Person(NamedTuple):
    """Who is here."""

    name: str
    """Name that acts are signed with: the address that logged in, or the login name of this machine."""
    role: Role
    """What they may do."""


class NotLoggedIn(Exception):
    """Nobody has logged in yet, and somebody must."""


def person() -> Person:
    """Return who is here. Raises `NotLoggedIn`, or `AccessRefused` for somebody without a role or a door left open."""
    if _has_login():
        if not logged_in():
            raise NotLoggedIn
        return _known(str(st.user.get("email") or ""), st.user.get("email_verified"))
    address = st.get_option("server.address")
    if not is_loopback(address):
        fix = "start it with `workbench dashboards`, which stays on this machine, or configure a login"
        raise AccessRefused(
            Problem("NO_LOGIN", "the pages are open to the network and have no login", got=address, fix=fix)
        )
    return Person(_login_name(), "admin")


def may(what: Act) -> bool:
    """Return whether the person here may do this; for drawing alone."""
    return _reaches(person().role, ACTS[what])


def act(what: Act) -> Person:
    """Return who acts, to sign with. Raises `AccessRefused`. Called first in every function that acts."""
    return require(ACTS[what], what)


def require(role: Role, what: str = "do this") -> Person:
    """Return who is here if their role reaches `role`. Raises `AccessRefused`."""
    here = person()
    if _reaches(here.role, role):
        return here
    fix = "ask for the role in workbench.yaml, `dashboards.roles`"
    raise AccessRefused(Problem("ROLE", f"to {what} takes the role {role}", got=here.role, fix=fix))


def logged_in() -> bool:
    """Return whether somebody came through the login."""
    return _has_login() and bool(st.user.get("is_logged_in"))


def is_loopback(address: str | None) -> bool:
    """Return whether an address of the server is reached from this machine alone; `None` means all addresses."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _reaches(mine: Role, wanted: Role) -> bool:
    return ROLES.index(mine) >= ROLES.index(wanted)


def secret_files() -> list[Path]:
    """Return where Streamlit looks for a login's settings."""
    return [Path(file) for file in st.get_option("secrets.files")]


def _has_login() -> bool:
    """Return whether a login is configured. Raises `AccessRefused` where that cannot be read: it opens no door."""
    if st.secrets.load_if_toml_exists():
        return "auth" in st.secrets
    if broken := [file for file in secret_files() if file.exists()]:
        what = "the file that may configure a login cannot be read"
        raise AccessRefused(Problem("NO_LOGIN", what, str(broken[0]), fix="mend it: docs/dashboards.md"))
    return False


def _known(email: str, verified: object) -> Person:
    from dashboards import data

    role = data.bench().config.dashboards.roles.get(email.casefold())
    if not email or verified is False or role is None:
        what = "nobody with this address has a role here"
        raise AccessRefused(Problem("NO_ROLE", what, got=email, fix="add it to `dashboards.roles` in workbench.yaml"))
    return Person(email.casefold(), role)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


assert set(ACTS) == set(get_args(Act))
