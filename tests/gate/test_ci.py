"""The CI files are valid, their shell is shell, and the home that they keep is shared by all branches."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.gate.ledger import Ledger
from workbench.gate.records import Promotion

CI = Path(__file__).parents[2] / "docs" / "ci"
WORKFLOW = {"name", True, "on", "permissions", "concurrency", "jobs", "env", "defaults"}
JOB = {"if", "runs-on", "timeout-minutes", "steps", "needs", "permissions", "env", "concurrency"}
STEP = {"uses", "with", "id", "run", "name", "env", "if"}
GITLAB_JOB = {"extends", "image", "timeout", "resource_group", "variables", "cache"}
GITLAB_JOB |= {"rules", "script", "after_script", "artifacts"}
GATE = "workbench gate --run-missing --markdown gate.md --html gate.html --junit gate.xml"


def loaded(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load((CI / name).read_text(encoding="utf-8"))
    return found


def scripts() -> Iterator[tuple[str, str]]:
    """Yield name and text of every piece of shell in both files."""
    for job, spec in loaded("github.yml")["jobs"].items():
        yield from ((f"github {job} {i}", s["run"]) for i, s in enumerate(spec["steps"]) if "run" in s)
    for job, spec in loaded("gitlab.yml").items():
        lines = [*spec.get("script", ()), *spec.get("after_script", ())]
        yield from ((f"gitlab {job} {i}", line) for i, line in enumerate(lines))


def test_the_github_file_has_only_keys_that_a_workflow_has() -> None:
    found = loaded("github.yml")
    assert set(found) <= WORKFLOW
    assert found["concurrency"]["cancel-in-progress"] is False, "a gate that was begun notes its look"
    for job in found["jobs"].values():
        assert set(job) <= JOB and "timeout-minutes" in job
        for step in job["steps"]:
            assert set(step) <= STEP and len({"uses", "run"} & set(step)) == 1
            assert "uses" not in step or step["uses"].partition("@")[2]


def test_the_gitlab_file_has_only_keys_that_a_job_has() -> None:
    found = loaded("gitlab.yml")
    assert found[".gate"]["resource_group"] and all(set(job) <= GITLAB_JOB for job in found.values())
    assert all(isinstance(line, str) for job in found.values() for line in job.get("script", ()))


@pytest.mark.parametrize(
    ("name", "post"), [("github.yml", 'gh api --method POST "$COMMENTS"'), ("gitlab.yml", "$notes")]
)
def test_both_run_the_gate_post_its_markdown_and_keep_the_home_whatever_was_decided(name: str, post: str) -> None:
    text = (CI / name).read_text(encoding="utf-8")
    assert GATE in text and post in text and "--page-url" in text
    assert text.count("home.sh fetch") == text.count("sh docs/ci/home.sh keep") == 2
    cached = [line for line in text.splitlines() if ".workbench" in line and ("path" in line)]
    assert all(".workbench/cache" in line for line in cached), "a cache expires: nothing that is needed lies in one"


@pytest.mark.parametrize("text", [text for _, text in scripts()], ids=[name for name, _ in scripts()])
def test_every_piece_of_shell_can_be_parsed(text: str) -> None:
    subprocess.run(["bash", "-n", "-c", text], check=True)


# ---------------------------------------------------------------- the branch that keeps the home


def sh(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, env={**clean, **identity, **env}, timeout=60
    )


def home(folder: Path, verb: str, **env: str) -> subprocess.CompletedProcess[str]:
    return sh(folder, "sh", str(CI / "home.sh"), verb, **env)


@pytest.fixture
def hosted(tmp_path: Path) -> Path:
    """A repository on a server, with one commit on main."""
    server, first = tmp_path / "server.git", tmp_path / "first"
    sh(tmp_path, "git", "init", "--quiet", "--bare", "-b", "main", str(server))
    sh(tmp_path, "git", "init", "--quiet", "-b", "main", str(first))
    (first / ".gitignore").write_text(".workbench\n")
    sh(first, "git", "add", ".")
    sh(first, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first")
    sh(first, "git", "push", "--quiet", str(server), "main")
    return server


def job(hosted: Path, name: str) -> Path:
    """Check the repository out as a CI does: afresh and shallow."""
    folder = hosted.parent / name
    assert sh(hosted.parent, "git", "clone", "--quiet", "--depth", "1", hosted.as_uri(), str(folder)).returncode == 0
    return folder


def promote(folder: Path, run: str) -> None:
    record = Promotion(evalset="set", name="main", run=run, who="somebody", at="2026-01-01T00:00:00+00:00", why="x")
    Ledger(folder / ".workbench").add(record)
    (folder / ".workbench" / "runs" / run).mkdir(parents=True)
    (folder / ".workbench" / "runs" / run / "samples.parquet").write_bytes(bytes(range(256)) + run.encode())
    (folder / ".workbench" / "cache").mkdir(exist_ok=True)
    (folder / ".workbench" / "cache" / "answers.sqlite").write_bytes(b"large")


def test_the_home_is_shared_by_all_branches_and_holds_no_cache(hosted: Path) -> None:
    first, second, third = (job(hosted, name) for name in ("one", "two", "three"))
    assert home(first, "fetch").returncode == 0 and not (first / ".workbench").exists()
    promote(first, "r1")
    assert home(first, "keep").returncode == 0
    assert home(second, "fetch").returncode == 0
    assert [r.run for r in Ledger(second / ".workbench").records() if isinstance(r, Promotion)] == ["r1"]
    kept = second / ".workbench" / "runs" / "r1" / "samples.parquet"
    assert kept.read_bytes() == bytes(range(256)) + b"r1"
    promote(second, "r2")
    assert home(second, "keep").returncode == 0
    assert home(third, "fetch").returncode == 0
    assert len(Ledger(third / ".workbench").records()) == 2
    names = sh(third, "git", "ls-tree", "-r", "--name-only", "refs/workbench/workbench-home").stdout.split()
    assert "gates/records.jsonl" in names and not [n for n in names if "cache" in n or n.endswith("lock")]
    assert sh(third, "git", "status", "--porcelain").stdout == "", "nothing of it is on the branch that is tested"


def test_two_gates_at_once_do_not_fork_the_records_the_later_one_fails(hosted: Path) -> None:
    first, second = (job(hosted, name) for name in ("one", "two"))
    for folder in (first, second):
        assert home(folder, "fetch").returncode == 0
        promote(folder, folder.name)
    assert home(first, "keep").returncode == 0
    late = home(second, "keep")
    assert late.returncode == 5 and "run again" in late.stderr
    shutil.rmtree(second / ".workbench")
    assert home(second, "fetch").returncode == 0
    assert [r.run for r in Ledger(second / ".workbench").records() if isinstance(r, Promotion)] == ["one"]


def test_where_the_server_cannot_be_reached_there_is_no_gate(hosted: Path) -> None:
    folder = job(hosted, "one")
    assert home(folder, "fetch", WORKBENCH_REMOTE=str(hosted.parent / "nowhere.git")).returncode not in (0, 2)


def test_nothing_new_is_no_commit(hosted: Path) -> None:
    folder = job(hosted, "one")
    home(folder, "fetch")
    promote(folder, "r1")
    home(folder, "keep")
    before = sh(hosted, "git", "rev-parse", "workbench-home").stdout
    assert home(folder, "keep").returncode == 0
    assert sh(hosted, "git", "rev-parse", "workbench-home").stdout == before
