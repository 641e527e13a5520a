"""`workbench eval ladder`: models one above the other on the same samples."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from workbench.cli.options import config_of, json_option, quiet_option
from workbench.cli.report import FILE
from workbench.datasets import USES, Use


@click.command(
    "ladder",
    epilog="Example: workbench eval ladder --evalset helpcentre --rung base=candidate --rung sft=train:latest",
)
@click.argument("recipe", required=False, type=click.Path(path_type=Path))
@click.option("--evalset", default=None, help="Evalset that all rungs are asked.")
@click.option(
    "--rung", "rungs", multiple=True, metavar="NAME=MODEL",
    help="A rung, from the first upwards: MODEL is of workbench.yaml, train:RUN, MODEL+shots:3 or MODEL+rag:PIPELINE.",
)  # fmt: skip
@click.option("--use", type=click.Choice(USES), default="dev", show_default=True, help="Side of the firewall.")
@click.option("--on-gate", is_flag=True, help="Really ask gate samples; every rung is recorded as a gate run is.")
@click.option("--metric", default="", help="Metric that says what is better; else the evalset's first scorer.")
@click.option("--keeps", multiple=True, metavar="EVALSET", help="Ask this evalset, too, to see what is forgotten.")
@click.option("--limit", type=click.IntRange(1, 10**9), default=None, help="Only so many samples, by a stable hash.")
@click.option("--repeats", type=click.IntRange(1, 1000), default=1, show_default=True, help="Answers per sample.")
@click.option("--dry-run", is_flag=True, help="Say what would be called and what it would cost, and call nothing.")
@click.option("--html", type=FILE, help="Write one HTML page that loads nothing.")
@click.option("--markdown", type=FILE, help="Write Markdown that fits a pull request.")
@json_option
@quiet_option
@click.pass_context
def ladder_command(
    ctx: click.Context,
    recipe: Path | None,
    evalset: str | None,
    rungs: tuple[str, ...],
    use: Use,
    on_gate: bool,
    metric: str,
    keeps: tuple[str, ...],
    limit: int | None,
    repeats: int,
    dry_run: bool,
    html: Path | None,
    markdown: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Ask models one above the other the same samples, and hold each against the one before and the first.

    RECIPE is a YAML file with `evalset` and `rungs`; or name them by options. Each rung is an ordinary run: one that is
    there is not made again, and the same command goes on where it was stopped. Shown samples (MODEL+shots:3) come from
    train families alone.
    """
    from workbench.cli.laddering import Wish, climb_and_show, named_rungs
    from workbench.config.ladder_yaml import LadderSpec, load_ladder

    if recipe is None:
        if evalset is None or len(rungs) < 2:
            raise click.UsageError("name a RECIPE, or --evalset and at least two --rung NAME=MODEL")
        spec = LadderSpec(
            evalset=evalset, use=use, rungs=named_rungs(rungs), metric=metric, limit=limit, repeats=repeats, keeps=keeps
        )
    else:
        _refuse_both(ctx)
        spec = load_ladder(recipe)
    wish = Wish(on_gate=on_gate, dry_run=dry_run, html=html, markdown=markdown, as_json=as_json, quiet=quiet)
    ctx.exit(climb_and_show(config_of(ctx), spec, wish))


OF_A_RECIPE = ("evalset", "rungs", "use", "metric", "keeps", "limit", "repeats")


def _refuse_both(ctx: click.Context) -> None:
    """Raise `UsageError` for options that a recipe answers."""
    given = [name for name in OF_A_RECIPE if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        raise click.UsageError(f"RECIPE says it already; leave out {', '.join(given)}")
