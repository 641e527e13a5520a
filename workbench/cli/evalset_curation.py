"""`workbench evalset build | audit | diff`: made from what people answered, looked through, held against others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.options import config_of, json_option

if TYPE_CHECKING:
    from workbench.curation.evalsets.choosing import How
    from workbench.datasets import Use

PAGE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command("audit", epilog="Example: workbench evalset audit helpcentre --html audit.html")
@click.argument("name")
@click.option("--use", type=click.Choice(["train", "dev", "gate"]), default=None, help="Audit this side alone.")
@click.option("--documents", type=click.Path(path_type=Path), default=None,
              help="Folder of what questions are about; else `documents` beside evalset.yaml.")  # fmt: skip
@click.option("--html", type=PAGE, help="Write one HTML page that loads nothing.")
@click.option("--markdown", type=PAGE, help="Write Markdown.")
@json_option
@click.pass_context
def audit_command(
    ctx: click.Context,
    name: str,
    use: Use | None,
    documents: Path | None,
    html: Path | None,
    markdown: Path | None,
    as_json: bool,
) -> None:
    """Say what the evalset NAME can and cannot tell, and what to do about it.

    Repeats, disagreement of annotators, leaks into train sets, thin slices, passages nobody asks for, answers that
    their passages do not hold, samples that every model passes or none does or that rank models against all others, and
    whether n shows the margins of its policy.
    """
    from workbench.cli.show_audit import show_audit
    from workbench.jobs.auditing import audit
    from workbench.jobs.planning import select

    bench = config_of(ctx)
    [evalset] = select(bench, [name], use or "dev")
    show_audit(audit(evalset, bench, documents, use), html, markdown, as_json=as_json)


@click.command("build", epilog="Example: workbench evalset build first --labels review-1 --by Ada --why 'first labels'")
@click.argument("name")
@click.option("--labels", "labels", multiple=True, help="Pulled dataset: records whose answer people settled.")
@click.option("--failures", "failures", multiple=True, help="Finished run on train or dev: the samples it failed on.")
@click.option("--dataset", "datasets", multiple=True, help="Stored samples, as `data ls` names them.")
@click.option("--documents", type=click.Path(path_type=Path), default=None,
              help="Folder: write skeletons.jsonl, a record a passage, to be pushed for its question.")  # fmt: skip
@click.option("-n", "n", type=click.IntRange(1), default=None, help="Samples to take in all; else every candidate.")
@click.option("--strata", "tag", default=None, help="Tag by whose values the samples are divided.")
@click.option("--allocation", "how", type=click.Choice(["equal", "proportional"]), default="equal", show_default=True,
              help="The same number of each stratum, or in proportion to what there is.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the lot.")
@click.option("--by", "author", required=True, help="Who asks for this version, for CHANGES.md.")
@click.option("--why", required=True, help="Why, for CHANGES.md.")
@click.option("--reviewed-by", "reviewer", default="", help="Who looked through it; left out: nobody yet.")
@click.option("--replace", is_flag=True, help="Replace rows of the same id that differ; else they stay as they are.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be written, and write nothing.")
@json_option
@click.pass_context
def build_command(
    ctx: click.Context,
    name: str,
    labels: tuple[str, ...],
    failures: tuple[str, ...],
    datasets: tuple[str, ...],
    documents: Path | None,
    n: int | None,
    tag: str | None,
    how: How,
    seed: int,
    author: str,
    why: str,
    reviewer: str,
    replace: bool,
    dry: bool,
    as_json: bool,
) -> None:
    """Make the evalset NAME, or add to it: samples.jsonl, and an entry in CHANGES.md.

    A record of --labels needs an answer that was adjudicated, or that two people gave alike. Synthetic samples need one
    too. Rows that stand in the file stay as they are. What another side asks, or what was learnt from, is left out.
    """
    from workbench.cli.building_evalset import build_and_show
    from workbench.curation.evalsets.changes import Signed
    from workbench.curation.evalsets.choosing import Wanted
    from workbench.jobs.evalset_candidates import Sources

    sources = Sources(labels, failures, datasets, documents)
    signed = Signed(author, why, reviewer)
    build_and_show(
        config_of(ctx), name, sources, Wanted(n, tag, how, seed), signed, replace=replace, dry=dry, as_json=as_json
    )


@click.command("diff", epilog="Example: workbench evalset diff helpcentre --version 2")
@click.argument("name")
@click.option("--version", "number", type=click.IntRange(1), default=None, help="Entry of CHANGES.md; else the newest.")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of a copy of the evalset, by the same name.",
)
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Rows of a sort to show.")
@json_option
@click.pass_context
def diff_command(
    ctx: click.Context, name: str, number: int | None, against: Path | None, limit: int, as_json: bool
) -> None:
    """Say sample by sample what differs in the evalset NAME from a version of its CHANGES.md, or from a folder."""
    from workbench.cli.building_evalset import diff_of
    from workbench.cli.showing_versions import show_diff

    show_diff(diff_of(config_of(ctx), name, number, against), limit, as_json=as_json)
