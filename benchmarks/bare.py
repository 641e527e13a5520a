"""The limit: the smallest program that sends the same bodies.

Usage: python -m benchmarks.bare BASE_URL BODIES IN_FLIGHT. It reads each answer to the end and does nothing more: no
check, no retry, no journal, no cache.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp


async def send(base_url: str, bodies: list[bytes], in_flight: int) -> None:
    """Post every body, so many at once."""
    left = iter(bodies)
    headers = {"content-type": "application/json"}

    async def work(session: aiohttp.ClientSession) -> None:
        for body in left:
            async with session.post(f"{base_url}/chat/completions", data=body, headers=headers) as reply:
                await reply.json()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session:
        await asyncio.gather(*(work(session) for _ in range(in_flight)))


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], Path(sys.argv[2]).read_bytes().split(b"\n"), int(sys.argv[3])))
