"""What `workbench judge` prints."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import orjson

from workbench.calibration.attacked import Attacked, FamilyRate
from workbench.calibration.biases import Bias
from workbench.calibration.calibrated import Calibrated
from workbench.calibration.measuring import Share, Trust
from workbench.cli.progress import say
from workbench.cli.show import grid
from workbench.config.workbench_yaml import Workbench
from workbench.reports.words import interval_text, number, signed

if TYPE_CHECKING:
    from workbench.jobs.attacking import AttackAsked

COLOURS = {"good": "green", "usable": "yellow", "poor": "red", "unknown": "yellow"}
SHOWN = 5
"""Answers on which judge and people differ that are named."""


def show_calibration(found: Calibrated) -> None:
    """Print a calibration: parts, rates, slices, biases, where they differ, what next."""
    subject, parts = found.subject, found.parts
    trust = found.test or found.dev
    part = "test part, opened" if found.test else "part to work on"
    click.echo(f"\njudge '{subject.judge}' of '{subject.metric}' against people under {subject.guideline}: the {part}")
    spent = f"; {found.n_spent} of the test part were used up by another version" if found.n_spent else ""
    click.echo(f"{sum(parts.values())} labelled answers: {', '.join(f'{p} {n}' for p, n in parts.items())}{spent}")
    grid(("", "share", "95 % interval", "count"), _rates(trust))
    kappa = "n/a" if trust.kappa is None else number(trust.kappa)
    click.echo(f"Cohen's kappa {kappa}; {trust.n_unjudged} labelled answers without a verdict")
    click.echo(click.style(f"{found.grade}: ", fg=COLOURS[found.grade], bold=True) + found.why)
    if found.slices:
        grid(("slice", "n", "TPR", "TNR", "without verdict"), map(_slice, found.slices))
    grid(("bias", "what it is", "excess", "95 % interval", "n"), map(_bias, found.biases))
    if trust.disagree:
        click.echo(f"they differ on {len(trust.disagree)}: {', '.join(trust.disagree[:SHOWN])}")
    if found.test is None:
        click.echo(
            "\nThis corrects nothing yet. Once rubric and prompt are settled: "
            f"workbench judge calibrate --judge {subject.metric} --test",
            err=True,
        )


def show_calibrations(found: Sequence[Calibrated]) -> None:
    """Print the book of calibrations."""
    if not found:
        click.echo("No judge was calibrated yet: workbench judge calibrate latest --judge METRIC --test", err=True)
    grid(
        ("metric", "judge", "grade", "TPR", "TNR", "labels", "opened", "by"),
        (
            (c.subject.metric, c.subject.judge, c.grade, _short(c.test.tpr), _short(c.test.tnr), str(c.test.n),
             c.at[:16], c.who)
            for c in found
            if c.test is not None
        ),
    )  # fmt: skip


def attack_and_show(bench: Workbench, run_id: str, asked: AttackAsked, *, as_json: bool) -> None:
    """Attack a judge, and print a row a family."""
    from workbench.jobs.attacking import attack_judge

    found = asyncio.run(attack_judge(bench, run_id, asked, say))
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    told = f"{found.n_wrong} wrong answers, by {found.wrong_by}; suite {found.suite}"
    click.echo(f"\njudge '{found.judge}' of '{found.metric}': {told}")
    grid(
        ("family", "passed", "95 % interval", "without it", "only with it", "harmless instead", "false alarms",
         "no verdict", "in code"),
        _attack_rows(found),
    )  # fmt: skip
    if found.canaries is not None:
        seen = found.canaries
        right, wrong = _counted(seen.right), _counted(seen.wrong)
        click.echo(f"as they are, right answers pass {right}, wrong ones fail {wrong}, no verdict {seen.n_unjudged}")
    holds, why = found.held()
    click.echo(click.style("holds: " if holds else "does not hold: ", fg="green" if holds else "red", bold=True) + why)


def show_attacks(found: Sequence[Attacked]) -> None:
    """Print the book of attacks."""
    if not found:
        click.echo("No judge was attacked yet: workbench judge attack latest --judge METRIC", err=True)
    grid(
        ("metric", "judge", "wrong answers", "passed", "without", "only with", "holds", "when", "by"),
        (
            (a.metric, a.judge, str(a.n_wrong), _short(a.overall.passed), _counted(a.overall.plain),
             _counted(a.overall.only_with), "yes" if a.held()[0] else "no", a.at[:16], a.who)
            for a in found
        ),
    )  # fmt: skip


def _attack_rows(found: Attacked) -> list[tuple[str, ...]]:
    return [
        (f.family, _counted(f.passed), interval_text(f.passed.interval), _counted(f.plain), _counted(f.only_with),
         _counted(f.harmless), _counted(f.flagged), _unjudged(f), str(f.n_in_code))
        for f in (*found.families, found.overall)
    ]  # fmt: skip


def _unjudged(rate: FamilyRate) -> str:
    return str(rate.n_unjudged) + (f" ({rate.n_harmless_unjudged})" if rate.harmless else "")


def show_corrected(bench: Workbench, run_id: str, *, as_json: bool) -> None:
    """Print each judged metric of a run with its corrected rate, or why there is none."""
    from workbench.evaluation.run import read_run
    from workbench.jobs.correcting import corrections

    folder = bench.home.run(run_id)
    told = corrections(bench, read_run(folder), folder)
    if as_json:
        plain = {one.metric: one.model_dump(mode="json", exclude={"metric"}) for one in told}
        sys.stdout.buffer.write(orjson.dumps(plain, option=orjson.OPT_INDENT_2) + b"\n")
        return
    if not told:
        click.echo("This run has no judged metric of pass and fail.", err=True)
    for one in told:
        click.echo(f"{one.metric}: {one.sentence()}")
        if one.calibration:
            click.echo(f"  by the {one.calibration}", err=True)


def _rates(trust: Trust) -> list[tuple[str, str, str, str]]:
    names = (
        ("TPR: what people pass, passed", trust.tpr),
        ("TNR: what people fail, failed", trust.tnr),
        ("accuracy", trust.accuracy),
    )
    return [(name, number(s.value), interval_text(s.interval), f"{s.k}/{s.n}") for name, s in names]


def _slice(trust: Trust) -> tuple[str, str, str, str, str]:
    return trust.slice, str(trust.n), _counted(trust.tpr), _counted(trust.tnr), str(trust.n_unjudged)


def _counted(share: Share | None) -> str:
    return "-" if share is None else f"{number(share.value)} ({share.k}/{share.n})"


def _bias(bias: Bias) -> tuple[str, str, str, str, str]:
    told = interval_text(bias.interval) if bias.interval else bias.undefined
    return bias.kind + (" !" if bias.clear else ""), bias.what, signed(bias.value), told, str(bias.n)


def _short(share: Share) -> str:
    return f"{number(share.value)} {interval_text(share.interval)}"
