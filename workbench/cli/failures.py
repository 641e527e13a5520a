"""`workbench failures`: from failing answers to causes, and from causes to better data."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from workbench.cli.options import config_of, json_option, quiet_option

if TYPE_CHECKING:
    from workbench.failures.clusters import By
    from workbench.failures.entries import Target
    from workbench.failures.failure import Wanted

F = TypeVar("F", bound=Callable[..., Any])
FILTERS = ("metric", "below", "slice_", "cause", "error", "human", "text", "coded")
PAGE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


def filters(command: F) -> F:
    """Add the options that say which failures are meant."""
    options = (
        click.option("--metric", default=None, help="Only what this metric finds wrong."),
        click.option("--below", type=float, default=None, help="For a graded --metric: wrong from here on."),
        click.option("--slice", "slice_", default=None, metavar="NAME=VALUE", help="Only samples with this tag."),
        click.option("--cause", default=None, help="Word of a scorer that names causes, such as retrieval_missed."),
        click.option("--error", default=None, help="Kind of error, of the answer or of a score, such as timeout."),
        click.option("--human", type=click.Choice(["fail", "pass", "conflict"]), default=None,
                     help="What people said: failed, passed, or otherwise than the metric (a judge, unless --metric)."),
        click.option("--text", default=None, help="Words that question or answer hold."),
        click.option("--coded/--not-coded", "coded", default=None, help="Only with a note, or without one."),
    )  # fmt: skip

    @wraps(command)
    def filled(*words: Any, **given: Any) -> Any:
        from workbench.failures.failure import Wanted

        said = {name: given.pop(name) for name in FILTERS}
        return command(*words, wanted=Wanted(**{name.rstrip("_"): value for name, value in said.items()}), **given)

    found: Any = filled
    for option in reversed(options):
        found = option(found)
    return found  # type: ignore[no-any-return]


@click.group("failures", epilog="Example: workbench failures find latest --metric correct")
def failures_group() -> None:
    """Find failing answers, group and code them, and send them on to become better data."""


@failures_group.command("find", epilog="Example: workbench failures find latest --cause retrieval_missed -n 20")
@click.argument("run", default="latest")
@filters
@click.option("-n", "size", type=click.IntRange(1), default=10, show_default=True, help="Failures to show.")
@click.option("--start", type=click.IntRange(0), default=0, help="Failures to skip.")
@json_option
@click.pass_context
def find_command(ctx: click.Context, run: str, size: int, start: int, as_json: bool, wanted: Wanted) -> None:
    """Show the failing answers of RUN (an id, its beginning, or `latest`), with what found fault and why.

    Without options: what a metric of 0 and 1 failed, and what has an error.
    """
    from workbench.cli.failing import find_and_show

    find_and_show(config_of(ctx), run, wanted, start, size, as_json=as_json)


@failures_group.command("cluster", epilog="Example: workbench failures cluster latest --by answer --name-with judge")
@click.argument("run", default="latest")
@filters
@click.option("--by", type=click.Choice(["all", "question", "answer", "reason", "note"]), default="all",
              show_default=True, help="What is compared; all: question and answer, note: coders' words.")  # fmt: skip
@click.option("-k", "k", type=click.IntRange(2, 100), default=None, help="Clusters; else as many as fit best.")
@click.option("--embedding", default=None, help="Embedding model, or `words`; else workbench.yaml's, or MiniLM.")
@click.option("--name-with", "namer", default=None, help="Model of workbench.yaml that names the clusters.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), default=None, help="Most money for naming.")
@json_option
@quiet_option
@click.pass_context
def cluster_command(
    ctx: click.Context,
    run: str,
    by: By,
    k: int | None,
    embedding: str | None,
    namer: str | None,
    budget: float | None,
    as_json: bool,
    quiet: bool,
    wanted: Wanted,
) -> None:
    """Put the failures of RUN that are alike together, each group with its words and a typical member.

    A proposal to look at, not a result: people name causes. It is kept, and the coding page shows it.
    """
    from workbench.cli.failing import cluster_and_show
    from workbench.jobs.failures_clusters import Asked

    asked = Asked(by, k, embedding, namer, budget)
    cluster_and_show(config_of(ctx), run, wanted, asked, as_json=as_json, quiet=quiet)


@failures_group.command(
    "code", epilog="Example: workbench failures code latest s17 --tag 'wrong unit' --note 'kg for g'"
)
@click.argument("run", required=False)
@click.argument("sample", required=False)
@click.option("--repeat", type=click.IntRange(0), default=0, help="Number of the answer, from 0.")
@click.option("--note", default="", help="The first thing that went wrong, in your words.")
@click.option("--tag", "tags", multiple=True, help="An open tag, or a code of the taxonomy.")
@click.option("--correction", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default=None,
              help="File with the whole answer as it should have been.")  # fmt: skip
@click.option("--better-than", "worse", default=None, metavar="RUN[#REPEAT]",
              help="This answer is better than that run's to the same sample.")  # fmt: skip
@click.option("--undo", "undone", default=None, metavar="ID", help="Take back a line of the book, by another line.")
@click.option("--by", "who", default=None, help="Your name; else git's and the login name.")
@json_option
@click.pass_context
def code_command(
    ctx: click.Context,
    run: str | None,
    sample: str | None,
    repeat: int,
    note: str,
    tags: tuple[str, ...],
    correction: Path | None,
    worse: str | None,
    undone: str | None,
    who: str | None,
    as_json: bool,
) -> None:
    """Write down what you see in one answer of RUN, or take something back; nothing is ever edited.

    Your later note on the same answer stands for the earlier one; others' notes stay beside it.
    """
    from workbench.cli.failing import Coding, code_and_show

    coding = Coding(run, sample, repeat, note, tags, correction, worse, undone)
    code_and_show(config_of(ctx), coding, who, as_json=as_json)


@failures_group.command("log", epilog="Example: workbench failures log latest")
@click.argument("run", required=False)
@json_option
@click.pass_context
def log_command(ctx: click.Context, run: str | None, as_json: bool) -> None:
    """Show the notes and acts on RUN, or on all runs, and what became of what was sent.

    Labelled, in which dataset, trained on, and whether it passes in the latest later run on the same evalset.
    """
    from workbench.cli.failing import show_log

    show_log(config_of(ctx), run, as_json=as_json)


@failures_group.command("send", epilog="Example: workbench failures send latest review-1 --to argilla --cause invented")
@click.argument("run")
@click.argument("into")
@click.option("--to", "to", type=click.Choice(["argilla", "evalset", "pairs", "conversations"]), required=True,
              help="To annotators, into an evalset, or into rows that are learnt from.")  # fmt: skip
@click.option("--sample", "samples", multiple=True, metavar="ID[#REPEAT]", help="These answers; else the filter's.")
@click.option("--cluster", default=None, metavar="ID:NUMBER", help="Those of a cluster, as failures cluster named it.")
@filters
@click.option("--template", "-t", default="open_coding", show_default=True, help="Labelling template; for argilla.")
@click.option("--use", type=click.Choice(["train", "dev"]), default="train", show_default=True,
              help="Use of stored pairs and conversations.")  # fmt: skip
@click.option("--better", default=None, metavar="RUN", help="Where this run's answer passes, it is the chosen one.")
@click.option("--scorer", default=None, help="Scorer that decides between the runs, or whose verdict is shown.")
@click.option("--why", default="", help="Why, for the book.")
@click.option("--by", "who", default=None, help="Your name; else git's and the login name.")
@json_option
@click.pass_context
def send_command(
    ctx: click.Context,
    run: str,
    into: str,
    to: Target,
    samples: tuple[str, ...],
    cluster: str | None,
    template: str,
    use: Literal["train", "dev"],
    better: str | None,
    scorer: str | None,
    why: str,
    who: str | None,
    as_json: bool,
    wanted: Wanted,
) -> None:
    """Send failures of RUN on: to annotators, or to an evalset or stored dataset called INTO.

    Pairs and conversations are made of corrections and picks (failures code), and of --better. Failures of a gate set
    may only go to annotators. Each act is written down; `failures log` tells what became of it.
    """
    from workbench.cli.failing import Choice, send_and_show
    from workbench.jobs.failures_sending import Sending

    chosen = Choice(run, samples, cluster, wanted)
    sending = Sending(to, into, (), who or "", why, template, use, better, scorer)
    send_and_show(config_of(ctx), chosen, sending, as_json=as_json)


@failures_group.command(
    "taxonomy", epilog="Example: workbench failures taxonomy --from taxonomy.yaml --why 'first codes'"
)
@click.option("--run", "runs", multiple=True, help="Count notes on these runs only.")
@click.option("--from", "file", type=click.Path(dir_okay=False, path_type=Path), default=None,
              help="Save this YAML file as the next version.")  # fmt: skip
@click.option("--why", default="", help="What changed, for the book.")
@click.option("-o", "--export", "out", type=PAGE, default=None, help="Write the YAML file, here or to `-`.")
@click.option("--by", "who", default=None, help="Your name; else git's and the login name.")
@json_option
@click.pass_context
def taxonomy_command(
    ctx: click.Context,
    runs: tuple[str, ...],
    file: Path | None,
    why: str,
    out: Path | None,
    who: str | None,
    as_json: bool,
) -> None:
    """Show the codes ranked by frequency and severity, whether new ones still appear, and whether coders agree.

    Saving writes a line into the book and the YAML file that labelling templates read (`labelling.taxonomy`).
    """
    from workbench.cli.failing import taxonomy_and_show

    taxonomy_and_show(config_of(ctx), runs, file, why, out, who, as_json=as_json)
