"""`workbench data`: datasets in, out, looked at and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from workbench.cli.data_quality import dedupe_command, filter_command, stats_command
from workbench.cli.data_versions import diff_command, scan_command
from workbench.cli.options import config_of, json_option, quiet_option
from workbench.datasets import USES, Use


@click.group("data", epilog="Example: workbench data ls")
def data_group() -> None:
    """Bring datasets in and out, and look at what is stored."""


@data_group.command("ls", epilog="Example: workbench data ls --json")
@json_option
@click.pass_context
def ls_command(ctx: click.Context, as_json: bool) -> None:
    """List the stored datasets, the newest version of each, and the records that were pulled or imported last."""
    from workbench.cli.data_listing import list_datasets

    list_datasets(config_of(ctx), as_json=as_json)


@data_group.command("show", epilog="Example: workbench data show helpcentre --limit 5")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Rows to show.")
@click.option("--skip", type=click.IntRange(0), default=0, show_default=True, help="Rows to leave out before them.")
@click.option("--row", "row_id", default=None, help="Show this row alone, whole.")
@click.option("--lineage", is_flag=True, help="Show what it was made from, and what was made of it.")
@json_option
@click.pass_context
def show_command(
    ctx: click.Context, name: str, limit: int, skip: int, row_id: str | None, lineage: bool, as_json: bool
) -> None:
    """Show a stored dataset and its rows, or where they come from.

    NAME is a dataset's or records' name as `data ls` tells it, NAME@FINGERPRINT for an older version, or a dataset's
    folder. With --row and --lineage: the records behind the row, and who said what of them.
    """
    from workbench.cli.data_listing import show_dataset
    from workbench.cli.showing_lineage import show_lineage, show_row

    if row_id is not None:
        show_row(config_of(ctx), name, row_id, with_lineage=lineage, as_json=as_json)
    elif lineage:
        show_lineage(config_of(ctx), name, as_json=as_json)
    else:
        show_dataset(config_of(ctx), name, skip, limit, as_json=as_json)


data_group.add_command(diff_command)
data_group.add_command(scan_command)


def _import_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of `import` and `validate`."""
    options = (
        click.argument("path", type=click.Path(path_type=Path)),
        click.option("--format", "-f", "format_name", default=None, help="Format; else it is guessed."),
        click.option(
            "--quarantine-share", type=click.FloatRange(0, 1), default=0.0, show_default=True,
            help="Share of faulty rows that may be set aside; above it nothing is stored.",
        ),
        click.option("--new-ids", is_flag=True, help="Name rows by their content; their ids become a tag."),
        click.option("--corpus", type=click.Path(path_type=Path), default=None, help="Documents that questions name."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@data_group.command("import", epilog="Example: workbench data import chats.jsonl --name support --use train")
@_import_options
@click.option("--name", "-n", required=True, help="Name of the dataset.")
@click.option("--use", type=click.Choice(USES), default=None, help="The only purpose it may serve.")
@click.option("--split", default=None, metavar="SHARES", help="Deal families out instead: train=0.8,dev=0.1,gate=0.1")
@click.option("--salt", default=None, help="Names the division; else the dataset's name. Keep it for ever.")
@click.option("--synthetic", is_flag=True, help="A model wrote these rows.")
@click.option("--licence", default="", help="Licence of the data, kept for dataset cards.")
@click.option("--source", default="", help="Where the data are from, such as an address; kept for dataset cards.")
@json_option
@quiet_option
@click.pass_context
def import_command(
    ctx: click.Context,
    path: Path,
    format_name: str | None,
    quarantine_share: float,
    new_ids: bool,
    corpus: Path | None,
    name: str,
    use: Use | None,
    split: str | None,
    salt: str | None,
    synthetic: bool,
    licence: str,
    source: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Store the rows of PATH: a JSONL, CSV or Parquet file, a folder that `datasets` saved, or Argilla's client.

    What it is, is guessed from its first rows and told. Equal rows are stored once. Faulty rows are listed with line
    and reason; those that are set aside go to quarantine.jsonl. Logs, traces and labelled data become records.
    """
    from workbench.cli.data_importing import Asked, bring_in

    told = {"licence": licence, "origin": source}
    asked = Asked(path, name, use, split, salt, format_name, quarantine_share, new_ids, synthetic, corpus, told)
    bring_in(config_of(ctx), asked, store=True, as_json=as_json, quiet=quiet)


@data_group.command("validate", epilog="Example: workbench data validate chats.jsonl")
@_import_options
@json_option
@quiet_option
@click.pass_context
def validate_command(
    ctx: click.Context,
    path: Path,
    format_name: str | None,
    quarantine_share: float,
    new_ids: bool,
    corpus: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Do everything that `import` does but store: exit code 3 where PATH has faults."""
    from workbench.cli.data_importing import Asked, bring_in

    asked = Asked(path, "validated", "train", None, None, format_name, quarantine_share, new_ids, False, corpus, {})
    bring_in(config_of(ctx), asked, store=False, as_json=as_json, quiet=quiet)


@data_group.command("formats", epilog="Example: workbench data formats")
@json_option
def formats_command(as_json: bool) -> None:
    """List the formats that can be read and written."""
    from workbench.cli.data_listing import list_formats

    list_formats(as_json=as_json)


data_group.add_command(stats_command)
data_group.add_command(dedupe_command)
data_group.add_command(filter_command)


@data_group.command("export", epilog="Example: workbench data export support --to trl-sft --out support.jsonl")
@click.argument("name")
@click.option("--to", required=True, help="trl-sft, trl-prompt-completion, trl-dpo, trl-kto, openai, axolotl, "
              "llama-factory, hub, workbench, or a format of data formats.")  # fmt: skip
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="A .jsonl, .csv or .parquet file, or a folder."
)
@click.option("--bare", is_flag=True, help="No column beside the format's own; what is lost is counted.")
@click.option("--skip-unfit", is_flag=True, help="Leave out rows that the format cannot hold, and count them.")
@json_option
@click.pass_context
def export_command(
    ctx: click.Context, name: str, to: str, out: Path, bare: bool, skip_unfit: bool, as_json: bool
) -> None:
    """Write a stored dataset for a trainer or a service, or labelled records as they are (--to workbench).

    What a format has no place for, such as ids and lineage, stands in one column `workbench`; importing the file again
    gives the same rows. Where rows cannot be held, nothing is written and they are counted.
    """
    from workbench.cli.data_exporting import send_out
    from workbench.curation.exporting import Export

    send_out(config_of(ctx), name, Export(to, out, bare, skip_unfit), as_json=as_json)
