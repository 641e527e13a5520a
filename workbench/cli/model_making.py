"""`workbench model merge | export | card`: what is made of a tuned model."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.options import config_of, json_option

FOLDER = click.Path(path_type=Path)
GGUF = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m", "q5_k_m", "q6_k")


@click.command("merge", epilog="Example: workbench model merge train:latest merged/tone")
@click.argument("name")
@click.argument("folder", type=FOLDER)
@json_option
@click.pass_context
def merge_command(ctx: click.Context, name: str, folder: Path, as_json: bool) -> None:
    """Write the local model NAME and its adapter as one safetensors model into the new FOLDER.

    NAME is a model of workbench.yaml or train:RUN. An adapter of another base is refused, with both hashes.
    """
    from workbench.jobs.models import merge

    made = merge(config_of(ctx), name, folder)
    if as_json:
        click.echo(made.model_dump_json(indent=2))
    else:
        click.echo(f"{made.folder}: weights {made.weights}, of base {made.base_weights} and adapter {made.adapter}")


@click.command("export", epilog="Example: workbench model export train:latest exported/tone --ollama")
@click.argument("name")
@click.argument("folder", type=FOLDER)
@click.option("--gguf", type=click.Choice(GGUF), default=None, help="Also a GGUF file of this type, by llama.cpp.")
@click.option("--llama-cpp", type=FOLDER, default=None, help="llama.cpp's folder; else $LLAMA_CPP, else the PATH.")
@click.option("--ollama", is_flag=True, help="Also a Modelfile for `ollama create`.")
@json_option
@click.pass_context
def export_command(
    ctx: click.Context, name: str, folder: Path, gguf: str | None, llama_cpp: Path | None, ollama: bool, as_json: bool
) -> None:
    """Write the local model NAME for other programs: merged safetensors in the new FOLDER, and more where asked."""
    from workbench.jobs.models import export

    made = export(config_of(ctx), name, folder, gguf, llama_cpp, ollama)
    if as_json:
        click.echo(made.model_dump_json(indent=2))
        return
    click.echo("\n".join([f"{made.merged.folder}: safetensors, weights {made.merged.weights}", *made.files]))
    if ollama:
        click.echo(f"Next: ollama create NAME -f {folder / 'Modelfile'}")


@click.command("card", epilog="Example: workbench model card latest")
@click.argument("run_id", default="latest")
@click.pass_context
def card_command(ctx: click.Context, run_id: str) -> None:
    """Write the card of the finished training RUN_ID anew, with the evaluations that were made since, and print it."""
    from workbench.jobs.model_card import write_card

    click.echo(write_card(config_of(ctx), run_id).read_text("utf-8"), nl=False)
