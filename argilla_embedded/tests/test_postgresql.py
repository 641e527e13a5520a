"""The same server on PostgreSQL, whose password comes from the environment and is written nowhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.serving import Server, free_port, make_dataset, make_user, ok, push, run, submit

PASSWORD = "not-to-be-seen-7f3a"


@dataclass
class Cluster:
    """A PostgreSQL of our own that asks for a password."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"postgresql://argilla@127.0.0.1:{self.port}/postgres"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("no PostgreSQL is installed under /usr/lib/postgresql: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="argilla-pg-", dir="/tmp"))
    (folder / "password").write_text(PASSWORD)
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres")

    def do(*words: str) -> None:
        subprocess.run([*as_user, *words], check=True, capture_output=True, cwd="/")

    made = Cluster(free_port(), folder)
    data = str(folder / "data")
    secret = ["-A", "scram-sha-256", "--pwfile", str(folder / "password")]
    do(str(found[-1] / "initdb"), "-D", data, "-E", "UTF8", "--locale=C.UTF-8", "-U", "argilla", *secret)
    options = f"-p {made.port} -c listen_addresses=127.0.0.1 -k {folder}"
    do(str(found[-1] / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield made
    do(str(found[-1] / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def test_it_serves_survives_a_kill_and_writes_the_password_nowhere(cluster: Cluster, tmp_path: Path) -> None:
    server = Server(tmp_path / "home", environment={"PGPASSWORD": PASSWORD}, extra=("--database-url", cluster.url))
    try:
        server.up()
        with server.owner() as owner:
            dataset = make_dataset(owner, "default", "on postgresql")
            alice = make_user(owner, "alice", "annotator", "default")
            record = push(owner, dataset, [f"record {number}" for number in range(40)])[0]
            assert submit(server.client(alice["api_key"]), record).is_success
        check_password_is_nowhere(server)
        server.kill()
        server.extra = ()
        server.up()
        with server.owner() as owner:
            found = ok(owner.get(f"/records/{record}"))
            assert found["status"] == "completed" and found["responses"][0]["user_id"] == alice["id"]
            listed = ok(owner.get(f"/datasets/{dataset}/records", params={"limit": 100}))["items"]
            assert len(listed) == 40
        assert server.status()["database"] == cluster.url
        refused = run("users", "list", home=server.home, PGPASSWORD="wrong")
        assert refused.returncode == 2 and "PGPASSWORD" in refused.stderr and "Traceback" not in refused.stderr
    finally:
        run("down", home=server.home)


def check_password_is_nowhere(server: Server) -> None:
    """Look into every file of the home and every command line."""
    for path in server.home.iterdir():
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path
    main = psutil.Process(int((server.home / "lock").read_text()))
    for process in [main, *main.children(recursive=True)]:
        assert PASSWORD not in " ".join(process.cmdline())
