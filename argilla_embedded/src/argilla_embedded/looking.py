"""What is known of a server and of its surroundings, from outside it."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

from pydantic import BaseModel, ConfigDict

from argilla_embedded.home import Home


class Status(BaseModel):
    """What is known of a home's server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    running: bool
    healthy: bool
    pid: int | None = None
    url: str | None = None
    phase: str | None = None
    version: str | None = None
    """Of Argilla's server."""
    database: str | None = None
    uptime_s: float | None = None
    rss_mb: float | None = None
    """Resident memory of the serving process, in MiB."""
    memory_mb: float | None = None
    """Memory of all its processes, shared pages counted once, in MiB."""
    pending_jobs: int | None = None
    failed_jobs: int | None = None
    home: str


def status(home: Home) -> Status:
    """Say what is known of the server; never raises because of a server that is ill."""
    settings, pid, state = home.settings(), home.server_pid(), home.state()
    database = None if settings is None else home.database_url(settings).partition("?")[0]
    if pid is None or state is None or state.pid != pid:
        return Status(running=pid is not None, healthy=False, pid=pid, database=database, home=str(home.path))
    version = asked_version(state.url)
    pending, failed = _jobs(state.queue)
    rss, memory = _memory(pid)
    return Status(
        running=True,
        healthy=version is not None,
        pid=pid,
        url=state.url,
        phase=state.phase,
        version=version,
        database=database,
        uptime_s=round(time.time() - state.started, 1),
        rss_mb=rss,
        memory_mb=memory,
        pending_jobs=pending,
        failed_jobs=failed,
        home=str(home.path),
    )


def asked_version(url: str) -> str | None:
    """Ask a server for its version, which goes through its search engine; None when it does not answer well."""
    try:
        # No proxy: the address is this machine's own.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url}/api/v1/status", timeout=5) as answer:
            return str(json.load(answer)["version"])
    except (OSError, ValueError, KeyError):
        return None


def who_listens(port: int) -> str:
    """Name the process that listens on `port`, as far as this user may know."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                process = psutil.Process(connection.pid)
                return f"process {connection.pid} ({process.name()}, user {process.username()})"
    except psutil.Error:
        pass
    return "a process of another user"


def _jobs(path: str) -> tuple[int | None, int | None]:
    import redis

    client = redis.Redis(unix_socket_path=path, socket_timeout=5)
    try:
        pending = sum(
            int(client.llen(f"rq:queue:{name}"))
            + int(client.zcard(f"rq:scheduled:{name}"))
            + int(client.zcard(f"rq:wip:{name}"))
            for name in ("high", "default")
        )
        failed = sum(int(client.zcard(f"rq:failed:{name}")) for name in ("high", "default"))
    except (redis.RedisError, OSError):
        return None, None
    return pending, failed


def _memory(pid: int) -> tuple[float | None, float | None]:
    import psutil

    try:
        process = psutil.Process(pid)
        rss = process.memory_info().rss
        every = [process, *process.children(recursive=True)]
        total = sum(_own(each) for each in every)
    except psutil.Error:
        return None, None
    return round(rss / 2**20, 1), round(total / 2**20, 1)


def _own(process: Any) -> int:
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))
