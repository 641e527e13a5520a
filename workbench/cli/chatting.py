"""What `workbench model chat` does: a conversation by hand, the answer shown as it comes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import click

from workbench.adapters.openai_stream import stream
from workbench.calling.budget import Budget
from workbench.cli.progress import say
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ModelError
from workbench.jobs.opening import LocalServer, open_models
from workbench.models import EndpointSpec, LocalSpec, Model, OutputFailure, Request
from workbench.records import Message
from workbench.reports.escaping import visible

Answering = Callable[[Sequence[Message]], AsyncIterator[str]]
"""From a conversation to the pieces of the next answer."""
HELP = "/exit ends, /clear forgets what was said, /system TEXT sets the system prompt, Ctrl-C stops an answer."


@dataclass
class Talk:
    """A conversation under way."""

    system: str | None
    said: list[Message] = field(default_factory=list)

    def messages(self) -> list[Message]:
        """Return the system prompt and what was said."""
        return [*([Message(role="system", content=self.system)] if self.system else []), *self.said]


def chat(bench: Workbench, name: str, system: str | None) -> int:
    """Talk with a model until /exit, the input's end, or Ctrl-C at the prompt; return the exit code."""
    talk = Talk(system)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            answering = runner.run(_opened(bench, name, stack))
            say(f"{name}. {HELP}")
            while (line := _asked()) is not None:
                if line.startswith("/"):
                    if not _obeyed(line, talk):
                        return 0
                elif line.strip():
                    _exchange(runner, answering, talk, line)
            return 0
        except KeyboardInterrupt:
            click.echo()
            return 130
        finally:
            runner.run(stack.aclose())


def _asked() -> str | None:
    """Return the next line of a person, or `None` at the end of the input."""
    try:
        if not sys.stdin.isatty():
            line = sys.stdin.readline()
            return line.rstrip("\n") if line else None
        import readline  # noqa: F401  # input() then has a history, and cursor keys work

        return input("> ")
    except EOFError:
        click.echo()
        return None


def _obeyed(line: str, talk: Talk) -> bool:
    """Do what a line that begins with a slash says; return whether the conversation goes on."""
    word, _, rest = line.strip().partition(" ")
    if word in ("/exit", "/quit"):
        return False
    if word == "/clear":
        talk.said.clear()
    elif word == "/system":
        talk.system = rest or None
    else:
        say(HELP)
    return True


def _exchange(runner: asyncio.Runner, answering: Answering, talk: Talk, line: str) -> None:
    """Put a line to the model and show the answer; one that is stopped or fails leaves no trace in the conversation."""
    talk.said.append(Message(role="user", content=line))
    try:
        answer = runner.run(_shown(answering, talk.messages()))
    except KeyboardInterrupt:
        talk.said.pop()
        say("\n(stopped; the question and this answer are forgotten)")
    except ModelError as exc:
        talk.said.pop()
        say(f"\nno answer: {exc}")
    else:
        talk.said.append(Message(role="assistant", content=answer))


async def _shown(answering: Answering, messages: Sequence[Message]) -> str:
    pieces: list[str] = []
    async for piece in answering(messages):
        pieces.append(piece)
        click.echo(visible(piece), nl=False)
    click.echo()
    return "".join(pieces)


async def _opened(bench: Workbench, name: str, stack: AsyncExitStack) -> Answering:
    """Open a model: servers answer piece by piece, everything else at once."""
    spec = bench.model(name)
    if isinstance(spec, EndpointSpec):
        return lambda messages: stream(spec, messages)
    if isinstance(spec, LocalSpec):
        server = LocalServer(bench, stack, Budget(None), say)
        server.add(name, spec)
        endpoint = (await server.served(name)).endpoint
        return lambda messages: stream(endpoint, messages)
    opened = await stack.enter_async_context(open_models(bench, [name], Budget(None), say, use_cache=False))
    return lambda messages: _whole(opened.models[name], messages)


async def _whole(model: Model, messages: Sequence[Message]) -> AsyncIterator[str]:
    answer = await model.generate(Request(messages=tuple(messages), sample_id="chat"))
    if isinstance(answer, OutputFailure):
        raise ModelError(f"{answer.kind}: {answer.message}")
    yield answer.text
