"""`workbench eval compare`: finished runs against the first of them."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.options import config_of, json_option
from workbench.cli.report import FILE, put_comparisons


@click.command("compare", epilog="Example: workbench eval compare 20261122-1015 latest --html changes.html")
@click.argument("run_ids", nargs=-1, required=True, metavar="BASELINE RUN [RUN…]")
@click.option(
    "--changes", type=click.IntRange(0, 1000), default=5, show_default=True,
    help="Regressions and fixes to show per metric.",
)  # fmt: skip
@click.option("--html", type=FILE, help="Write one HTML page that loads nothing.")
@click.option("--markdown", type=FILE, help="Write Markdown that fits a pull request.")
@json_option
@click.pass_context
def compare_command(
    ctx: click.Context, run_ids: tuple[str, ...], changes: int, html: Path | None, markdown: Path | None, as_json: bool
) -> None:
    """Compare finished runs with the first of them, sample by sample.

    The runs must have been made on the same samples. A metric whose scorer or judge changed in between is refused.
    With more than one RUN the p-values are adjusted by Holm's rule; those of slices always by Benjamini and Hochberg's.
    """
    from workbench.cli.show_comparison import show_comparisons
    from workbench.evaluation.arms import Finished
    from workbench.evaluation.compare import compare_all

    if len(run_ids) < 2:
        raise click.UsageError("name at least two runs: the baseline first")
    home = config_of(ctx).home
    found = compare_all([Finished.read(home.run(run_id)) for run_id in run_ids], changes)
    put_comparisons(found, html, markdown)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show_comparisons(found)
