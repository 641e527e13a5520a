"""Pages behind a login, in Chromium: what each role may press, and who is not let in, by cookie or from elsewhere.

The cookie is signed as Streamlit signs it after a login by OpenID Connect, with the project's own secret. The way
to the provider and back is not walked: it needs Authlib, which `pip install 'workbench[login]'` brings.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from dashboards.access import ROLES, Role
from tests.browser.dashboards import free_port, served
from tests.dashboards.conftest import evaluated, write_project
from workbench.jobs.planning import Asked

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.long
USER, SECRET = "_streamlit_user", "a-secret-of-this-test-alone-0123456789"
SERVE = """
import sys; from pathlib import Path
from workbench.config.workbench_yaml import load_workbench
from workbench.cli.serving_dashboards import run_server
run_server(load_workbench(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]), login=True)
"""
STILL = "[data-test-script-state=notRunning]"


class Team(NamedTuple):
    """A project with a login, served."""

    address: str
    run: str


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Serve a project in which each role has one person, with the settings of `workbench dashboards`."""
    folder, port = tmp_path_factory.mktemp("team") / "project", free_port()
    bench = write_project(folder)
    (run,) = evaluated(bench, Asked("helpcentre", "dev", "base"))
    roles = ", ".join(f'"{role}@example.com": {role}' for role in ROLES)
    bench.file.write_text(f"{bench.file.read_text()}dashboards: {{roles: {{{roles}}}}}\n")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\ncookie_secret = "{SECRET}"\n'
        'client_id = "c"\nclient_secret = "s"\nserver_metadata_url = "http://127.0.0.1:9/openid"\n'
    )
    with served([sys.executable, "-c", SERVE, str(bench.file), str(port)], port, folder / "log") as address:
        yield Team(address, run)


def cookie(team: Team, secret: str = SECRET, **claims: object) -> str:
    """Return the cookie that a login leaves behind."""
    from itsdangerous import URLSafeTimedSerializer

    told = {"origin": team.address, "is_logged_in": True, "email_verified": True, **claims}
    return str(URLSafeTimedSerializer(secret, salt=USER).dumps(json.dumps(told)))


def opened(browser: Browser, team: Team, value: str | None) -> Page:
    """Open the page of the run with a cookie."""
    context = browser.new_context()
    if value is not None:
        context.add_cookies([{"name": USER, "value": value, "url": team.address}])
    page = context.new_page()
    page.set_default_timeout(40_000)
    page.goto(f"{team.address}/runs?run={team.run}")
    page.locator("h1").first.wait_for()
    page.wait_for_selector(STILL, state="attached")
    return page


@pytest.mark.parametrize("role", ["viewer", "curator"])
def test_who_signed_in_may_press_what_the_role_allows(role: Role, team: Team, browser: Browser) -> None:
    page = opened(browser, team, cookie(team, email=f"{role}@example.com"))
    page.get_by_test_id("stSidebar").get_by_text(f"{role}@").wait_for()
    button = page.get_by_role("button", name="Score anew")
    button.wait_for()
    assert button.is_enabled() == (role == "curator")
    page.context.close()


def cut(team: Team) -> str:
    return cookie(team, email="viewer@example.com")[:-3]


def another_name(team: Team) -> str:
    mine, theirs = (cookie(team, email=f"{role}@example.com") for role in ("viewer", "admin"))
    return ".".join([theirs.rsplit(".", 2)[0], *mine.rsplit(".", 2)[1:]])


def another_secret(team: Team) -> str:
    return cookie(team, "another-secret", email="admin@example.com")


def another_address(team: Team) -> str:
    return cookie(team, email="admin@example.com", origin="http://elsewhere.example")


@pytest.mark.parametrize("bad", [lambda team: None, cut, another_name, another_secret, another_address])
def test_a_cookie_that_is_missing_tampered_with_or_from_elsewhere_lets_nobody_in(
    bad: Callable[[Team], str | None], team: Team, browser: Browser
) -> None:
    page = opened(browser, team, bad(team))
    page.get_by_role("button", name="Log in").wait_for()
    assert team.run not in page.inner_text("body") and page.get_by_test_id("stSidebarNavLink").count() == 0
    page.context.close()


def test_who_is_signed_in_and_has_no_role_is_told_so_and_sees_nothing(team: Team, browser: Browser) -> None:
    for claims in ({"email": "mallory@example.com"}, {"email": "admin@example.com", "email_verified": False}):
        context = browser.new_context()
        context.add_cookies([{"name": USER, "value": cookie(team, **claims), "url": team.address}])
        page = context.new_page()
        page.goto(team.address)
        page.get_by_text("NO_ROLE").wait_for()
        assert team.run not in page.inner_text("body")
        context.close()


def asked(team: Team, method: str, path: str, **headers: str) -> tuple[int, dict[str, str]]:
    """Return status and headers of an answer."""
    place = urlsplit(team.address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def test_another_site_opens_no_connection_and_posts_nothing(team: Team) -> None:
    stream = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
              "Sec_WebSocket_Version": "13", "Cookie": f"{USER}={cookie(team, email='admin@example.com')}"}  # fmt: skip
    assert asked(team, "GET", "/_stcore/stream", Origin=team.address, **stream)[0] == 101
    assert asked(team, "GET", "/_stcore/stream", Origin="http://evil.example", **stream)[0] == 403
    status, told = asked(team, "PUT", "/_stcore/upload_file/s/f", Origin="http://evil.example", Cookie=stream["Cookie"])
    assert status == 403 and "access-control-allow-origin" not in told
    assert "access-control-allow-origin" not in asked(team, "GET", "/_stcore/health", Origin="http://evil.example")[1]
