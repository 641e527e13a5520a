"""What `workbench label agreement | next` do: one function a command; stdout holds the result, stderr the talk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from workbench.cli.progress import say
from workbench.cli.show import grid
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.labelling_agreement import dataset_agreement
from workbench.jobs.labelling_next import Asked, Choice, choose, needed
from workbench.labelling.agreement import Agreement, Part
from workbench.statistics.intervals import Estimate
from workbench.store.files import write_atomic

SHOWN = 5
"""Slices, pairs and annotators that are shown of a question, the lowest."""


@dataclass(frozen=True)
class Needs:
    """How narrow a judge's corrected rate is to be."""

    judge: str
    """The scorer."""
    half_width: float
    """Half the interval's width."""


def show_agreement(bench: Workbench, name: str, *, as_json: bool) -> None:
    """Show the agreement on every question of a pulled dataset."""
    found = dataset_agreement(bench, name)
    if as_json:
        _print([agreement.model_dump(mode="json") for agreement in found])
        return
    if not found:
        click.echo(f"{name} has no labels yet that could agree; see workbench label progress {name}")
        return
    rows = [(a.question, a.guideline, _told(a.overall), str(a.overall.n), _share(a.equal), a.meaning) for a in found]
    grid(("question", "guideline", "agreement", "n", "equal", "what"), rows)
    for agreement in found:
        _show_parts(agreement)
    if not any(agreement.overall.n for agreement in found):
        say("No record was answered by two people: push with --overlap 2 or more to learn how far they agree.")


def show_next(
    bench: Workbench, run_id: str, asked: Asked, needs: Needs | None, out: Path | None, *, as_json: bool
) -> None:
    """Show what to label next, and write it to a file if one is named."""
    choice = choose(bench, run_id, asked)
    wanted = None if needs is None else needed(bench, run_id, needs.judge, needs.half_width, seed=asked.seed)
    if out is not None:
        write_atomic(out, b"".join(task.json_bytes() + b"\n" for task in choice.tasks))
    if as_json:
        picks = [pick.model_dump(mode="json") for pick in choice.picks]
        _print({"picks": picks, "needed": None if wanted is None else wanted.model_dump(mode="json")})
        return
    _show_picks(choice, asked)
    if wanted is not None and needs is not None:
        click.echo(f"\nThe corrected rate of {needs.judge}: {wanted.why}.")
    if out is not None:
        say(f"Put them before annotators: workbench label push NAME --template rag_review --from {out}")
    elif choice.picks:
        say("Nothing was written; add -o next.jsonl to push them.")


def _show_picks(choice: Choice, asked: Asked) -> None:
    if not choice.picks:
        click.echo("Nothing is left to label: every answer of this run has a label.")
        return
    grid(("record", "way", "what"), [(pick.record_id, pick.way, pick.reason) for pick in choice.picks])
    by = Counter(pick.way for pick in choice.picks)
    parts = ", ".join(f"{n} {way}" for way, n in by.items())
    click.echo(f"{len(choice.picks)} of {choice.n_left} that nobody labelled: {parts}")
    if set(by) - set(asked.wanted.shares):
        click.echo("What another way could not fill was drawn by lot.")


def _show_parts(agreement: Agreement) -> None:
    """Print the lowest slices, pairs and annotators of one question."""
    kinds: Sequence[tuple[str, tuple[Part, ...]]] = (
        ("slice", agreement.slices),
        ("pair", agreement.pairs),
        (f"against {agreement.against}", agreement.annotators),
    )
    rows = [(p.name, kind, _told(p.estimate), str(p.estimate.n)) for kind, parts in kinds for p in parts[:SHOWN]]
    if rows:
        click.echo(f"\n{agreement.question} ({agreement.guideline}): {agreement.measure}; lowest first")
        grid(("part", "of", "agreement", "n"), rows)


def _told(estimate: Estimate) -> str:
    if estimate.value is None:
        return "—"
    if estimate.interval is None:
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} [{estimate.interval.low:.2f}, {estimate.interval.high:.2f}]"


def _share(estimate: Estimate | None) -> str:
    return "—" if estimate is None or estimate.value is None else f"{100 * estimate.value:.0f} %"


def _print(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
