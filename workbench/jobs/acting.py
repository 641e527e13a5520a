"""Who acts: the name that records of people's acts carry."""

from __future__ import annotations

import getpass
import os
import subprocess


def who() -> str:
    """Return who acts: git's user name where there is one, and the login name, or `unknown` without either.

    A job that a page started is signed by who is logged in there: `WORKBENCH_WHO`, which the page sets.
    """
    if asked := os.environ.get("WORKBENCH_WHO"):
        return legible(asked)
    login = _login()
    try:
        said = subprocess.run(["git", "config", "user.name"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return login
    name = said.stdout.decode("utf-8", "replace").strip()
    return f"{name} ({login})" if name else login


def _login() -> str:
    try:
        return legible(getpass.getuser())
    except (OSError, KeyError):  # a container's user without an entry in passwd: KeyError before Python 3.13
        return f"unknown, uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def legible(text: str) -> str:
    """Return text that UTF-8 can hold: bytes of the command line that are no text are shown as `\\udcff`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
