"""`workbench model`: try a model, serve it, talk with it, merge and export it."""

from __future__ import annotations

import click
import orjson

from workbench.cli.model_making import card_command, export_command, merge_command
from workbench.cli.options import config_of, json_option


@click.group("model", epilog="Example: workbench model ls")
def model_group() -> None:
    """Try, serve, merge and export models, also those that training made."""


@model_group.command("ls", epilog="Example: workbench model ls --json")
@json_option
@click.pass_context
def ls_command(ctx: click.Context, as_json: bool) -> None:
    """List the models of workbench.yaml, and those that training made."""
    from workbench.cli.show import grid
    from workbench.config.derived_models import trained_names

    bench = config_of(ctx)
    models = bench.config.models | {name: bench.model(name) for name in trained_names(bench)}
    if as_json:
        plain = [
            {"name": name, "candidate": name == bench.candidate(), **spec.model_dump(mode="json")}
            for name, spec in models.items()
        ]
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    rows = [
        (name, spec.kind, _what(spec), "candidate" if name == bench.candidate() else "")
        for name, spec in models.items()
    ]
    grid(("model", "kind", "what", ""), rows)


def _what(spec: object) -> str:
    names = ("model", "base", "path")
    return next((str(getattr(spec, name)) for name in names if hasattr(spec, name)), "scripted")


@model_group.command("ask", epilog='Example: workbench model ask judge "Anybody there?"')
@click.argument("name")
@click.argument("question")
@json_option
@click.pass_context
def ask_command(ctx: click.Context, name: str, question: str, as_json: bool) -> None:
    """Put QUESTION to the model NAME and print its answer: the quickest check that address, key and model are right."""
    from workbench.cli.asking import ask

    answer = ask(config_of(ctx), name, question)
    ctx.exit(answer.show(as_json))


@model_group.command("serve", epilog="Example: workbench model serve candidate train:latest")
@click.argument("names", nargs=-1, required=True)
@click.pass_context
def serve_command(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Serve local models NAMES with `transformers serve` on loopback until Ctrl-C.

    Each is a model of its own at the server, several adapters on one base, too: `train:RUN` names what a training made.
    """
    from workbench.cli.asking import serve_until_stopped

    serve_until_stopped(config_of(ctx), names)


@model_group.command("chat", epilog='Example: workbench model chat train:latest --system "Be brief."')
@click.argument("name")
@click.option("--system", default=None, help="System prompt; else the model's own.")
@click.pass_context
def chat_command(ctx: click.Context, name: str, system: str | None) -> None:
    """Talk with the model NAME; its answer is shown as it comes.

    /exit ends, /clear forgets what was said, /system TEXT sets the system prompt. Ctrl-C stops an answer; at the
    prompt it ends the conversation. Lines of a pipe are answered one after the other.
    """
    from workbench.cli.chatting import chat

    ctx.exit(chat(config_of(ctx), name, system))


for command in (merge_command, export_command, card_command):
    model_group.add_command(command)
