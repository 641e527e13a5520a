"""`workbench label agreement | next`: can the labels be trusted, and which to make next."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import get_args

import click

from workbench.cli.options import config_of, json_option
from workbench.errors import ConfigError, Problem
from workbench.labelling.next import Wanted, Way

WAYS: tuple[str, ...] = get_args(Way)


@click.command("agreement", epilog="Example: workbench label agreement review-1")
@click.argument("dataset")
@json_option
@click.pass_context
def agreement_command(ctx: click.Context, dataset: str, as_json: bool) -> None:
    """Say how far the annotators of a pulled DATASET agree, and what its labels may be used for.

    By question and guideline version: Krippendorff's alpha (below .4 repair the guideline, from .7 it may anchor a
    gate), by slice, by pair of annotators, and each against the adjudicated answers.
    """
    from workbench.cli.labelling_quality import show_agreement

    show_agreement(config_of(ctx), dataset, as_json=as_json)


@click.command(
    "next", epilog="Example: workbench label next --run latest -n 40 --mix random=1,uncertain=1 -o next.jsonl"
)
@click.option("--run", "run_id", default="latest", show_default=True, help="Finished run whose answers are labelled.")
@click.option("-n", "n", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="Records to pick.")
@click.option("--mix", default="random=2,uncertain=1", show_default=True, help=f"Parts by way: {', '.join(WAYS)}.")
@click.option("--slice", "tag", default=None, help="For slice: the tag whose values are labelled evenly.")
@click.option("--metric", default=None, help="For threshold: the metric.")
@click.option("--threshold", type=float, default=None, help="For threshold: the gate's, in the metric's unit.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the lot; keep it, so that the lot goes on."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=None, help="JSONL file for label push --from.")
@click.option("--judge", default=None, help="Pass/fail scorer: say how many labels its corrected rate still needs.")
@click.option("--within", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05, show_default=True,
              help="For --judge: half the width that the interval is to have.")  # fmt: skip
@json_option
@click.pass_context
def next_command(
    ctx: click.Context,
    run_id: str,
    n: int,
    mix: str,
    tag: str | None,
    metric: str | None,
    threshold: float | None,
    seed: int,
    out: Path | None,
    judge: str | None,
    within: float,
    as_json: bool,
) -> None:
    """Pick the answers of a run to label next, each with its reason.

    random: by lot, the only picks that may calibrate a judge. uncertain: the judge's verdict is near a half.
    disagreement: judges, or a judge's repeats, differ. diverse: unlike what was labelled. slice: slices with few labels
    first. threshold: the metric is near the gate's threshold.
    """
    from workbench.cli.labelling_quality import Needs, show_next
    from workbench.jobs.labelling_next import Asked

    wanted = Wanted(n=n, shares=_shares(mix), slice=tag, threshold=threshold)
    needs = None if judge is None else Needs(judge, within)
    show_next(config_of(ctx), run_id, Asked(wanted, metric, seed), needs, out, as_json=as_json)


def _shares(mix: str) -> dict[Way, float]:
    """Return the parts of `way=part,way=part`. Raises `ConfigError`."""
    shares: dict[Way, float] = {}
    for part in mix.split(","):
        name, _, number = part.partition("=")
        way = next((known for known in get_args(Way) if known == name.strip()), None)
        try:
            value = float(number or 1)
        except ValueError:
            value = 0.0
        if way is None or way in shares or not 0 < value < float("inf"):
            near = difflib.get_close_matches(name.strip(), WAYS, 1)
            fix = f"say {near[0]}=1?" if way is None and near else f"say way=part, each once, of {', '.join(WAYS)}"
            raise ConfigError(Problem("USAGE", "this is no part of a mix", field="--mix", got=part, fix=fix))
        shares[way] = value
    return shares
