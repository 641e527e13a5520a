"""`workbench eval`: run, resume, rescore, show, list, compare."""

from __future__ import annotations

import json

import click

from workbench.cli.compare import compare_command
from workbench.cli.options import config_of, json_option, quiet_option
from workbench.cli.report import report_command
from workbench.datasets import USES, Use


@click.group("eval")
def eval_group() -> None:
    """Run evaluations, resume, rescore, show and compare them."""


@eval_group.command("run")
@click.argument("evalsets", nargs=-1)
@click.option(
    "--use", type=click.Choice(USES), default="dev", show_default=True, help="Side of the firewall to evaluate on."
)
@click.option("--model", default=None, help="Model of workbench.yaml to evaluate; else its `candidate`.")
@click.option(
    "--limit", type=click.IntRange(1, 10**9), default=None, help="Only so many samples, chosen by a stable hash."
)
@click.option("--repeats", type=click.IntRange(1, 1000), default=1, show_default=True, help="Answers per sample.")
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), default=None, help="Stop, resumable, after so much money."
)
@click.option("--dry-run", is_flag=True, help="Say what would be called and what it would cost, and call nothing.")
@click.option("--new", is_flag=True, help="Start anew even if an unfinished run of the same spec could be resumed.")
@json_option
@quiet_option
@click.pass_context
def run_command(
    ctx: click.Context,
    evalsets: tuple[str, ...],
    use: Use,
    model: str | None,
    limit: int | None,
    repeats: int,
    budget: float | None,
    dry_run: bool,
    new: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Evaluate a model on EVALSETS; without names, on every evalset that has the asked use.

    An unfinished run of the same spec is taken up where it stopped; only what was in flight is asked again.
    """
    from workbench.cli.running import price_evalsets, run_evalsets
    from workbench.jobs.planning import Asked

    bench = config_of(ctx)
    asked = Asked("", use, model or bench.candidate(), limit, repeats, budget)
    if dry_run:
        price_evalsets(bench, evalsets, asked, as_json)
    else:
        ctx.exit(run_evalsets(bench, evalsets, asked, fresh=new, as_json=as_json, quiet=quiet))


@eval_group.command("resume")
@click.argument("run_id", default="latest")
@click.option("--retry-failed", is_flag=True, help="Ask again where the answer, or a judge's verdict, failed.")
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), default=None, help="A new budget for the whole run."
)
@json_option
@quiet_option
@click.pass_context
def resume_command(
    ctx: click.Context, run_id: str, retry_failed: bool, budget: float | None, as_json: bool, quiet: bool
) -> None:
    """Go on with a run that was stopped. Refuses when rows, model, judge, scorer or seed changed since it began."""
    from workbench.cli.running import resume

    ctx.exit(resume(config_of(ctx), run_id, retry_failed=retry_failed, budget=budget, as_json=as_json, quiet=quiet))


@eval_group.command("rescore")
@click.argument("run_id", default="latest")
@click.option("--retry-failed", is_flag=True, help="Ask again where the answer, or a judge's verdict, failed.")
@json_option
@quiet_option
@click.pass_context
def rescore_command(ctx: click.Context, run_id: str, retry_failed: bool, as_json: bool, quiet: bool) -> None:
    """Score a finished run's answers with the evalset's scorers as they are now.

    Nothing is generated, unless failures are retried. Scores of unchanged scorers are kept;
    new and changed ones are made. The result is a new run that names the old one as its parent.
    """
    from workbench.cli.running import rescore

    ctx.exit(rescore(config_of(ctx), run_id, retry_failed=retry_failed, as_json=as_json, quiet=quiet))


@eval_group.command("show")
@click.argument("run_id", default="latest")
@click.option(
    "--worst", type=click.IntRange(0, 100), default=3, show_default=True, help="Lowest samples to show per metric."
)
@json_option
@click.pass_context
def show_command(ctx: click.Context, run_id: str, worst: int, as_json: bool) -> None:
    """Show a finished run. RUN_ID may be a unique beginning or ending of an id, or `latest`."""
    from workbench.cli.show import show_run
    from workbench.evaluation.run import read_run

    folder = config_of(ctx).home.run(run_id)
    result = read_run(folder)
    if as_json:
        click.echo(result.model_dump_json(indent=2))
    else:
        show_run(result, folder, worst)


@eval_group.command("list")
@json_option
@click.pass_context
def list_command(ctx: click.Context, as_json: bool) -> None:
    """List all runs, newest last."""
    from workbench.cli.show import grid
    from workbench.evaluation.catalogue import catalogue

    home = config_of(ctx).home
    entries = catalogue(home)
    if as_json:
        click.echo(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=2))
    elif not entries:
        click.echo(f"No runs in {home.runs} yet; start one with: workbench eval run")
    else:
        grid(("run", "state", "model", "n", "metrics"), [e.cells() for e in entries])


eval_group.add_command(compare_command)
eval_group.add_command(report_command)
