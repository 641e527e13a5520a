"""`workbench data`: datasets in, out, looked at and checked."""

from __future__ import annotations

import click

from workbench.cli.data_versions import diff_command, scan_command
from workbench.cli.options import config_of, json_option


@click.group("data", epilog="Example: workbench data ls")
def data_group() -> None:
    """Bring datasets in and out, and look at what is stored."""


@data_group.command("ls", epilog="Example: workbench data ls --json")
@json_option
@click.pass_context
def ls_command(ctx: click.Context, as_json: bool) -> None:
    """List the stored datasets, the newest version of each, and imported records."""
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

    NAME is a dataset's name as `data ls` tells it, NAME@FINGERPRINT for an older version, or a folder. With --row and
    --lineage: the records behind the row, and who said what of them.
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
