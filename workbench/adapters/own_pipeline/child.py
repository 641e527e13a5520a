"""The process in which a user's own pipeline runs: questions come in as lines of JSON, answers go out the same way.

It is started by `function.py`; nothing of the workbench but this file is in its hands, and nothing that it prints
can be taken for an answer.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from queue import SimpleQueue
from typing import Any

GROUP = "workbench.pipelines"
"""The group of entry points that installed packages name their pipelines in."""


def main() -> None:
    """Answer until the questions end."""
    # What the user's code prints goes to the log; only this duplicate carries answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        answer = _found(sys.argv[1], sys.argv[2])
    except BaseException as exc:
        _say(answers, {"broken": _told(exc)})
        raise
    _say(answers, {"ready": True})
    questions: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(questions,), daemon=True).start()
    while True:
        _say(answers, _answered(answer, json.loads(questions.get())))


def _listen(questions: SimpleQueue[str]) -> None:
    """Take questions, and end with whoever puts them: even by SIGKILL, the kernel closes the pipe."""
    for line in sys.stdin:
        questions.put(line)
    os._exit(0)


def _found(where: str, name: str) -> Callable[[Any], Any]:
    """Return the function: of an entry point, or of a file."""
    if where == "entry point":
        return _one(name)
    spec = importlib.util.spec_from_file_location("pipeline_of_the_user", where)
    if spec is None or spec.loader is None:
        raise ImportError(f"{where} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(Path(where).parent))  # its neighbours can be imported
    spec.loader.exec_module(module)
    found: Callable[[Any], Any] = getattr(module, name)
    return found


def _one(name: str) -> Callable[[Any], Any]:
    found = [point for point in entry_points(group=GROUP) if point.name == name]
    if len(found) != 1:
        raise ImportError(f"{len(found)} installed packages have the entry point {name!r} in {GROUP}")
    loaded: Callable[[Any], Any] = found[0].load()
    return loaded


def _answered(answer: Callable[[Any], Any], question: dict[str, Any]) -> dict[str, Any]:
    try:
        said = answer(question["asked"])
        said = asyncio.run(_awaited(said)) if inspect.isawaitable(said) else said
        return {"id": question["id"], "said": said}
    except Exception as exc:  # whatever the user's code raises is this question's failure
        traceback.print_exc()
        return {"id": question["id"], "failed": _told(exc)}


async def _awaited(said: Any) -> Any:
    return await said


def _told(exc: BaseException) -> str:
    return f"{type(exc).__name__}: {exc}"[:500]


def _say(answers: Any, value: dict[str, Any]) -> None:
    try:
        line = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as exc:
        line = json.dumps({"id": value.get("id"), "failed": f"the answer is no JSON: {exc}"[:500]})
    answers.write(line + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
