"""`workbench judge`: can a judge be trusted?"""

from __future__ import annotations

import click

from workbench.cli.judge_training import train_group
from workbench.cli.options import config_of, json_option


@click.group("judge", epilog="Example: workbench judge calibrate latest --judge correct")
def judge_group() -> None:
    """Measure judges against people, and correct what they say by their measured error."""


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


@judge_group.command("calibrate", epilog="Example: workbench judge calibrate latest --judge correct --test")
@click.argument("run_ids", metavar="[RUN]...", nargs=-1)
@click.option("--judge", "metric", required=True, help="The judged metric, of pass and fail.")
@click.option("--test", "open_test", is_flag=True, help="Open the test part: it is used once, and written down.")
@click.option("--every", is_flag=True, help="Count answers that were picked for what they are; rates may be off.")
@click.option("--pass-from", type=float, default=None, help="Value from which a metric that is not 0 or 1 passes.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the lot, as label next had it.")
@json_option
@click.pass_context
def calibrate_command(
    ctx: click.Context, run_ids: tuple[str, ...], metric: str, open_test: bool, every: bool, pass_from: float | None,
    seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Measure a judge against what people said of the answers of finished runs (latest by default).

    Labelled families are divided once, by a hash: 15 % for few-shot examples, 42.5 % to work on, 42.5 % for the test.
    Without --test only the part to work on is looked at. The test part, once opened, corrects the judge's pass rates in
    tables, reports and gates, until its rubric, prompt or model changes; another version of the judge needs new labels.
    """
    from workbench.cli.judging import show_calibration
    from workbench.jobs.calibrating import Asked, calibrate_judge

    found = calibrate_judge(config_of(ctx), run_ids or ("latest",), Asked(metric, open_test, every, seed, pass_from))
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show_calibration(found)


@judge_group.command("ls", epilog="Example: workbench judge ls --attacks")
@click.option("--attacks", "of_attacks", is_flag=True, help="List the attacks instead.")
@json_option
@click.pass_context
def ls_command(ctx: click.Context, of_attacks: bool, as_json: bool) -> None:
    """List the calibrations whose test part was opened, or the attacks: rates, labels, when and by whom."""
    from workbench.calibration.attack_book import attacks
    from workbench.calibration.book import calibrations
    from workbench.cli.judging import show_attacks, show_calibrations

    home = config_of(ctx).home.root
    if as_json:
        found = attacks(home).records() if of_attacks else calibrations(home).records()
        click.echo(f"[{','.join(c.model_dump_json() for c in found)}]")
    elif of_attacks:
        show_attacks(attacks(home).records())
    else:
        show_calibrations(calibrations(home).records())


@judge_group.command("correct", epilog="Example: workbench judge correct latest")
@click.argument("run_id", metavar="[RUN]", default="latest")
@json_option
@click.pass_context
def correct_command(ctx: click.Context, run_id: str, as_json: bool) -> None:
    """Print a run's judged pass rates, corrected by the calibration that holds for each judge."""
    from workbench.cli.judging import show_corrected

    show_corrected(config_of(ctx), run_id, as_json=as_json)


@judge_group.command("attack", epilog="Example: workbench judge attack latest --judge correct --gold exact_match")
@click.argument("run_id", metavar="[RUN]", default="latest")
@click.option("--judge", "metric", required=True, help="The judged metric.")
@click.option("--gold", default="", help="The binary metric that says which answers are wrong; else people's verdicts.")
@click.option("--made", is_flag=True, help="Make wrong answers: right ones to other questions of the run.")
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True, help="Wrong answers.")
@click.option("--family", "families", multiple=True, help="Only this family of attacks; may be given several times.")
@click.option("--pass-from", type=float, default=None, help="Value from which a metric that is not 0 or 1 passes.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which answers, and which variants.")
@click.option("--control/--no-control", default=True, show_default=True, help="Try harmless words in their place too.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), default=None, help="Money after which it stops.")
@json_option
@click.pass_context
def attack_command(
    ctx: click.Context, run_id: str, metric: str, gold: str, made: bool, limit: int, families: tuple[str, ...],
    pass_from: float | None, seed: int, control: bool, budget: float | None, as_json: bool,
) -> None:  # fmt: skip
    """Try to make a judge pass wrong answers of a finished run: a dozen families of injections, a rate each.

    Beside each rate stands that of the same wrong answers without the attack, that with harmless words as long in its
    place, and how many right answers these words make fail. What was found is written down in the home and listed by
    `judge ls --attacks`.
    """
    from workbench.cli.judging import attack_and_show
    from workbench.jobs.attacking import AttackAsked

    asked = AttackAsked(metric, gold, made, limit, seed, pass_from, families, control, budget)
    attack_and_show(config_of(ctx), run_id, asked, as_json=as_json)


judge_group.add_command(train_group)
