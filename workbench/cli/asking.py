"""What `workbench model ask | serve` do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import click

from workbench.calling.budget import Budget
from workbench.cli.progress import say
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.evaluation.engine import Halt
from workbench.jobs.opening import LocalServer, open_models
from workbench.jobs.supervision import Stopped, supervise
from workbench.models import LocalSpec, Output, OutputFailure, Request
from workbench.records import Message


@dataclass(frozen=True)
class Answer:
    """A model's answer to one question, as shown."""

    output: Output | OutputFailure

    def show(self, as_json: bool) -> int:
        """Print the answer; return the exit code: 0 answered, 1 failed."""
        failed = isinstance(self.output, OutputFailure)
        if as_json:
            click.echo(self.output.model_dump_json(indent=2))
        elif isinstance(self.output, OutputFailure):
            click.echo(f"no answer: {self.output.kind}: {self.output.message}", err=True)
        else:
            click.echo(self.output.text)
            usage = self.output.usage
            took = "from the cache" if usage.cached else f"{usage.latency or 0:.2f} s"
            say(f"[{self.output.model}, {took}, {usage.input_tokens} + {usage.output_tokens} tokens]")
        return int(failed)


def ask(bench: Workbench, name: str, question: str) -> Answer:
    """Put one question to a model."""
    request = Request(messages=(Message(role="user", content=question),), sample_id="asked")
    return supervise(lambda _: _ask(bench, name, request))


async def _ask(bench: Workbench, name: str, request: Request) -> Answer:
    async with open_models(bench, [name], Budget(None), say, use_cache=False) as opened:
        return Answer(await opened.models[name].generate(request))


def serve_until_stopped(bench: Workbench, names: Sequence[str]) -> None:
    """Serve local models until a signal comes."""
    try:
        supervise(lambda halt: _serve(bench, names, halt))
    except Stopped:
        say("Stopped.")


async def _serve(bench: Workbench, names: Sequence[str], halt: Halt) -> None:
    async with AsyncExitStack() as stack:
        server = LocalServer(bench, stack, Budget(None), say)
        for name in names:
            spec = bench.model(name)
            if not isinstance(spec, LocalSpec):
                fix = "only models of kind local are served here"
                raise ConfigError(
                    Problem(
                        "NOT_LOCAL", "this model runs elsewhere", field=f"models.{name}.kind", got=spec.kind, fix=fix
                    )
                )
            server.add(name, spec)
        for name in names:
            served = await server.served(name)
            say(f"{name}: base_url {served.endpoint.base_url}, model {served.endpoint.model}")
        await halt.event.wait()
