"""`workbench pairs build | lint | balance`: what was said becomes what is learnt from, and is looked at first."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from workbench.cli.options import config_of, json_option
from workbench.cli.report import FILE
from workbench.datasets import Use

LEARNT = ("train", "dev")
POLICY = {"conflicts": ("adjudicated", "majority", "unanimous"), "rankings": ("all", "neighbours", "ends")}
TOKENS = click.option("--max-tokens", type=click.IntRange(1), default=4096, show_default=True,
                      help="Most tokens of a prompt with one answer.")  # fmt: skip
TOKENIZER = click.option("--tokenizer", type=click.Path(path_type=Path, exists=True, file_okay=False), default=None,
                         help="Folder with a tokenizer.json; else the candidate's, else an estimate.")  # fmt: skip


@click.group("pairs", epilog="Example: workbench pairs build answers --labels review-1 --use train")
def pairs_group() -> None:
    """Build preference pairs and conversations from what people and judges said, and find what is wrong with them."""


@pairs_group.command("build", epilog="Example: workbench pairs build answers --labels review-1 --run latest --use dev")
@click.argument("name")
@click.option("--labels", multiple=True, help="Labelling dataset whose labels were pulled; several may be given.")
@click.option("--feedback", multiple=True, help="Labelling dataset whose suggestions by models count: AI feedback.")
@click.option("--from", "datasets", multiple=True, help="Stored set of pairs, or of conversations with thumbs.")
@click.option("--run", "runs", multiple=True, help="Finished run: what passed is chosen over what failed.")
@click.option("--picks", is_flag=True, help="What people picked side by side, blinded, on the dashboards.")
@click.option("--scorer", default=None, help="Scorer of the runs that decides; else the only one of 0 and 1.")
@click.option("--use", type=click.Choice(LEARNT), default="train", show_default=True, help="What the set is for.")
@click.option("--kind", type=click.Choice(("pairs", "conversations")), default="pairs", show_default=True,
              help="Conversations are made of accepted, edited and corrected answers.")  # fmt: skip
@click.option("--policy", type=click.Path(path_type=Path), default=None, help="YAML file of rules; flags go before it.")
@click.option("--conflicts", type=click.Choice(POLICY["conflicts"]), default=None, help="How votes become one.")
@click.option("--rankings", type=click.Choice(POLICY["rankings"]), default=None, help="Which pairs a ranking makes.")
@click.option("--min-votes", type=click.IntRange(1), default=None, help="Votes that a comparison needs.")
@click.option("--min-margin", type=click.FloatRange(0), default=None, help="Least difference of ratings or scores.")
@click.option("--per-prompt", type=click.IntRange(1), default=None, help="Most pairs of one prompt.")
@click.option("--guideline", default=None, help="The guideline version whose labels count, such as preference/2.")
@click.option("--tuned", default=None, help="The model that is to be tuned: tells which pairs are on-policy.")
@click.option("--drop-leaks", is_flag=True, help="Drop what a gate set knows, instead of refusing the build.")
@click.option("--by", default=None, help="Who asks for it, for the manifest; else git's user name.")
@json_option
@click.pass_context
def build_command(
    ctx: click.Context,
    name: str,
    labels: tuple[str, ...],
    feedback: tuple[str, ...],
    datasets: tuple[str, ...],
    runs: tuple[str, ...],
    picks: bool,
    scorer: str | None,
    use: Use,
    kind: Literal["pairs", "conversations"],
    policy: Path | None,
    conflicts: str | None,
    rankings: str | None,
    min_votes: int | None,
    min_margin: float | None,
    per_prompt: int | None,
    guideline: str | None,
    tuned: str | None,
    drop_leaks: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Build a set of pairs or conversations, stored as one more version of NAME.

    Ties, conflicts, pairs of two bad answers, duplicates, contradictions and circles are left out and counted. What a
    gate set knows is refused.
    """
    from workbench.cli.pairing import build_and_show, policy_of
    from workbench.jobs.acting import who
    from workbench.jobs.pairs import Building, Sources

    flags = {"conflicts": conflicts, "rankings": rankings, "min_votes": min_votes, "min_margin": min_margin,
             "per_prompt": per_prompt, "guideline": guideline, "tuned": tuned,
             "leaks": "drop" if drop_leaks else None}  # fmt: skip
    sources = Sources(labels, feedback, datasets, runs, scorer, picks=picks)
    wanted = Building(name, use, kind, sources, policy_of(policy, flags), by or who())
    build_and_show(config_of(ctx), wanted, as_json=as_json)


@pairs_group.command("lint", epilog="Example: workbench pairs lint answers --html card.html")
@click.argument("name")
@TOKENS
@TOKENIZER
@click.option("--accept", multiple=True, metavar="KIND", help="A kind of flaw that may be: it is told, and blocks not.")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--html", type=FILE, default=None, help="Write the score card as one HTML page that loads nothing.")
@click.option("--markdown", type=FILE, default=None, help="Write it as Markdown.")
@json_option
@click.pass_context
def lint_command(
    ctx: click.Context,
    name: str,
    max_tokens: int,
    tokenizer: Path | None,
    accept: tuple[str, ...],
    strict: bool,
    html: Path | None,
    markdown: Path | None,
    as_json: bool,
) -> None:
    """Look for the flaws of a stored set of pairs or conversations.

    NAME is a dataset's name as `data ls` tells it, NAME@FINGERPRINT for an older version, or a folder. Exit code 1 when
    a flaw blocks: the set should not be trained on as it is.
    """
    from workbench.cli.pairing import lint_and_show
    from workbench.jobs.pairs_linting import LintWish

    wish = LintWish(max_tokens, tokenizer, accept)
    if lint_and_show(config_of(ctx), name, wish, (html, markdown), strict=strict, as_json=as_json):
        ctx.exit(1)


@pairs_group.command("balance", epilog="Example: workbench pairs balance answers --as answers-balanced")
@click.argument("name")
@click.option("--as", "name_as", default=None, help="Store it under this name; else as one more version of NAME.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the lot.")
@TOKENS
@TOKENIZER
@json_option
@click.pass_context
def balance_command(
    ctx: click.Context,
    name: str,
    name_as: str | None,
    seed: int,
    max_tokens: int,
    tokenizer: Path | None,
    as_json: bool,
) -> None:
    """Store a length-matched part of a set of pairs, in which length no longer tells which side was chosen.

    Among pairs whose sides differ in length by as much, as many are kept where the longer side was chosen as where the
    shorter one was.
    """
    from workbench.cli.pairing import balance_and_show
    from workbench.jobs.pairs_linting import LintWish

    balance_and_show(config_of(ctx), name, name_as, seed, LintWish(max_tokens, tokenizer), as_json=as_json)
