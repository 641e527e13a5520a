"""`workbench evalset build | audit | diff`: made from what people answered, looked through, held against others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.options import config_of, json_option

if TYPE_CHECKING:
    from workbench.datasets import Use

PAGE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command("audit", epilog="Example: workbench evalset audit helpcentre --html audit.html")
@click.argument("name")
@click.option("--use", type=click.Choice(["train", "dev", "gate"]), default=None, help="Audit this side alone.")
@click.option("--documents", type=click.Path(path_type=Path), default=None,
              help="Folder of what questions are about; else `documents` beside evalset.yaml.")  # fmt: skip
@click.option("--html", type=PAGE, help="Write one HTML page that loads nothing.")
@click.option("--markdown", type=PAGE, help="Write Markdown.")
@json_option
@click.pass_context
def audit_command(
    ctx: click.Context,
    name: str,
    use: Use | None,
    documents: Path | None,
    html: Path | None,
    markdown: Path | None,
    as_json: bool,
) -> None:
    """Say what the evalset NAME can and cannot tell, and what to do about it.

    Repeats, disagreement of annotators, leaks into train sets, thin slices, passages nobody asks for, answers that
    their passages do not hold, samples that every model passes or none does or that rank models against all others, and
    whether n shows the margins of its policy.
    """
    from workbench.cli.show_audit import show_audit
    from workbench.jobs.auditing import audit
    from workbench.jobs.planning import select

    bench = config_of(ctx)
    [evalset] = select(bench, [name], use or "dev")
    show_audit(audit(evalset, bench, documents, use), html, markdown, as_json=as_json)
