"""One GET to a server somewhere: is anybody there, and how soon? For `workbench doctor`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.calling.addresses import proxy_for

LARGEST = 4 * 2**20
"""Bytes of a reply that are read."""


@dataclass(frozen=True)
class Reached:
    """What came back."""

    status: int
    seconds: float
    """From the start of connecting to the last byte."""
    body: bytes


async def reach(url: str, headers: Mapping[str, str], patience: float) -> Reached | str:
    """Return the reply, or why there is none, in words. Redirects are not followed; certificates are checked."""
    import aiohttp

    began = time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=patience)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(url, headers=headers, allow_redirects=False, proxy=proxy_for(url)) as response,
        ):
            body = await response.content.read(LARGEST)
            return Reached(response.status, time.perf_counter() - began, body)
    except TimeoutError:
        return f"no answer within {patience:g} s"
    except (aiohttp.ClientError, OSError) as exc:
        return f"{type(exc).__name__}: {exc}"
