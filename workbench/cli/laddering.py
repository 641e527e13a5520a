"""What `workbench eval ladder` does and prints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from workbench.cli.pricing import show_prices
from workbench.cli.progress import say
from workbench.cli.report import put
from workbench.cli.running import evaluated, jobs_for
from workbench.cli.show import grid
from workbench.config.ladder_yaml import RUNG, LadderSpec
from workbench.config.workbench_yaml import Workbench
from workbench.evaluation.ladder import Ladder
from workbench.jobs.ladder import built, missing, plan_ladder, trained_in
from workbench.jobs.model_card import write_card
from workbench.reports.as_html import page
from workbench.reports.as_markdown import markdown
from workbench.reports.ladder import HOLM, ladder_document, ladder_tables, signs


@dataclass(frozen=True)
class Wish:
    """How a ladder is built and shown."""

    on_gate: bool = False
    dry_run: bool = False
    html: Path | None = None
    markdown: Path | None = None
    as_json: bool = False
    quiet: bool = False


def climb_and_show(bench: Workbench, spec: LadderSpec, wish: Wish) -> int:
    """Run the rungs that are missing, compare all and show them; return the exit code."""
    planned = plan_ladder(bench, spec, on_gate=wish.on_gate)
    if wish.dry_run:
        show_prices(bench, planned.plans(), wish.as_json)
        return 0
    groups = missing(bench, planned)
    n, there = len(planned.plans()), len(planned.plans()) - sum(map(len, groups))
    if there and not wish.quiet:
        say(f"{there} of {n} runs are there already and are not made again.")
    for group in groups:
        _, code = evaluated(bench, jobs_for(bench, group, fresh=False, quiet=wish.quiet), wish.quiet)
        if code:
            say("The same command goes on with the ladder.")
            return code
    ladder = built(bench, planned)
    for run_id in dict.fromkeys(trained_in(bench, ladder)):
        write_card(bench, run_id)
    show_ladder(ladder, wish)
    return 0


def show_ladder(ladder: Ladder, wish: Wish) -> None:
    """Print a ladder, and write its reports where they are asked for."""
    document = ladder_document(ladder)
    put(wish.html, page(document))
    put(wish.markdown, markdown(document, "" if wish.html is None or str(wish.html) == "-" else wish.html.name))
    if wish.as_json:
        click.echo(ladder.model_dump_json(indent=2))
        return
    click.echo(f"\n{ladder.evalset} · {ladder.use} · {ladder.n} samples\n")
    grid(("rung", "model", "run"), [(r.name, r.model, r.run) for r in ladder.rungs])
    click.echo(HOLM)
    for shown in ladder_tables(ladder):
        click.echo(f"\n{click.style(shown.title, bold=True)}")
        grid(shown.head, shown.rows)
    for sign in signs(ladder):
        click.echo(f"look at {sign}")


def named_rungs(rungs: Sequence[str]) -> dict[str, str]:
    """Return models by rung. Raises `UsageError` for one that is not NAME=MODEL, or a name given twice."""
    found: dict[str, str] = {}
    for rung in rungs:
        name, equals, model = rung.partition("=")
        if not (name and equals and model):
            raise click.UsageError(f"--rung wants NAME=MODEL, such as sft=train:latest, not {rung!r}")
        if not re.match(RUNG, name):
            raise click.UsageError(f"a rung's name has at most 40 letters, digits, spaces and _.,:()+/-, not {name!r}")
        if name in found:
            raise click.UsageError(f"two rungs are called {name!r}")
        found[name] = model
    return found
