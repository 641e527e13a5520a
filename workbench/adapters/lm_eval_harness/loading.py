"""lm-eval's tasks loaded: a project's own from data, in a sandbox, and lm-eval's by name."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from workbench.errors import ConfigError, Problem, WorkbenchError
from workbench.scoring.harness import installed
from workbench.scoring.lm_eval import TaskSet

SEEDS = (0, 1234, 1234)
"""lm-eval's own seeds: Python's, numpy's, and that of the few-shot draws."""


def loaded(tasks: TaskSet, cache: Path) -> tuple[dict[str, Any], dict[str, frozenset[str]]]:
    """Return the tasks by name, and the tasks that each name stands for."""
    installed("lm_eval")
    _quiet_and_sandboxed()
    from lm_eval.api.task import ConfigurableTask

    _seed()
    found: dict[str, Any] = {}
    for config in tasks.files:
        kwargs = {**config["dataset_kwargs"], "cache_dir": str(cache / "tables")}
        with told(config["task"]):
            found[config["task"]] = ConfigurableTask(config=_copied(config) | {"dataset_kwargs": kwargs})
    members = {name: frozenset({name}) for name in found}
    for name in tasks.names:
        own = _by_name(name)
        found |= own
        members |= {each: frozenset({each}) for each in own} | {name: frozenset(own)}
    for task in found.values():
        _refuse(task)
        _set_examples(task, tasks.spec.num_fewshot)
    return found, members


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what a task's text or data bring about in lm-eval into a `ConfigError`."""
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as exc:  # lm-eval, jinja2 and datasets raise whatever comes
        said = str(exc).splitlines()[0][:300] if str(exc) else ""
        what = f"a template or the data of the task fail: {type(exc).__name__}: {said}"
        fix = "compare the task's fields with the data's"
        raise ConfigError(Problem("LM_EVAL_TASK", what, field="harness.tasks", got=name, fix=fix)) from exc


def _quiet_and_sandboxed() -> None:
    """Render templates in a sandbox, without progress bars: a task's templates are data, not code."""
    import datasets
    import lm_eval.api.task
    import lm_eval.tasks
    import lm_eval.utils
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    if isinstance(lm_eval.utils.env, ImmutableSandboxedEnvironment):
        return
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    sandbox.filters["regex_replace"] = lm_eval.utils.regex_replace
    lm_eval.utils.env = sandbox
    lm_eval.api.task.tqdm = _silent


def _silent(items: Any, **_: Any) -> Any:
    return items


def _seed() -> None:
    """Seed as lm-eval's `simple_evaluate` does: some tasks draw while they are loaded."""
    import numpy as np

    random.seed(SEEDS[0])
    np.random.seed(SEEDS[1])


def _by_name(name: str) -> dict[str, Any]:
    """Load one of lm-eval's own tasks or groups. Raises `ConfigError`."""
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=_folders(name), include_defaults=False)
    if name not in manager.all_tasks:
        manager = TaskManager()  # a group's members lie in other folders, and its name in none
    if name not in manager.all_tasks:
        fix = "`lm-eval ls tasks` lists them; a task of your own is a file, such as tasks/mine.yaml"
        raise ConfigError(Problem("LM_EVAL_TASK", "lm-eval has no such task", field="harness.tasks", got=name, fix=fix))
    try:
        return dict(manager.load([name])["tasks"])
    except (OSError, ValueError, ImportError, KeyError) as exc:
        fix = "its data come from the hub: is it reachable, or are they in the cache of `datasets`?"
        what = f"the task cannot be loaded: {type(exc).__name__}: {str(exc).splitlines()[0][:200] if str(exc) else ''}"
        raise ConfigError(Problem("LM_EVAL_TASK", what, field="harness.tasks", got=name, fix=fix)) from exc


def _folders(name: str) -> list[Path]:
    """Return the folders of lm-eval whose files say they are this task: to index all 14,000 takes a minute."""
    import lm_eval.tasks

    said = re.compile(rb"^(?:task|group)\s*:\s*[\"']?" + re.escape(name.encode()) + rb"[\"']?\s*$", re.MULTILINE)
    root = Path(lm_eval.tasks.__file__).parent
    return sorted({path.parent for path in root.rglob("*.yaml") if said.search(path.read_bytes())})


def _refuse(task: Any) -> None:
    """Raise `ConfigError` for tasks whose answers are run, shown or summed up otherwise than a text is."""
    name, kind = task.config.task, task.OUTPUT_TYPE
    why = ""
    if getattr(task, "UNSAFE_CODE", False):
        why = "it runs code that the model writes"
    elif getattr(task, "MULTIMODAL", False):
        why = "it shows pictures or sounds"
    elif kind not in ("generate_until", "multiple_choice", "loglikelihood"):
        why = f"its output type {kind} gives no score for one sample"
    if why:
        fix = "run it with lm-eval itself"
        raise ConfigError(
            Problem("LM_EVAL_TASK", f"the task is not taken: {why}", field="harness.tasks", got=name, fix=fix)
        )


def _set_examples(task: Any, wanted: int | None) -> None:
    """Set the number of solved examples as `simple_evaluate` does: a task that says 0 keeps it."""
    own = task.get_config("num_fewshot")
    if wanted is not None and own != 0:
        task.set_config(key="num_fewshot", value=wanted)
    elif own is None:
        task.set_config(key="num_fewshot", value=0)


def _copied(config: dict[str, Any]) -> dict[str, Any]:
    """Return a copy that lm-eval may change."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(config))
    return found
