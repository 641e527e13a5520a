"""`workbench eval`: run, rescore, show, ls, compare, report, ladder."""

from __future__ import annotations

import json

import click
from click.core import ParameterSource

from workbench.cli.compare import compare_command
from workbench.cli.ladder import ladder_command
from workbench.cli.options import config_of, json_option, quiet_option
from workbench.cli.report import report_command
from workbench.datasets import USES, Use


@click.group("eval", epilog="Example: workbench eval run")
def eval_group() -> None:
    """Run evaluations, rescore, show and compare them."""


@eval_group.command("run", epilog="Example: workbench eval run helpcentre --limit 20 --dry-run")
@click.argument("evalsets", nargs=-1)
@click.option(
    "--use", type=click.Choice(USES), default="dev", show_default=True, help="Side of the firewall to evaluate on."
)
@click.option("--model", default=None, help="Model to evaluate; else the evalset's own `model`, or the candidate.")
@click.option(
    "--limit", type=click.IntRange(1, 10**9), default=None, help="Only so many samples, chosen by a stable hash."
)
@click.option("--repeats", type=click.IntRange(1, 1000), default=1, show_default=True, help="Answers per sample.")
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), default=None, help="Stop, resumable, after so much money."
)
@click.option("--dry-run", is_flag=True, help="Say what would be called and what it would cost, and call nothing.")
@click.option("--new", is_flag=True, help="Start anew even if what was asked before could be gone on with.")
@click.option(
    "--resume", metavar="RUN", default=None, help="Go on with this unfinished run, or the `latest`, as it was asked."
)
@click.option(
    "--retry-failed", is_flag=True, help="With --resume: ask again where the answer, or a judge's verdict, failed."
)
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
    resume: str | None,
    retry_failed: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Evaluate a model on EVALSETS; without names, on every evalset that has the asked use.

    The same command goes on where it was stopped: only what was in flight is asked again, and an evalset that was
    finished is not run twice. With --resume a run is named instead; it is refused when rows, model, judge, scorer or
    seed changed since it began.
    """
    from workbench.cli.running import go_on, price_evalsets, run_evalsets
    from workbench.jobs.planning import Asked

    _refuse_what_resuming_has_no_use_for(ctx)
    bench = config_of(ctx)
    if resume is not None:
        ctx.exit(go_on(bench, resume, retry_failed=retry_failed, budget=budget, as_json=as_json, quiet=quiet))
    asked = Asked("", use, model or "", limit, repeats, budget)
    if dry_run:
        price_evalsets(bench, evalsets, asked, as_json)
    else:
        ctx.exit(run_evalsets(bench, evalsets, asked, fresh=new, as_json=as_json, quiet=quiet))


WITH_RESUME = frozenset({"resume", "retry_failed", "budget", "as_json", "quiet"})


def _refuse_what_resuming_has_no_use_for(ctx: click.Context) -> None:
    """Raise `UsageError` for words that an unfinished run has settled already, or that need one."""
    given = [
        p for p in ctx.command.params if ctx.get_parameter_source(str(p.name)) is ParameterSource.COMMANDLINE
        and ctx.params[str(p.name)] != ()
    ]  # fmt: skip
    if ctx.params["resume"] is None:
        if ctx.params["retry_failed"]:
            raise click.UsageError("--retry-failed needs --resume RUN; for a finished run: workbench eval rescore")
    elif extra := [
        p.opts[0] if isinstance(p, click.Option) else "EVALSETS" for p in given if p.name not in WITH_RESUME
    ]:
        raise click.UsageError(f"--resume goes on with what was asked then; leave out {', '.join(extra)}")


@eval_group.command("rescore", epilog="Example: workbench eval rescore latest --retry-failed")
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


@eval_group.command("show", epilog="Example: workbench eval show latest --sample refunds-12")
@click.argument("run_id", default="latest")
@click.option(
    "--worst", type=click.IntRange(0, 100), default=3, show_default=True, help="Lowest samples to show per metric."
)
@click.option("--sample", metavar="ID", default=None, help="One sample with everything about it, passing or not.")
@json_option
@click.pass_context
def show_command(ctx: click.Context, run_id: str, worst: int, sample: str | None, as_json: bool) -> None:
    """Show a finished run. RUN_ID may be a unique beginning or ending of an id, or `latest`."""
    bench = config_of(ctx)
    folder = bench.home.run(run_id)
    if sample is not None:
        from workbench.cli.show_sample import show_sample
        from workbench.evaluation.one_sample import one_sample

        found = one_sample(folder, sample)
        click.echo(found.model_dump_json(indent=2)) if as_json else show_sample(found)
        return
    from workbench.cli.running import show_runs
    from workbench.evaluation.run import read_run

    show_runs(bench, [(folder, read_run(folder))], as_json, worst)


@eval_group.command("ls", epilog="Example: workbench eval ls --json")
@json_option
@click.pass_context
def ls_command(ctx: click.Context, as_json: bool) -> None:
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
eval_group.add_command(ladder_command)
