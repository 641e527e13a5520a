"""A user's function in a process of its own: what it is told, what it may say, and every way in which it may fail."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import load_workbench
from workbench.errors import ConfigError, IncompleteRun, ModelError
from workbench.jobs.identities import identity
from workbench.jobs.opening import open_models
from workbench.models import Model, Output, OutputFailure, Request
from workbench.records import Message

CODE = """
import asyncio, os, sys, time
import beside

print("loading", flush=True)

def answer(asked):
    print("not an answer")
    question = asked["question"]
    if question == "raise":
        raise KeyError("nothing there")
    if question == "die":
        os._exit(7)
    if question == "sleep":
        time.sleep(60)
    if question == "object":
        return object()
    if question == "number":
        return 7
    if question == "empty":
        return ""
    if question == "cost":
        return {"answer": "dear", "cost": 0.5, "input_tokens": 3, "output_tokens": -1}
    if question == "long":
        return "x" * (40 * 2**20)
    if question == "nan":
        return {"answer": "x", "contexts": [{"text": "t", "score": float("nan")}]}
    return {"answer": f"{beside.WORD} {question} {len(asked['messages'])} {os.getpid()}",
            "contexts": [{"id": "a#1", "text": "Because.", "score": 0.5}, "plain"]}

async def later(asked):
    await asyncio.sleep(0)
    return asked["question"]
"""


def project(folder: Path, spec: str = "function: 'mine/code.py:answer', timeout: 20") -> Path:
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "code.py").write_text(CODE)
    (folder / "mine" / "beside.py").write_text("WORD = 'hello'\n")
    (folder / "workbench.yaml").write_text(f"models:\n  p: {{kind: callable, {spec}}}\ncandidate: p\n")
    return folder / "workbench.yaml"


@asynccontextmanager
async def opened(file: Path, budget: float | None = None) -> AsyncIterator[Model]:
    async with open_models(load_workbench(file), ["p"], Budget(budget), print) as tools:
        yield tools.models["p"]


def ask(text: str) -> Request:
    return Request(messages=(Message(role="system", content="s"), Message(role="user", content=text)), sample_id="s")


async def test_an_answer_and_its_passages_come_back_and_the_process_is_used_again(tmp_path: Path) -> None:
    async with opened(project(tmp_path)) as model:
        first, second = await model.generate(ask("why")), await model.generate(ask("why"))
    assert isinstance(first, Output) and first == second.model_copy(update={"usage": first.usage})
    assert first.text.startswith("hello why 2 ") and int(first.text.split()[-1]) != os.getpid()
    assert [(p.id, p.text, p.score) for p in first.contexts] == [("a#1", "Because.", 0.5), ("#2", "plain", None)]
    assert b"loading" in (tmp_path / ".workbench" / "logs" / "callable-p.log").read_bytes()


@pytest.mark.parametrize(
    ("question", "kind", "said"),
    [
        ("raise", "server_error", "KeyError"),
        ("die", "server_error", "status 7"),
        ("object", "server_error", "no JSON"),
        ("number", "malformed", "neither a text"),
        ("empty", "empty", "without text"),
        ("long", "server_error", "ended"),
        ("nan", "server_error", "no JSON"),
    ],
)
async def test_what_goes_wrong_is_that_questions_failure_and_the_next_is_answered(
    tmp_path: Path, question: str, kind: str, said: str
) -> None:
    async with opened(project(tmp_path)) as model:
        bad, good = await model.generate(ask(question)), await model.generate(ask("why"))
    assert isinstance(bad, OutputFailure) and bad.kind == kind and said in bad.message
    assert isinstance(good, Output)


async def test_a_function_that_takes_too_long_is_ended_and_the_next_is_answered(tmp_path: Path) -> None:
    async with opened(project(tmp_path, "function: 'mine/code.py:answer', timeout: 1.5, processes: 2")) as model:
        slow, quick = await asyncio.gather(model.generate(ask("sleep")), model.generate(ask("why")))
        assert isinstance(slow, OutputFailure) and slow.kind == "timeout" and isinstance(quick, Output)
        assert isinstance(await model.generate(ask("why")), Output)


async def test_a_coroutine_is_awaited(tmp_path: Path) -> None:
    async with opened(project(tmp_path, "function: 'mine/code.py:later'")) as model:
        said = await model.generate(ask("why"))
    assert isinstance(said, Output) and said.text == "why"


async def test_what_a_function_says_it_cost_is_counted_and_ends_a_budget(tmp_path: Path) -> None:
    async with opened(project(tmp_path), budget=0.4) as model:
        said = await model.generate(ask("cost"))
        assert isinstance(said, Output) and (said.usage.cost, said.usage.input_tokens) == (0.5, 3)
        assert said.usage.output_tokens is None
        with pytest.raises(IncompleteRun):
            await model.generate(ask("why"))


@pytest.mark.parametrize("name", ["missing", "broken"])
async def test_a_function_that_cannot_be_loaded_ends_the_run_with_the_reason(tmp_path: Path, name: str) -> None:
    file = project(tmp_path, "function: 'mine/code.py:missing'")
    if name == "broken":
        (tmp_path / "mine" / "code.py").write_text("def (:\n")
    async with opened(file) as model:
        with pytest.raises(ModelError, match="AttributeError" if name == "missing" else "SyntaxError"):
            await model.generate(ask("why"))


@pytest.mark.parametrize("path", ["../mine.py", "/etc/mine.py", "mine/absent.py", "link.py"])
def test_code_outside_the_projects_folder_is_not_run(tmp_path: Path, path: str) -> None:
    inner = tmp_path / "project"
    inner.mkdir()
    (tmp_path / "mine.py").write_text("def answer(asked): return ''\n")
    (inner / "link.py").symlink_to(tmp_path / "mine.py")
    bench = load_workbench(project(inner, f"function: '{path}:answer'"))
    with pytest.raises(ConfigError):
        identity(bench, "p")


@pytest.mark.parametrize(
    "spec",
    ["function: 'mine.code:answer'", "function: 'os:system'", "processes: 2", "entry_point: a, function: 'a.py:b'"],
)
def test_dotted_paths_and_two_places_or_none_are_refused(tmp_path: Path, spec: str) -> None:
    with pytest.raises(ConfigError):
        load_workbench(project(tmp_path, spec))


def test_an_entry_point_that_nobody_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="0 installed packages"):
        identity(load_workbench(project(tmp_path, "entry_point: nobody")), "p")


def test_its_identity_follows_the_file_and_its_neighbours(tmp_path: Path) -> None:
    file = project(tmp_path)
    first = identity(load_workbench(file), "p")
    (tmp_path / "mine" / "beside.py").write_text("WORD = 'other'\n")
    assert identity(load_workbench(file), "p") != first


def test_the_process_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    file = project(tmp_path)
    code = (
        "import asyncio, os, pathlib, signal, sys\n"
        "from tests.adapters.test_callable_pipeline import ask, opened\n"
        "async def main():\n"
        f"    async with opened(pathlib.Path({str(file)!r})) as model:\n"
        "        print((await model.generate(ask('why'))).text.split()[-1], flush=True)\n"
        "        await model.generate(ask('sleep'))\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path.cwd()) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(200):
        if not _runs(child):
            return
        asyncio.run(asyncio.sleep(0.05))
    raise AssertionError(f"process {child} still runs")


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
