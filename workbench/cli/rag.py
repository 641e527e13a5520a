"""`workbench rag`: build indexes of documents, ask a pipeline, compare its choices."""

from __future__ import annotations

import click

from workbench.cli.options import config_of, json_option, quiet_option


@click.group("rag", epilog='Example: workbench rag index && workbench rag ask "What does the Team plan cost?"')
def rag_group() -> None:
    """Build indexes of documents, ask a RAG pipeline, and compare its choices."""


@rag_group.command("index", epilog="Example: workbench rag index helpcentre")
@click.argument("names", nargs=-1)
@json_option
@quiet_option
@click.pass_context
def index_command(ctx: click.Context, names: tuple[str, ...], as_json: bool, quiet: bool) -> None:
    """Read, split, embed and index the documents of NAMES under `rag` in workbench.yaml; without names, of all.

    An index is found again by the content of its documents and settings; only what changed is built anew.
    """
    from workbench.cli.retrieving import build

    build(config_of(ctx), names, as_json=as_json, quiet=quiet)


@rag_group.command("ask", epilog='Example: workbench rag ask "What does the Team plan cost?" --model help-bot')
@click.argument("question")
@click.option("--model", default=None, help="Pipeline of workbench.yaml; else the candidate, or the only one.")
@click.option("--only-passages", is_flag=True, help="Show what is retrieved, and ask no model.")
@json_option
@click.pass_context
def ask_command(ctx: click.Context, question: str, model: str | None, only_passages: bool, as_json: bool) -> None:
    """Put QUESTION to a pipeline: the passages it finds with their scores, and the answer made from them."""
    from workbench.cli.retrieving import ask

    if not question.strip():
        raise click.UsageError("QUESTION is empty: nothing can be searched for")
    ctx.exit(ask(config_of(ctx), question, model, only_passages=only_passages, as_json=as_json))


@rag_group.command("sweep", epilog="Example: workbench rag sweep help-rag --vary search=vector,hybrid --vary top_k=2,4")
@click.argument("evalset")
@click.option("--model", default=None, help="Pipeline whose settings are varied; else the candidate, or the only one.")
@click.option(
    "--vary", multiple=True, required=True, metavar="SETTING=A,B", help="A setting and its values; repeatable."
)
@click.option(
    "--use", type=click.Choice(("train", "dev")), default="dev", show_default=True, help="Side to compare on."
)
@click.option("--limit", type=click.IntRange(1, 10**9), default=None, help="Only so many samples, by a stable hash.")
@json_option
@quiet_option
@click.pass_context
def sweep_command(
    ctx: click.Context,
    evalset: str,
    model: str | None,
    vary: tuple[str, ...],
    use: str,
    limit: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Evaluate every combination of settings on EVALSET and compare each with the first, with Holm's p-values.

    The first value of each setting makes the baseline. What wins here was picked for it: confirm it on the gate side.
    """
    from workbench.cli.retrieving import sweep

    ctx.exit(sweep(config_of(ctx), evalset, model, vary, use=use, limit=limit, as_json=as_json, quiet=quiet))
