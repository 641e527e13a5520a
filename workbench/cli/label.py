"""`workbench label`: put records before annotators, and get their labels back."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.label_quality import agreement_command, next_command
from workbench.cli.options import config_of, json_option, quiet_option
from workbench.datasets import USES, Use


@click.group(
    "label", epilog="Example: workbench label push helpcentre-review --template rag_review --run latest --failed"
)
def label_group() -> None:
    """Put records before annotators in Argilla, and get their labels back."""


@label_group.command(
    "push", epilog="Example: workbench label push review-1 --template rag_review --from failures.jsonl"
)
@click.argument("dataset")
@click.option("--template", "-t", required=True, help="Template: built in, or the project's own; see label templates.")
@click.option("--from", "file", type=click.Path(path_type=Path), default=None, help="JSONL or Parquet file of records.")
@click.option("--run", "run_id", default=None, help="Answers of a finished run; an id, its beginning, or `latest`.")
@click.option("--failed", is_flag=True, help="Of the run only answers that a pass/fail scorer failed.")
@click.option("--judge", default=None, help="Scorer of the run whose verdict and reason are shown or suggested.")
@click.option("--evalset", default=None, help="Samples of an evalset, without answers: for the template sample_review.")
@click.option("--use", type=click.Choice(USES), default="dev", show_default=True, help="Side of the evalset.")
@click.option("--overlap", type=click.IntRange(1, 1000), default=None, help="Answers a record; else the template's.")
@click.option("--suggestions/--no-suggestions", default=True, help="Off: annotators see no model's opinion.")
@click.option("--seed", default=None, help="Seed of the order of blinded candidates; else the dataset's name.")
@json_option
@quiet_option
@click.pass_context
def push_command(
    ctx: click.Context,
    dataset: str,
    template: str,
    file: Path | None,
    run_id: str | None,
    failed: bool,
    judge: str | None,
    evalset: str | None,
    use: Use,
    overlap: int | None,
    suggestions: bool,
    seed: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Push records into an Argilla DATASET, which is made if it is not there.

    Records are known by their id: pushing again, also after a kill, adds nothing twice. A record that changed is
    updated unless somebody has answered it.
    """
    from workbench.cli.labelling import Origin, push
    from workbench.jobs.labelling import Wish

    origin = Origin(file, run_id, failed, judge, evalset, use)
    wish = Wish(dataset, template, origin.named(), overlap, suggestions, seed)
    push(config_of(ctx), origin, wish, as_json=as_json, quiet=quiet)


@label_group.command("pull", epilog="Example: workbench label pull review-1")
@click.argument("dataset")
@click.option(
    "--resolve",
    "policies",
    default=None,
    help="Also resolve conflicts: of adjudicated, unanimous, majority, weighted some, by comma.",
)
@click.option("--weight", "weights", multiple=True, metavar="NAME=N", help="An annotator's weight, for weighted.")
@json_option
@quiet_option
@click.pass_context
def pull_command(
    ctx: click.Context, dataset: str, policies: str | None, weights: tuple[str, ...], as_json: bool, quiet: bool
) -> None:
    """Store what the server holds of DATASET at this moment, as tables that never change.

    Submitted answers only, the latest of each annotator; drafts and discarded records are counted. People may go on
    labelling meanwhile; what cannot be read as of one moment is an error.
    """
    from workbench.cli.labelling import pull

    pull(config_of(ctx), dataset, policies, weights, as_json=as_json, quiet=quiet)


@label_group.command("adjudicate", epilog="Example: workbench label adjudicate review-1")
@click.argument("dataset")
@json_option
@quiet_option
@click.pass_context
def adjudicate_command(ctx: click.Context, dataset: str, as_json: bool, quiet: bool) -> None:
    """Put the records of DATASET on which people differ into a queue, DATASET-adjudication.

    The queue shows the answers without names and asks for a decision and its reason. What was decided comes with
    `workbench label pull DATASET --resolve adjudicated,majority`. Type it again when there are more answers.
    """
    from workbench.cli.labelling import adjudicate

    adjudicate(config_of(ctx), dataset, as_json=as_json, quiet=quiet)


@label_group.command("progress", epilog="Example: workbench label progress review-1")
@click.argument("dataset")
@json_option
@click.pass_context
def progress_command(ctx: click.Context, dataset: str, as_json: bool) -> None:
    """Say how far DATASET is, and each annotator."""
    from workbench.cli.labelling import progress

    progress(config_of(ctx), dataset, as_json=as_json)


@label_group.command("ls", epilog="Example: workbench label ls")
@json_option
@click.pass_context
def list_command(ctx: click.Context, as_json: bool) -> None:
    """List the workspace's datasets."""
    from workbench.cli.labelling import datasets

    datasets(config_of(ctx), as_json=as_json)


@label_group.command("templates", epilog="Example: workbench label templates")
@json_option
@click.pass_context
def templates_command(ctx: click.Context, as_json: bool) -> None:
    """List the templates; each is read and checked."""
    from workbench.cli.labelling import templates

    templates(config_of(ctx), as_json=as_json)


label_group.add_command(agreement_command)
label_group.add_command(next_command)
