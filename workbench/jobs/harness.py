"""A run whose samples are tasks of lm-eval: load them, and put a model of workbench.yaml before them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from workbench.adapters.lm_eval_harness.endpoint import EndpointAsker, ModelAsker, refuse_likelihoods
from workbench.adapters.lm_eval_harness.model import Asker, LmEvalModel, LocalAsker
from workbench.adapters.lm_eval_harness.tasks import LmEvalTasks
from workbench.adapters.openai_endpoint import OpenAIEndpoint
from workbench.adapters.transformers_serve import prepare, staged
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.identities import identity, resolved
from workbench.jobs.opening import Opened
from workbench.jobs.planning import Plan
from workbench.models import EndpointSpec, LocalSpec, Model
from workbench.scoring.lm_eval import LmEval, LmEvalSpec


async def load_tasks(bench: Workbench, plan: Plan, opened: Opened) -> LmEvalTasks | None:
    """Load a plan's tasks, so that its scorers can ask for them. Raises `ConfigError` for metrics they lack."""
    if plan.tasks is None:
        return None
    tasks = await asyncio.to_thread(LmEvalTasks, plan.tasks, bench.home.cache / "lm_eval")
    tasks.check([scorer for scorer in plan.scorers if isinstance(scorer, LmEval)])
    opened.lm_eval = tasks
    return tasks


def before_tasks(bench: Workbench, name: str, tasks: LmEvalTasks, opened: Opened) -> Model:
    """Return the named model, put before tasks. Raises `ConfigError` where it cannot answer what they ask."""
    spec, settings = bench.model(name), tasks.set.spec
    own = identity(bench, name)
    if isinstance(spec, LocalSpec):
        asker: Asker = _local(bench, name, spec, settings)
        # lm-eval's sampling is the task's own, so no other setting of the model counts.
        cache = opened.cache if spec.cache else None
        return LmEvalModel(tasks, asker, _system(spec, settings), cache, own)
    model = opened.models[name]
    if isinstance(spec, EndpointSpec) and isinstance(model, OpenAIEndpoint):
        asker = EndpointAsker(spec, model)
    else:
        refuse_likelihoods(tasks, spec.kind)
        asker = ModelAsker(model)
    return LmEvalModel(tasks, asker, settings.system, None, own)


def _local(bench: Workbench, name: str, spec: LocalSpec, settings: LmEvalSpec) -> LocalAsker:
    ready = prepare(resolved(bench, spec), bench.home.cache / "weights.json")

    def folder(within: Path) -> Path:
        return within / staged(within, name, ready).rpartition("@")[0]

    return LocalAsker(spec, folder, settings.batch_size)


def _system(spec: LocalSpec, settings: LmEvalSpec) -> str | None:
    """Return the system prompt: the evalset's, else in a conversation the model's own."""
    return settings.system if settings.system is not None or not settings.chat_template else spec.system
