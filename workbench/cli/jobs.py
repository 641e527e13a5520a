"""`workbench jobs`: ls, logs, cancel."""

from __future__ import annotations

import json

import click

from workbench.cli.options import config_of, json_option

job_argument = click.argument("job_id", default="latest")


@click.group("jobs", epilog="Example: workbench jobs ls")
def jobs_group() -> None:
    """See, follow and stop what the pages started. A job outlives the page, the browser and the server."""


@jobs_group.command("ls", epilog="Example: workbench jobs ls --json")
@json_option
@click.pass_context
def ls_command(ctx: click.Context, as_json: bool) -> None:
    """List all jobs, newest first."""
    from workbench.cli.show import grid
    from workbench.jobs.background import jobs

    home = config_of(ctx).home
    found = jobs(home)
    if as_json:
        click.echo(json.dumps([job.model_dump(mode="json") for job in found], indent=2))
    elif not found:
        click.echo(f"No jobs in {home.root / 'jobs'}; they are started from the pages: workbench dashboards")
    else:
        rows = [
            (j.id, j.state, "" if j.code is None else str(j.code), j.command.by, " ".join(j.command.argv))
            for j in found
        ]
        grid(("job", "state", "code", "by", "command"), rows)


@jobs_group.command("logs", epilog="Example: workbench jobs logs latest -f")
@job_argument
@click.option("-f", "--follow", is_flag=True, help="Go on until the job ends.")
@json_option
@click.pass_context
def logs_command(ctx: click.Context, job_id: str, follow: bool, as_json: bool) -> None:
    """Show what a job said. JOB_ID may be `latest`."""
    from workbench.cli.following import follow_log
    from workbench.jobs.background import job, log

    home = config_of(ctx).home
    found = job(home, job_id)
    if as_json:
        click.echo(json.dumps({**found.model_dump(mode="json"), "log": log(found)}, indent=2))
    else:
        follow_log(home, found, follow)


@jobs_group.command("cancel", epilog="Example: workbench jobs cancel latest")
@job_argument
@json_option
@click.pass_context
def cancel_command(ctx: click.Context, job_id: str, as_json: bool) -> None:
    """Ask a job to stop: work under way ends and is kept. Again: at once. A third time: it is killed."""
    from workbench.jobs.acting import who
    from workbench.jobs.background import cancel, job

    home = config_of(ctx).home
    found = job(home, job_id)
    cancel(found, who())
    now = job(home, found.id)
    click.echo(now.model_dump_json(indent=2) if as_json else f"{now.id}: {now.state}")
