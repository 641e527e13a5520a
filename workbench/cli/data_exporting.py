"""What `workbench data export` does and prints."""

from __future__ import annotations

import click
import orjson

from workbench.cli.progress import say
from workbench.config.workbench_yaml import Workbench
from workbench.curation.exporting import Export
from workbench.jobs.exporting import export_named


def send_out(bench: Workbench, name: str, wish: Export, *, as_json: bool) -> None:
    """Export a dataset or records and say what was written, and what was not."""
    stored, done = export_named(bench.home.root, name, wish)
    if as_json:
        told = {
            "dataset": stored.manifest.fingerprint, "format": done.format.name, "n": done.n,
            "files": [str(path) for path in done.files], "unfit": dict(done.unfit), "lost": dict(done.lost),
            "advice": done.advice,
        }  # fmt: skip
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    for why, n in done.unfit.most_common():
        say(f"  {n:,} rows left out that '{done.format.name}' cannot hold: {why}")
    for field, n in sorted(done.lost.items()):
        say(f"  {n:,} rows lose their `{field}`")
    for line in done.advice:
        say(f"  {line}")
    click.echo(f"{done.n:,} {done.format.kind} as {done.format.name}")
    click.echo("\n".join(str(path) for path in done.files))
