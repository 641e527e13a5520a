"""What an endpoint's spec must be before anything is sent: an address that can be called, a price, a key."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from workbench import __version__
from workbench.calling.budget import Budget
from workbench.errors import ConfigError, Problem
from workbench.models import EndpointSpec

EXAMPLE = "http://127.0.0.1:8000/v1"

_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
"""A host's name as resolvers take it; underscores are usual between containers."""


def check_endpoint(spec: EndpointSpec, budget: Budget | None) -> None:
    """Raise `ConfigError` for an address at which nothing can be called, and for a budget without prices."""
    try:
        parts = urlsplit(spec.base_url)
    except ValueError:
        parts = urlsplit("")
    # An address that may hold a secret is not shown.
    shown = None if "@" in spec.base_url else spec.base_url
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        fix = "name the key's variable in api_key_env"
        raise _config("base_url", "holds a user name, a password or a query", None, fix)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        fix = f"begin it with http:// or https://, as in {EXAMPLE}"
        raise _config("base_url", "is not an http or https address", shown, fix)
    if (fault := address_fault(parts)) is not None:
        raise _config("base_url", f"has {fault}", shown, f"write it as in {EXAMPLE}")
    if budget is not None and budget.limit is not None and spec.price is None:
        fix = "add price: {input: …, output: …} for a million tokens, 0 for a server of your own"
        raise _config("price", f"a budget needs the price of {spec.model!r}", None, fix)


def address_fault(parts: SplitResult) -> str | None:
    """Name the part of an http address because of which it cannot be called, `None` when there is none."""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        return "a port that is no number from 1 to 65535"
    if not _is_host(parts.hostname or ""):
        return "a host that is neither a name nor an IP address"
    if any(c.isspace() or not c.isprintable() for c in parts.path):
        return "a path with a blank or an unprintable character"
    return None


def _is_host(host: str) -> bool:
    if _NAME.fullmatch(host) and not host.replace(".", "").isdigit():
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def api_key(spec: EndpointSpec) -> str:
    """Return the key from the environment, empty when the spec names none. Raises `ConfigError` when it is not set."""
    if spec.api_key_env is None:
        return ""
    key = os.environ.get(spec.api_key_env, "").strip()
    fix = f"export {spec.api_key_env}=… and run again"
    if not key:
        raise _config("api_key_env", f"the environment variable {spec.api_key_env} is not set", None, fix)
    if not (key.isascii() and key.isprintable()):
        what = f"the environment variable {spec.api_key_env} holds a character that no HTTP header can carry"
        raise _config("api_key_env", what, None, fix)
    return key


def request_headers(key: str) -> dict[str, str]:
    """Return the headers of every request, which tell nothing of this machine; no key is sent where it is empty."""
    said = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": f"workbench/{__version__}"}
    return {**said, "Authorization": f"Bearer {key}"} if key else said


def proxy_for(address: str) -> str | None:
    """Return the proxy that the environment names for an address."""
    parts = urlsplit(address)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


def _config(field: str, message: str, got: str | None, fix: str) -> ConfigError:
    return ConfigError(Problem("ENDPOINT", message, field=field, got=got, fix=fix))
