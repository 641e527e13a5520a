"""Real databases with Argilla's own migrations: SQLite, and PostgreSQL where it is installed."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("ARGILLA_HOME_PATH", tempfile.mkdtemp(prefix="argilla-search-tests-"))

from argilla_embedded.search import DatabaseSearchEngine, prepare
from argilla_embedded.search.connection import connect, sync_url

from .world import World, made, store


@dataclass
class Place:
    """A database that the engine searches, and one world within it among others."""

    url: str
    mark: str
    world: World

    @property
    def engine(self) -> DatabaseSearchEngine:
        """Return an engine of this database."""
        return DatabaseSearchEngine(self.url)

    @property
    def address(self) -> str:
        """Return what the plain driver connects to: a file, or PostgreSQL's own words."""
        url = sync_url(self.url)
        host = url.query.get("host", "")
        return url.database or "" if self.mark == "?" else f"dbname={url.database} user={url.username} host={host}"

    def write(self, statement: str, *values: Any) -> None:
        """Run one statement in a transaction of its own."""
        with closing(connect(sync_url(self.url))) as connection:
            connection.cursor().execute(statement.replace("?", self.mark), values)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A migrated, prepared database with two datasets, the first of them written before `prepare`."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        yield _filled(f"sqlite+aiosqlite:///{folder}/argilla.db?check_same_thread=False", "?")
        return
    with _cluster() as url:
        yield _filled(url, "%s")


def _filled(url: str, mark: str) -> Place:
    environment = {**os.environ, "ARGILLA_DATABASE_URL": url}
    command = [sys.executable, "-W", "ignore", "-m", "argilla_server", "database", "migrate"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    other, world = made(1, 40), made(2, 160)
    with closing(connect(sync_url(url))) as connection:
        store(other, connection, mark)
        prepare(url)
        store(world, connection, mark)
    return Place(url, mark, world)


class _cluster:
    """PostgreSQL of its own, in a folder that goes with it; skips, saying so, where there is none."""

    def __enter__(self) -> str:
        self.binaries = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), None)
        if self.binaries is None:
            pytest.skip("no PostgreSQL is installed under /usr/lib/postgresql")
        self.folder = tempfile.mkdtemp(prefix="argilla-postgresql-", dir="/tmp")
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.as_user:
            shutil.chown(self.folder, "postgres")
        self._run(
            "initdb", "-D", f"{self.folder}/data", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "-U", "argilla"
        )
        settings = f"-k {self.folder} -c listen_addresses= -c fsync=off"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", settings, "start")
        return f"postgresql+asyncpg://argilla@/postgres?host={self.folder}"

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self.as_user, f"{self.binaries}/{program}", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp")
