"""`workbench train`: plan, tune, sweep and resume."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.options import config_of, json_option, quiet_option

recipe_argument = click.argument("recipe", type=click.Path(path_type=Path))


@click.group("train", epilog="Example: workbench train plan recipe.yaml --on t4")
def train_group() -> None:
    """Tune a base model on curated data: plan it, run it, resume it."""


@train_group.command("plan", epilog="Example: workbench train plan recipe.yaml --on rtx4090")
@recipe_argument
@click.option("--on", "hardware", default="cpu", show_default=True, help="cpu, t4, l4, rtx4090, a100, h100, …")
@click.option("--memory", type=click.FloatRange(min=0, min_open=True), default=None, help="Its memory in GB.")
@json_option
@click.pass_context
def plan_command(ctx: click.Context, recipe: Path, hardware: str, memory: float | None, as_json: bool) -> None:
    """Say what RECIPE would take: memory by part, steps, time, energy and CO2; and what to change if it does not fit.

    Reads the model's config and tokenizer, and the dataset; neither weights nor torch. Ends with 1 where it does not
    fit.
    """
    from workbench.cli.training import show_plan

    ctx.exit(show_plan(config_of(ctx), recipe, hardware, memory, as_json=as_json))


@train_group.command("sft", epilog="Example: workbench train sft recipe.yaml")
@recipe_argument
@json_option
@quiet_option
@click.pass_context
def sft_command(ctx: click.Context, recipe: Path, as_json: bool, quiet: bool) -> None:
    """Tune on conversations, as RECIPE says: the assistant's turns become likelier.

    Ctrl-C and SIGTERM save a checkpoint first; a second one ends at once. Go on with `workbench train resume`.
    """
    from workbench.cli.training import run_recipe

    ctx.exit(run_recipe(config_of(ctx), recipe, "sft", as_json=as_json, quiet=quiet))


@train_group.command("dpo", epilog="Example: workbench train dpo recipe.yaml")
@recipe_argument
@json_option
@quiet_option
@click.pass_context
def dpo_command(ctx: click.Context, recipe: Path, as_json: bool, quiet: bool) -> None:
    """Tune on preference pairs, as RECIPE says: the chosen answers become likelier than the rejected ones.

    The reference is the base, or base and adapter where the recipe has `start`. Its log-probabilities are computed
    once and kept for other runs.
    """
    from workbench.cli.training import run_recipe

    ctx.exit(run_recipe(config_of(ctx), recipe, "dpo", as_json=as_json, quiet=quiet))


@train_group.command("kto", epilog="Example: workbench train kto recipe.yaml")
@recipe_argument
@json_option
@quiet_option
@click.pass_context
def kto_command(ctx: click.Context, recipe: Path, as_json: bool, quiet: bool) -> None:
    """Tune on answers that got a thumb, as RECIPE says: conversations with `good`, one answer each.

    The reference is the base, or base and adapter where the recipe has `start`.
    """
    from workbench.cli.training import run_recipe

    ctx.exit(run_recipe(config_of(ctx), recipe, "kto", as_json=as_json, quiet=quiet))


@train_group.command("orpo", epilog="Example: workbench train orpo recipe.yaml")
@recipe_argument
@json_option
@quiet_option
@click.pass_context
def orpo_command(ctx: click.Context, recipe: Path, as_json: bool, quiet: bool) -> None:
    """Tune on preference pairs without a reference, as RECIPE says; TRL has this method among its experiments."""
    from workbench.cli.training import run_recipe

    ctx.exit(run_recipe(config_of(ctx), recipe, "orpo", as_json=as_json, quiet=quiet))


@train_group.command("sweep", epilog="Example: workbench train sweep sweep.yaml")
@click.argument("sweep", type=click.Path(path_type=Path))
@json_option
@quiet_option
@click.pass_context
def sweep_command(ctx: click.Context, sweep: Path, as_json: bool, quiet: bool) -> None:
    """Try ranks and learning rates of a recipe, as SWEEP says: choose on dev, confirm on samples that chose nothing.

    Every trial is an ordinary training run and evaluation. The same command goes on where it was stopped.
    """
    from workbench.cli.sweeping import sweep_and_show

    ctx.exit(sweep_and_show(config_of(ctx), sweep, as_json=as_json, quiet=quiet))


@train_group.command("resume", epilog="Example: workbench train resume latest")
@click.argument("run_id", default="latest")
@json_option
@quiet_option
@click.pass_context
def resume_command(ctx: click.Context, run_id: str, as_json: bool, quiet: bool) -> None:
    """Go on with the unfinished run RUN_ID, or the latest one, from its last complete checkpoint.

    Refused where recipe, rows, base, adapter or chat template are no longer what it was begun with.
    """
    from workbench.cli.training import resume_run

    ctx.exit(resume_run(config_of(ctx), run_id, as_json=as_json, quiet=quiet))


@train_group.command("ls", epilog="Example: workbench train ls --json")
@json_option
@click.pass_context
def ls_command(ctx: click.Context, as_json: bool) -> None:
    """List all training runs, newest last."""
    from workbench.cli.training import list_runs

    list_runs(config_of(ctx), as_json=as_json)
