"""What `workbench data stats | dedupe | filter` print: bars on the terminal, JSON for machines, one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from workbench.cli.progress import say
from workbench.cli.show import clipped, grid
from workbench.config.workbench_yaml import Workbench
from workbench.curation.quality.profile import Profile
from workbench.curation.quality.waterfall import Step
from workbench.jobs.data_quality import Asked, Filtered, describe, put_through
from workbench.reports.as_html import page
from workbench.reports.quality import bar, quality_document, spread_rows
from workbench.store.files import write_atomic

BAR = 30
"""Columns of the longest bar."""
SHOWN = 8
"""Languages, values and openings that are shown; `--json` and the page have all."""


def show_stats(bench: Workbench, asked: Asked, html: Path | None, *, as_json: bool) -> None:
    """Print what a dataset is like."""
    subject, found = describe(bench, asked)
    _write(html, subject.label, found.steps, found)
    if as_json:
        _print({"dataset": subject.label, **found.model_dump(mode="json")})
        return
    click.echo(f"{subject.label}: {found.n} rows in {found.n_groups} families")
    grid(("", "n", "lowest", "5 %", "median", "mean", "95 %", "highest"), spread_rows(found))
    click.echo(f"Tokens: {found.tokenizer}.")
    _bars("tokens a row", {f"{b.low}–{b.high}": b.n for b in found.tokens["row"].bars})
    _bars("language", found.languages)
    _bars("personal data and secrets", found.found)
    _bars("openings that repeat", {one.text: one.n for one in found.openings})
    _bars("closings that repeat", {one.text: one.n for one in found.closings})
    for one in found.balance:
        _bars(f"{one.tag}: {one.n_values} values, evenness {one.evenness:.2f}", one.values)
    _show_steps(found.steps)
    if found.n:
        say("Nothing was changed. Drop or mask what was found: workbench data filter NAME --drop … --mask …")


def show_filtered(
    bench: Workbench, asked: Asked, new_name: str | None, dry_run: bool, html: Path | None, *, as_json: bool
) -> None:
    """Put a dataset through filters, and print what they did."""
    done = put_through(bench, asked, new_name, None if dry_run else datetime.now(UTC))
    _write(html, done.subject.label, done.steps, None)
    if as_json:
        _print(_plain(done))
        return
    _show_steps(done.steps)
    if done.stored is not None:
        m = done.stored.manifest
        click.echo(f"stored {m.name}-{m.use}@{m.fingerprint[:8]}: {m.n} rows of {len(done.subject.rows)}")
        click.echo(f"       {done.stored.path}")
    elif dry_run:
        say(f"{len(done.rows)} of {len(done.subject.rows)} rows would be left; nothing was stored.")
    else:
        say("Nothing to drop or mask: the dataset stays as it is.")


def _plain(done: Filtered) -> dict[str, Any]:
    return {
        "dataset": done.subject.label,
        "n_in": len(done.subject.rows),
        "n_out": len(done.rows),
        "steps": [step.model_dump(mode="json") for step in done.steps],
        "stored": None if done.stored is None else done.stored.manifest.model_dump(mode="json"),
        "path": None if done.stored is None else str(done.stored.path),
    }


def _show_steps(steps: Sequence[Step]) -> None:
    """Print the waterfall, then clusters and examples of each filter that found something."""
    most = steps[0].n_in if steps else 0
    rows = [(s.name, str(s.n_in), _taken(s), str(s.n_out), bar(s.n_out, most, BAR)) for s in steps]
    grid(("filter", "in", "taken", "out", "left"), rows)
    for step in (step for step in steps if step.examples):
        click.echo(f"{step.name}: {step.rule}")
        for cluster in step.clusters:
            click.echo(f"  {cluster.n} alike; kept {clipped(cluster.kept.id)}: {clipped(cluster.kept.text)}")
            for one in cluster.dropped:
                click.echo(f"    {one.why} {clipped(one.id)}: {clipped(one.text)}")
        for one in () if step.clusters else step.examples:
            click.echo(f"  {clipped(one.id)}: {clipped(one.why)}: {clipped(one.text)}")


def _taken(step: Step) -> str:
    return f"{step.n_changed} changed" if step.n_changed else str(step.n_in - step.n_out)


def _bars(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        most = max(counts.values())
        head = (title, "n", "share")
        grid(head, [(clipped(key), str(n), bar(n, most, BAR)) for key, n in list(counts.items())[:SHOWN]])
        if len(counts) > SHOWN:
            click.echo(f"… and {len(counts) - SHOWN} more")


def _write(file: Path | None, label: str, steps: Sequence[Step], found: Profile | None) -> None:
    if file is not None:
        write_atomic(file, page(quality_document(label, steps, found)).encode("utf-8", "replace"))
        say(f"report {file}")


def _print(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
