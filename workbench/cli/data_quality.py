"""`workbench data stats | dedupe | filter`: what rows are like, and new versions without what should not be there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, get_args

import click

from workbench.cli.options import config_of, json_option
from workbench.curation.quality.duplicates import By, Keep
from workbench.curation.quality.filters import LOOKED_FOR, Drop, Mask, Wanted

DROPS: tuple[Drop, ...] = get_args(Drop)
Command = TypeVar("Command", bound=Callable[..., None])


def _duplicates(command: Command) -> Command:
    """Add the options that say what duplicates are."""
    options = (
        click.option("--keep", type=click.Choice(get_args(Keep)), default="labels", show_default=True,
            help="Of duplicates: most annotators, longest answer or first; ties go on to the next."),
        click.option("--by", type=click.Choice(get_args(By)), default="row", show_default=True,
            help="What of duplicates must be alike: every part, or the prompt alone."),
        click.option("--threshold", type=click.FloatRange(0, 1, min_open=True), default=0.7, show_default=True,
            help="Jaccard similarity of word triples of near-duplicates."),
        click.option("--cosine", type=click.FloatRange(0, 1, min_open=True), default=0.95, show_default=True,
            help="Cosine of embeddings of semantic duplicates."),
        click.option("--ignore-numbers", is_flag=True,
            help="Rows that differ only in numbers or signs of arithmetic are duplicates too."),
        click.option("--embedding", default="all-MiniLM-L6-v2", show_default=True,
            help="Embedding model, by name, folder or hub id."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _labels(command: Command) -> Command:
    """Add the options of label errors, tokens and lots."""
    options = (
        click.option("--label", default="", help="Tag whose values are checked for errors; `good`: the thumbs."),
        click.option("--tokenizer", default="", help="Model of workbench.yaml whose tokenizer counts."),
        click.option("--seed", type=int, default=0, show_default=True, help="Seed of lots and folds."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _stored(command: Command) -> Command:
    """Add the options of a result that is stored."""
    options = (
        click.option("--as", "new_name", default=None, help="Name of the result; else one more version of NAME."),
        click.option("--dry-run", is_flag=True, help="Show what would go; store nothing."),
    )
    for option in reversed(options):
        command = option(command)
    return command


_records = click.option("--records", is_flag=True, help="NAME is what label pull brought, not a dataset.")
_html = click.option("--html", type=click.Path(path_type=Path), default=None, help="Write the report here too.")


@click.command("stats", epilog="Example: workbench data stats helpcentre-train --semantic --html quality.html")
@click.argument("name")
@click.option("--semantic", is_flag=True, help="Look for duplicates in meaning too, by embeddings.")
@_labels
@_duplicates
@_records
@_html
@json_option
@click.pass_context
def stats_command(
    ctx: click.Context,
    name: str,
    semantic: bool,
    label: str,
    tokenizer: str,
    seed: int,
    keep: Keep,
    by: By,
    threshold: float,
    cosine: float,
    ignore_numbers: bool,
    embedding: str,
    records: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Describe a dataset: lengths, languages, tags, and what filters would find. Nothing is changed.

    The waterfall says for each filter how many rows come in and go on, with examples. Personal data and secrets are
    masked wherever they are shown.
    """
    from workbench.cli.showing_quality import show_stats
    from workbench.jobs.data_quality import Asked

    more: tuple[Drop, ...] = (*(("semantic",) if semantic else ()), *(("label-errors",) if label else ()))
    wanted = Wanted(
        drop=(*LOOKED_FOR, *more), keep=keep, by=by, threshold=threshold, cosine=cosine, numbers=not ignore_numbers,
        label=label, seed=seed,
    )  # fmt: skip
    show_stats(config_of(ctx), Asked(name, wanted, records, embedding, tokenizer), html, as_json=as_json)


@click.command("dedupe", epilog="Example: workbench data dedupe helpcentre-train --semantic --keep longest")
@click.argument("name")
@click.option("--exact-only", is_flag=True, help="Only what is the same character by character.")
@click.option("--semantic", is_flag=True, help="Duplicates in meaning too, by embeddings.")
@_duplicates
@_stored
@_records
@_html
@json_option
@click.pass_context
def dedupe_command(
    ctx: click.Context,
    name: str,
    exact_only: bool,
    semantic: bool,
    keep: Keep,
    by: By,
    threshold: float,
    cosine: float,
    ignore_numbers: bool,
    embedding: str,
    new_name: str | None,
    dry_run: bool,
    records: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Store a new version of a dataset with one row of each cluster of duplicates; the old version stays.

    Only rows of this dataset are compared, so that nothing is dropped across the firewall: what a gate set knows is a
    leak and ends the command.
    """
    from workbench.cli.showing_quality import show_filtered
    from workbench.jobs.data_quality import Asked

    drop: tuple[Drop, ...] = ("exact", *(() if exact_only else ("near",)), *(("semantic",) if semantic else ()))
    wanted = Wanted(drop=drop, keep=keep, by=by, threshold=threshold, cosine=cosine, numbers=not ignore_numbers)
    show_filtered(config_of(ctx), Asked(name, wanted, records, embedding), new_name, dry_run, html, as_json=as_json)


@click.command("filter", epilog="Example: workbench data filter helpcentre-train --drop refusals --mask personal")
@click.argument("name")
@click.option("--drop", type=click.Choice(DROPS), multiple=True, help="What is dropped; repeat it for several.")
@click.option("--mask", type=click.Choice(get_args(Mask)), multiple=True,
              help="What is masked in the rows that are left; repeat it.")  # fmt: skip
@click.option("--language", default="", help="Languages of the answers that stay, such as en,de.")
@click.option("--min-words", type=click.IntRange(0), default=0, help="Words that every answer needs.")
@click.option("--max-tokens", type=click.IntRange(0), default=0, help="Tokens that a whole row may have.")
@click.option("--balance", default="", help="Tag to even, by lot.")
@click.option("--at-most", type=click.IntRange(0), default=0, help="Rows of each of its values; else the rarest's.")
@_labels
@_duplicates
@_stored
@_html
@json_option
@click.pass_context
def filter_command(
    ctx: click.Context,
    name: str,
    drop: tuple[Drop, ...],
    mask: tuple[Mask, ...],
    language: str,
    min_words: int,
    max_tokens: int,
    balance: str,
    at_most: int,
    label: str,
    tokenizer: str,
    seed: int,
    keep: Keep,
    by: By,
    threshold: float,
    cosine: float,
    ignore_numbers: bool,
    embedding: str,
    new_name: str | None,
    dry_run: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Store a new version of a dataset without what is named; the old version stays.

    Masked rows keep their id and family; a placeholder such as <email:1> leads back to nothing.
    """
    from workbench.cli.showing_quality import show_filtered
    from workbench.jobs.data_quality import Asked

    languages = tuple(code.strip() for code in language.split(",") if code.strip())
    wanted = Wanted(
        drop=drop, mask=mask, languages=languages, min_words=min_words, max_tokens=max_tokens, balance=balance,
        at_most=at_most, label=label, seed=seed, keep=keep, by=by, threshold=threshold, cosine=cosine,
        numbers=not ignore_numbers,
    )  # fmt: skip
    asked = Asked(name, wanted, False, embedding, tokenizer)
    show_filtered(config_of(ctx), asked, new_name, dry_run, html, as_json=as_json)
