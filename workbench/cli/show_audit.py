"""What `evalset audit` prints and writes."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from workbench.cli.report import put
from workbench.cli.show import grid
from workbench.curation.evalsets.finding import Audit
from workbench.reports.as_html import page
from workbench.reports.as_markdown import markdown as in_markdown
from workbench.reports.audit import audit_document
from workbench.reports.escaping import one_line

SHOWN = 3
"""Examples of a finding on the terminal; reports and --json have more."""


def show_audit(audit: Audit, html: Path | None, markdown: Path | None, *, as_json: bool) -> None:
    """Print an audit, or write it where it was asked for."""
    document = audit_document(audit)
    put(html, page(document))
    put(markdown, in_markdown(document, html.name if html is not None and str(html) != "-" else ""))
    if as_json:
        click.echo(orjson.dumps(audit.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode())
        return
    if html is not None or markdown is not None:
        return
    sizes = ", ".join(f"{n:,} {side}" for side, n in audit.sides.items())
    click.echo(f"{audit.evalset}: {sizes}\n")
    grid(
        ("check", "", "n", "of", "what"), [(f.check, f.state, f"{f.n:,}", f"{f.of:,}", f.told) for f in audit.findings]
    )
    for one in audit.findings:
        if one.examples or one.do:
            click.echo(f"\n{one.check}: {one.do}")
        for example in one.examples[:SHOWN]:
            click.echo(f"  {one_line(example.id, 60)}: {one_line(example.text, 200)}")
