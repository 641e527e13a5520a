"""`workbench judge`: can a judge be trusted?"""

from __future__ import annotations

import click

from workbench.cli.options import config_of, json_option


@click.group("judge", epilog="Example: workbench judge check --judge correct --gold exact_match")
def judge_group() -> None:
    """Check a judge against gold labels."""


@judge_group.command(
    "check", epilog="Example: workbench judge check --judge correct --gold exact_match --slice format=short"
)
@click.argument("run_id", default="latest")
@click.option("--judge", required=True, help="The judged metric.")
@click.option("--gold", required=True, help="The binary metric that is taken for the truth, such as exact_match.")
@click.option("--slice", "tag", default=None, help="Only samples with this tag, as name=value, such as format=short.")
@json_option
@click.pass_context
def check_command(ctx: click.Context, run_id: str, judge: str, gold: str, tag: str | None, as_json: bool) -> None:
    """Print a judge's accuracy, TPR and TNR on a finished run, against a metric known to be right."""
    from workbench.cli.show import show_judge_check
    from workbench.evaluation.agreement import check_judge
    from workbench.evaluation.run import read_run

    folder = config_of(ctx).home.run(run_id)
    if tag is not None and "=" not in tag:
        raise click.BadParameter(f"{tag!r} is not name=value", param_hint="--slice")
    name, _, value = (tag or "").partition("=")
    result = check_judge(read_run(folder), folder, judge, gold, (name, value) if tag else None)
    if as_json:
        click.echo(result.model_dump_json(indent=2))
    else:
        show_judge_check(result)
