"""`workbench dashboards` and `workbench jobs`: the door stays shut, and what is started is what was meant."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Command


class Became(Exception):
    """Stands for becoming another program."""

    def __init__(self, words: Sequence[str], environment: dict[str, str]) -> None:
        self.words, self.environment = words, environment


@pytest.fixture
def served(workbench: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """The command in a home without settings of Streamlit, where becoming Streamlit is seen and not done."""
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))

    def become(path: str, words: Sequence[str], environment: dict[str, str]) -> None:
        raise Became(words, environment)

    monkeypatch.setattr(os, "execve", become)
    return workbench


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_the_pages_are_served_on_this_machine_with_the_doors_shut(
    served: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.cli import main

    seen: list[Became] = []

    def note(exc: Exception) -> str:
        assert isinstance(exc, Became)
        seen.append(exc)
        return "became"

    monkeypatch.setattr(main, "_ours", note)
    port = free_port()
    assert f"http://localhost:{port}" in served("dashboards", "--port", port).err
    (became,) = seen
    flags = set(became.words)
    assert list(became.words[:4]) == [sys.executable, "-m", "streamlit", "run"]
    assert {
        "--server.address=127.0.0.1",
        "--browser.gatherUsageStats=false",
        "--server.enableXsrfProtection=true",
        "--server.enableCORS=true",
        "--server.allowedHosts=localhost",
        "--client.showErrorDetails=none",
        "--client.toolbarMode=minimal",
        "--server.fileWatcherType=none",
    } <= flags
    assert Path(became.environment["WORKBENCH_CONFIG"]).name == "workbench.yaml"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com"])
def test_any_other_address_is_refused_without_a_login(host: str, served: Command) -> None:
    done = served("dashboards", "--host", host)
    assert done.code == 2 and "NO_LOGIN" in done.err and "secrets.toml" in done.err


def test_a_login_without_its_package_or_roles_is_refused_and_one_that_cannot_be_read_too(
    served: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text('[auth]\ncookie_secret = "x"\n')
    there = "workbench.cli.serving_dashboards.find_spec"
    monkeypatch.setattr(there, lambda name: None if name == "authlib" else name)
    assert "workbench[login]" in served("dashboards", "--host", "0.0.0.0").err
    monkeypatch.setattr(there, lambda name: name)
    assert "NO_ROLE" in served("dashboards", "--host", "0.0.0.0").err
    secrets.write_text("[auth\n")
    assert "NO_LOGIN" in served("dashboards").err


def test_a_port_that_is_taken_is_told(served: Command) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = served("dashboards", "--port", str(other.getsockname()[1]))
    assert done.code == 2 and "PORT_TAKEN" in done.err


def test_a_missing_package_is_told_with_what_to_install(served: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.cli.serving_dashboards.find_spec", lambda _: None)
    done = served("dashboards")
    assert done.code == 2 and "workbench[dashboards]" in done.err


def test_a_role_that_does_not_exist_is_refused_with_its_line(served: Command, tmp_path: Path) -> None:
    config = tmp_path / "workbench.yaml"
    config.write_text(config.read_text() + 'dashboards: {roles: {"ada@example.com": boss}}\n')
    done = served("dashboards")
    assert (
        done.code == 2 and "dashboards.roles" in done.err and "'viewer', 'annotator', 'curator' or 'admin'" in done.err
    )


def test_jobs_are_listed_shown_and_stopped(workbench: Command) -> None:
    assert workbench("jobs", "ls").out.startswith("No jobs in")
    assert json.loads(workbench("jobs", "ls", "--json").out) == []
    done = workbench("jobs", "logs", "no-such-job")
    assert done.code == 3 and "UNKNOWN_JOB" in done.err
    from workbench.config.workbench_yaml import load_workbench
    from workbench.jobs.background import start

    begun = start(load_workbench(Path("workbench.yaml").absolute()), ("eval", "run", "no-such-set"), "ada")
    assert "UNKNOWN_EVALSET" in workbench("jobs", "logs", begun.id, "-f").out
    (listed,) = json.loads(workbench("jobs", "ls", "--json").out)
    assert (listed["state"], listed["code"], listed["command"]["by"]) == ("failed", 2, "ada")
    assert workbench("jobs", "cancel").out.strip() == f"{begun.id}: failed"
