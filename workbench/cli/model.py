"""`workbench model`: try a model, serve it."""

from __future__ import annotations

import click

from workbench.cli.options import config_of, json_option


@click.group("model")
def model_group() -> None:
    """Try and serve the models of workbench.yaml."""


@model_group.command("list")
@click.pass_context
def list_command(ctx: click.Context) -> None:
    """List the models of workbench.yaml."""
    from workbench.cli.show import grid

    bench = config_of(ctx)
    rows = [
        (name, spec.kind, _what(spec), "candidate" if name == bench.candidate() else "")
        for name, spec in bench.config.models.items()
    ]
    grid(("model", "kind", "what", ""), rows)


def _what(spec: object) -> str:
    names = ("model", "base", "path")
    return next((str(getattr(spec, name)) for name in names if hasattr(spec, name)), "scripted")


@model_group.command("ask")
@click.argument("name")
@click.argument("question")
@json_option
@click.pass_context
def ask_command(ctx: click.Context, name: str, question: str, as_json: bool) -> None:
    """Put QUESTION to the model NAME and print its answer: the quickest check that address, key and model are right."""
    from workbench.cli.asking import ask

    answer = ask(config_of(ctx), name, question)
    ctx.exit(answer.show(as_json))


@model_group.command("serve")
@click.argument("names", nargs=-1, required=True)
@click.pass_context
def serve_command(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Serve local models NAMES with `transformers serve` on loopback until Ctrl-C."""
    from workbench.cli.asking import serve_until_stopped

    serve_until_stopped(config_of(ctx), names)
