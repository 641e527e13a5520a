"""`workbench eval report`: a finished run as a page, as Markdown, or for a CI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.options import config_of

if TYPE_CHECKING:
    from workbench.evaluation.comparison import Comparisons

FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command("report", epilog="Example: workbench eval report latest --junit report.xml")
@click.argument("run_id", default="latest")
@click.option("--html", "html", type=FILE, help="Write one HTML page that loads nothing.")
@click.option("--markdown", "markdown", type=FILE, help="Write Markdown that fits a pull request.")
@click.option("--junit", "junit", type=FILE, help="Write JUnit XML, a test case a metric.")
@click.pass_context
def report_command(
    ctx: click.Context, run_id: str, html: Path | None, markdown: Path | None, junit: Path | None
) -> None:
    """Write the report of a finished run: RUN_ID, its unique beginning or ending, or `latest`.

    Without options, report.md and report.html are written beside the run's tables. FILE may be `-` for standard output.
    """
    from workbench.evaluation.run import read_run
    from workbench.jobs.correcting import corrections
    from workbench.reports.as_html import page
    from workbench.reports.as_markdown import markdown as in_markdown
    from workbench.reports.junit import run_junit
    from workbench.reports.run import run_document

    bench = config_of(ctx)
    folder = bench.home.run(run_id)
    run = read_run(folder)
    document = run_document(run, folder, corrections(bench, run, folder))
    if html is markdown is junit is None:
        html, markdown = folder.page, folder.report
    for file, text in ((html, page(document)), (markdown, in_markdown(document, _name(html))), (junit, run_junit(run))):
        put(file, text)


def put_comparisons(found: Comparisons, html: Path | None, markdown: Path | None) -> None:
    """Write a comparison's page and Markdown where they were asked for."""
    from workbench.reports.as_html import page
    from workbench.reports.as_markdown import markdown as in_markdown
    from workbench.reports.comparison import comparisons_document

    document = comparisons_document(found)
    for file, text in ((html, page(document)), (markdown, in_markdown(document, _name(html)))):
        put(file, text)


def _name(html: Path | None) -> str:
    """Return the name by which the Markdown, beside the page, links to it; empty without a page."""
    return "" if html is None or str(html) == "-" else html.name


def put(file: Path | None, text: str) -> None:
    """Write a report to a file, or to standard output for `-`; nothing is done for a file that was not asked for."""
    from workbench.store.files import write_atomic

    if file is None:
        return
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    write_atomic(file, text.encode())
    click.echo(f"wrote {file}", err=True)
