"""What `workbench dashboards` does: check that the door is shut, then run Streamlit on the pages."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from workbench.cli.progress import say
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, MissingExtra, Problem

LOCAL = ("localhost", "127.0.0.1", "[::1]", "::1")
"""Names by which this machine calls itself."""
SETTINGS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "runner.magicEnabled": "false",
    "server.enableCORS": "true",
    "server.enableXsrfProtection": "true",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "logger.hideWelcomeMessage": "true",
    "theme.light.primaryColor": "#0072B2",
    "theme.dark.primaryColor": "#56B4E9",
    "theme.baseFontSize": "15",
    "theme.paddingTop": "2.5rem",
}
"""Streamlit's settings that a user's own config.toml does not overrule."""


def serve(bench: Workbench, host: str, port: int) -> NoReturn:
    """Become the server of the pages, until a signal comes. Raises `ConfigError`, `MissingExtra`."""
    if find_spec("streamlit") is None:
        raise MissingExtra("streamlit", "dashboards")
    login = has_login(bench)
    if login and find_spec("authlib") is None:
        raise MissingExtra("authlib", "login")
    if not _is_loopback(host) and not login:
        fix = "leave --host out, or configure a login: `[auth]` in .streamlit/secrets.toml, docs/dashboards.md"
        what = "the pages would be open to the network without a login"
        raise ConfigError(Problem("NO_LOGIN", what, field="--host", got=host, fix=fix))
    if login and not bench.config.dashboards.roles:
        fix = 'say who may do what: `dashboards: {roles: {"you@example.com": admin}}`'
        raise ConfigError(
            Problem("NO_ROLE", "nobody has a role", file=str(bench.file), field="dashboards.roles", fix=fix)
        )
    _refuse_taken(host, port)
    say(f"Serving {bench.file} at http://{'localhost' if _is_loopback(host) else host}:{port} (Ctrl-C stops)")
    run_server(bench, host, port, login=login)


def has_login(bench: Workbench) -> bool:
    """Return whether a login is configured where the server would look for it. Raises `ConfigError` for a bad file."""
    for file in (Path.home() / ".streamlit" / "secrets.toml", bench.file.parent / ".streamlit" / "secrets.toml"):
        try:
            found = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            what = f"the secrets cannot be read: {type(exc).__name__}"
            raise ConfigError(Problem("NO_LOGIN", what, str(file), fix="mend the file: docs/dashboards.md")) from exc
        if "auth" in found:
            return True
    return False


def run_server(bench: Workbench, host: str, port: int, *, login: bool) -> NoReturn:
    """Become Streamlit's server with our settings; whether a login is due was found out before."""
    app = Path(__file__).parents[2] / "dashboards" / "app.py"
    settings = SETTINGS | {"server.address": host, "server.port": str(port)}
    flags = [f"--{name}={value}" for name, value in settings.items()]
    if not login:  # somebody else's page, under a name of theirs that leads here, is not let in
        flags += [f"--server.allowedHosts={name}" for name in LOCAL]
    environment = {**os.environ, "WORKBENCH_CONFIG": str(bench.file)}
    paths = [str(app.parents[1]), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    os.chdir(bench.file.parent)  # where Streamlit looks for .streamlit/secrets.toml
    sys.stdout.flush()
    # In place of this process, so that whoever stops the command stops the server.
    os.execve(sys.executable, [sys.executable, "-m", "streamlit", "run", str(app), *flags], environment)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_taken(host: str, port: int) -> None:
    """Raise `ConfigError` where something else answers on the port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            fix = "choose another with --port"
            what = f"cannot serve there: {(exc.strerror or 'the address is refused').lower()}"
            raise ConfigError(Problem("PORT_TAKEN", what, field="--port", got=f"{host}:{port}", fix=fix)) from exc
