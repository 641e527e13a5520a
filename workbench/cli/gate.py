"""`workbench gate`: decide a release, promote baselines, waive rules."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from workbench.cli.options import config_of, json_option, quiet_option

OPENING = "decide"
FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


class GateGroup(click.Group):
    """A group that decides when no command of it is named: `workbench gate helpcentre` is `workbench gate decide …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [OPENING, *args]
        return super().parse_args(ctx, args)


@click.group("gate", cls=GateGroup, epilog="Example: workbench gate helpcentre --run-missing")
def gate_group() -> None:
    """Decide whether the candidate may be released, and record who overruled what.

    `workbench gate [EVALSETS]…` is short for `workbench gate decide [EVALSETS]…`.
    """


why_option = click.option("--why", required=True, help="The reason; shown in every decision.")


@gate_group.command(OPENING, epilog="Example: workbench gate decide helpcentre --junit gate.xml")
@click.argument("evalsets", nargs=-1)
@click.option("--run", "run_id", default=None, help="Judge the candidate of this run; else that of workbench.yaml.")
@click.option("--baseline", default=None, help="Promoted name, or the whole id of a run; else what the policy names.")
@click.option("--run-missing", is_flag=True, help="First evaluate the candidate where it has no finished run.")
@click.option(
    "--repeats", type=click.IntRange(1, 1000), default=1, show_default=True, help="Answers per sample of such runs."
)
@click.option(
    "--markdown", type=FILE, default=None, help="Also write the decision into this file, to post on a pull request."
)
@click.option("--html", type=FILE, default=None, help="Also write it into this file as one self-contained page.")
@click.option("--junit", type=FILE, default=None, help="Also write it into this file as JUnit XML, for a CI to show.")
@click.option(
    "--page-url", default="", help="Address of the page, for the Markdown's links; else the --html file's name."
)
@json_option
@quiet_option
@click.pass_context
def decide_command(
    ctx: click.Context,
    evalsets: tuple[str, ...],
    run_id: str | None,
    baseline: str | None,
    run_missing: bool,
    repeats: int,
    markdown: Path | None,
    html: Path | None,
    junit: Path | None,
    page_url: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Decide on EVALSETS; without names, on every evalset with samples of use gate.

    Exit codes: 0 every rule holds or is waived · 1 a rule does not · 4 not enough evidence · 2 the policy or
    configuration is wrong · 3 bad data · 5 locked. All finished runs of a candidate are judged together; a second
    look at one model on the same samples is judged at half the level, a third is refused.
    """
    from workbench.cli.gating import Wanted, decide
    from workbench.jobs.gating import Question

    question = Question(evalsets, run_id, baseline)
    wanted = Wanted(markdown, html, junit, as_json, page_url)
    ctx.exit(decide(config_of(ctx), question, wanted, run_missing=repeats if run_missing else None, quiet=quiet))


@gate_group.command("promote", epilog='Example: workbench gate promote latest --why "the release of May"')
@click.argument("run_id")
@click.option("--name", default=None, help="Name of the baseline; else the one that the policy asks for.")
@why_option
@json_option
@click.pass_context
def promote_command(ctx: click.Context, run_id: str, name: str | None, why: str, as_json: bool) -> None:
    """Make the finished gate run RUN_ID the baseline that later candidates are compared with."""
    from workbench.jobs.overruling import promote

    made = promote(config_of(ctx), run_id, name, why, datetime.now(UTC))
    told = f"{made.run} is now the baseline '{made.name}' of {made.evalset} ({made.who}, {made.at}: {made.why})"
    click.echo(made.model_dump_json(indent=2) if as_json else told)


@gate_group.command(
    "waive", epilog='Example: workbench gate waive helpcentre:f1.margin --until 2027-01-31 --why "agreed in review"'
)
@click.argument("rule")
@click.option("--until", required=True, metavar="DATE", help="Last day it holds, YYYY-MM-DD, UTC.")
@why_option
@json_option
@click.pass_context
def waive_command(ctx: click.Context, rule: str, until: str, why: str, as_json: bool) -> None:
    """Let RULE, as a decision names it, not hold until a day. It stays visible in every decision."""
    from workbench.jobs.overruling import waive

    made = waive(config_of(ctx), rule, until, why, datetime.now(UTC))
    told = f"{made.rule} is waived until {made.until} ({made.who}, {made.at}: {made.why})"
    click.echo(made.model_dump_json(indent=2) if as_json else told)


@gate_group.command("unwaive", epilog='Example: workbench gate unwaive helpcentre:f1.margin --why "it holds again"')
@click.argument("rule")
@why_option
@json_option
@click.pass_context
def unwaive_command(ctx: click.Context, rule: str, why: str, as_json: bool) -> None:
    """End the waiver of RULE before its day. The waiver's record stays."""
    from workbench.jobs.overruling import unwaive

    made = unwaive(config_of(ctx), rule, why, datetime.now(UTC))
    told = f"{made.rule} is no longer waived ({made.who}, {made.at}: {made.why})"
    click.echo(made.model_dump_json(indent=2) if as_json else told)
