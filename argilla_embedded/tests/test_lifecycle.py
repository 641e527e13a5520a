"""Starting, looking, stopping: what a person is told, what is kept, and what is refused."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest

from argilla_embedded import lifecycle, looking
from argilla_embedded.errors import EmbeddedError
from argilla_embedded.home import Home, Settings
from argilla_embedded.lifecycle import Wanted
from argilla_embedded.server import listen
from tests.serving import Server, free_port, ok, run


def test_a_running_server_is_well_and_a_second_up_says_so(server: Server) -> None:
    second = run("up", home=server.home)
    assert second.returncode == 0 and "already running" in second.stdout
    owner = json.loads((server.home / "owner.json").read_text())
    assert owner["password"] not in second.stdout and owner["api_key"] not in second.stdout
    status = server.status()
    assert status["healthy"] and status["url"] == server.url and status["version"] == "2.8.0"
    assert status["rss_mb"] > 0 and status["uptime_s"] > 0 and status["failed_jobs"] == 0
    assert status["pid"] == int((server.home / "lock").read_text())
    other = run("up", "--port", str(free_port()), home=server.home)
    assert other.returncode == 2 and "down" in other.stderr


def test_only_the_owner_of_the_folder_can_read_it_and_no_secret_is_in_the_log(server: Server) -> None:
    assert server.home.stat().st_mode & 0o077 == 0
    assert [path.name for path in server.home.iterdir() if path.stat().st_mode & 0o077] == []
    owner = json.loads((server.home / "owner.json").read_text())
    session_key = json.loads((server.home / "secrets.json").read_text())["session_key"]
    log = (server.home / "server.log").read_text()
    assert not [secret for secret in (owner["password"], owner["api_key"], session_key) if secret in log]
    assert (owner["password"], owner["api_key"]) != ("1234", "argilla.apikey") and len(owner["api_key"]) > 40


def test_it_listens_on_loopback_only(server: Server) -> None:
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(2)
        other.connect((own_address(), server.port))


def test_of_two_that_take_one_port_at_once_the_later_is_refused() -> None:
    settings = Settings(host="127.0.0.1", port=free_port())
    with listen(settings), pytest.raises(EmbeddedError, match=f"cannot listen on 127.0.0.1:{settings.port}"):
        listen(settings)


def own_address() -> str:
    """Return this machine's address on its network, or one that nothing answers on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
            found = str(asking.getsockname()[0])
        except OSError:
            return "192.0.2.1"
    return found if not found.startswith("127.") else "192.0.2.1"


def test_pages_are_served_and_may_load_nothing_from_elsewhere(server: Server) -> None:
    page = httpx.get(server.url + "/sign-in", follow_redirects=True)
    assert page.status_code == 200 and "<html" in page.text
    rules = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'self'"
    assert not [rule for rule in rules.values() if "http" in rule or "*" in rule]


def test_a_session_survives_a_restart_and_the_address_is_kept(own_server: Server) -> None:
    own_server.up()
    owner = json.loads((own_server.home / "owner.json").read_text())
    form = {"username": owner["username"], "password": owner["password"]}
    token = ok(httpx.post(f"{own_server.url}/api/v1/token", data=form))["access_token"]
    own_server.down()
    assert not own_server.status()["running"]
    again = run("up", "--json", home=own_server.home)
    assert json.loads(again.stdout)["url"] == own_server.url
    me = httpx.get(f"{own_server.url}/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert ok(me)["username"] == "owner"
    # A user with Argilla's well-known key: the next start is refused, and tells how to mend it.
    own_server.down()
    with sqlite3.connect(own_server.home / "argilla.db") as database:
        database.execute("UPDATE users SET api_key = 'argilla.apikey'")
    database.close()
    refused = run("up", home=own_server.home)
    assert refused.returncode == 2 and "well-known default API key" in refused.stderr
    assert "users reset owner --api-key" in refused.stderr and not own_server.status()["running"]
    reset = json.loads(run("users", "reset", "owner", "--api-key", "--json", home=own_server.home).stdout)
    assert json.loads((own_server.home / "owner.json").read_text())["api_key"] == reset["api_key"]


def test_a_busy_port_is_refused_and_the_process_that_has_it_named(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        refused = run("up", "--port", str(port), home=tmp_path / "home")
    assert refused.returncode == 2
    assert f"port {port}" in refused.stderr and f"process {os.getpid()}" in refused.stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://me:secret@127.0.0.1/x", "PGPASSWORD"),
        ("postgresql://me@127.0.0.1/x?password=secret", "PGPASSWORD"),
        ("mysql://me@127.0.0.1/x", "not one of 'postgresql'"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_database_url_with_a_password_or_of_another_kind_is_refused(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(EmbeddedError, match=says) as refused:
        lifecycle.up(Home(tmp_path / "home"), Wanted(database_url=url))
    assert "secret" not in str(refused.value)


def test_a_stale_state_of_a_dead_server_is_not_believed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.keep(Settings(port=free_port()))
    (tmp_path / "lock").write_text(f"{os.getpid()}\n")  # a living process, but it does not hold the lock
    assert home.server_pid() is None
    assert not looking.status(home).running and not lifecycle.down(home)


def test_one_process_at_a_time_may_serve_a_home(tmp_path: Path) -> None:
    handle = Home(tmp_path).hold()
    assert Home(tmp_path).server_pid() == os.getpid()
    with pytest.raises(EmbeddedError, match=f"process {os.getpid()}"):
        Home(tmp_path).hold()
    os.close(handle)
    assert Home(tmp_path).server_pid() is None


def test_logs_of_a_server_that_never_ran_is_a_message(tmp_path: Path) -> None:
    done = run("logs", home=tmp_path)
    assert done.returncode == 2 and "never started" in done.stderr
