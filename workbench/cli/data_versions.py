"""`workbench data diff | scan`: two versions row by row, and known benchmarks in what is stored."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.options import config_of, json_option

SHOWN = click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Rows of a sort to show.")


@click.command("diff", epilog="Example: workbench data diff chats@3fa1 chats")
@click.argument("before")
@click.argument("after")
@SHOWN
@json_option
@click.pass_context
def diff_command(ctx: click.Context, before: str, after: str, limit: int, as_json: bool) -> None:
    """Say row by row what differs between two stored versions: BEFORE and AFTER.

    Each is a name as `data ls` tells it, NAME@FINGERPRINT for an older version, or a folder. Rows are told apart by id.
    """
    from workbench.cli.showing_versions import show_diff
    from workbench.curation.stored_datasets import find_dataset
    from workbench.curation.versions import diff

    home = config_of(ctx).home.root
    show_diff(diff([find_dataset(home, before)], [find_dataset(home, after)]), limit, as_json=as_json)


@click.command(
    "scan", epilog="Example: workbench data scan chats --against gsm8k_test.jsonl --against truthfulqa.jsonl"
)
@click.argument("name")
@click.option("--against", "files", multiple=True, required=True, type=click.Path(path_type=Path),
              help="A benchmark's JSONL, CSV or Parquet file; may be given several times.")  # fmt: skip
@click.option(
    "--field", default=None, help="Where a benchmark's rows have their question, if it is not found by itself."
)
@click.option("--limit", type=click.IntRange(0), default=3, show_default=True, help="Examples of a benchmark to show.")
@json_option
@click.pass_context
def scan_command(
    ctx: click.Context, name: str, files: tuple[Path, ...], field: str | None, limit: int, as_json: bool
) -> None:
    """Look for rows of public benchmarks in a stored dataset: by all words, 13 in a row, or word triples.

    NAME is a dataset as `data ls` tells it. Exits 1 if any is found.
    """
    from workbench.cli.showing_versions import show_scan
    from workbench.curation.contamination import read_benchmark, scan
    from workbench.curation.stored_datasets import find_dataset

    stored = find_dataset(config_of(ctx).home.root, name)
    found = scan(name, stored.iter_values(), {path.name: read_benchmark(path, field) for path in files})
    show_scan(found, limit, as_json=as_json)
    ctx.exit(1 if any(one.n_rows for one in found.found) else 0)
