"""`workbench synth`: questions, answers, opinions and wordings that models write."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.options import config_of, json_option, quiet_option


@click.group("synth", epilog="Example: workbench synth run questions.yaml --dry-run")
def synth_group() -> None:
    """Let models write questions, answers, opinions and other wordings, for people to confirm."""


@synth_group.command("run", epilog="Example: workbench synth run questions.yaml")
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what it would call and cost at most, and call nothing.")
@click.option("--retry-failed", is_flag=True, help="Ask again what failed before.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), default=None, help="In place of the recipe's.")
@json_option
@quiet_option
@click.pass_context
def run_command(
    ctx: click.Context,
    recipe: Path,
    dry_run: bool,
    retry_failed: bool,
    budget: float | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make what RECIPE says: questions from documents, candidate answers, feedback on them, or paraphrases.

    Every reply is kept at once: after a stop or a kill the same command goes on and pays for nothing twice but what was
    in flight. What is made is marked as synthetic and enters no gate set without a person's label.
    """
    from workbench.cli.synthesising import price_recipe, run_recipe

    if dry_run:
        price_recipe(config_of(ctx), recipe, as_json=as_json)
    else:
        ctx.exit(run_recipe(config_of(ctx), recipe, budget, retry_failed=retry_failed, as_json=as_json, quiet=quiet))
