"""What `workbench pairs` does and prints; stdout holds the result, stderr the talk."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from workbench.cli.progress import say
from workbench.cli.report import put
from workbench.cli.show import clipped, grid
from workbench.config.workbench_yaml import Workbench
from workbench.config.yaml_source import load_yaml
from workbench.curation.pairs.findings import Finding, ScoreCard
from workbench.curation.pairs.flaws import FLAWS
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.quality.waterfall import Step
from workbench.errors import ConfigError, Problem
from workbench.jobs.pairs import Building, build
from workbench.jobs.pairs_linting import LintWish, balance, lint_dataset
from workbench.reports.as_html import page
from workbench.reports.as_markdown import markdown as in_markdown
from workbench.reports.score_card import SIGNS, card_document, finding_line, verdict_of
from workbench.reports.words import interval_text, number

BAR = 24
"""Columns of a full bar."""


def policy_of(file: Path | None, flags: Mapping[str, object]) -> PairPolicy:
    """Return the policy of a file with what flags say instead. Raises `ConfigError`."""
    policy = PairPolicy() if file is None else load_yaml(file, PairPolicy)
    return PairPolicy.model_validate({**policy.model_dump(), **{k: v for k, v in flags.items() if v is not None}})


def build_and_show(bench: Workbench, wanted: Building, *, as_json: bool) -> None:
    """Build a set, and print the waterfall."""
    outcome = build(bench, wanted, datetime.now(UTC))
    manifest = outcome.stored.manifest
    if as_json:
        told = {"manifest": manifest.model_dump(mode="json"), "path": str(outcome.stored.path),
                "waterfall": [step.model_dump(mode="json") for step in outcome.steps]}  # fmt: skip
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    _show_steps(outcome.steps)
    click.echo(f"{manifest.name} {manifest.use}: {manifest.n:,} {manifest.kind} in {manifest.n_groups:,} families")
    click.echo(f"stored in {outcome.stored.path}")
    if manifest.n_quarantined:
        click.echo(f"set aside: {manifest.n_quarantined} pairs that contradict each other, in quarantine.jsonl there")
    say(f"Look at it before it is trained on: workbench pairs lint {manifest.name}-{manifest.use}")


def lint_and_show(
    bench: Workbench,
    name: str,
    wish: LintWish,
    files: tuple[Path | None, Path | None],
    *,
    strict: bool,
    as_json: bool,
) -> bool:
    """Lint a set, print its score card, and return whether a flaw blocks."""
    _refuse_unknown(wish.accepted)
    card = lint_dataset(bench, name, wish)
    html, markdown = files
    document = card_document(card, strict)
    put(html, page(document))
    put(markdown, in_markdown(document))
    if as_json:
        told = card.model_dump(mode="json") | {"blocking": [f.kind for f in card.blocking(strict)]}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    elif "-" not in map(str, files):
        _show_card(card, strict)
    return bool(card.blocking(strict))


def balance_and_show(
    bench: Workbench, name: str, name_as: str | None, seed: int, wish: LintWish, *, as_json: bool
) -> None:
    """Store a length-matched part of a set, and print what it was and is."""
    found = balance(bench, name, name_as, seed, wish, datetime.now(UTC))
    if as_json:
        told = {"before": found.before.model_dump(mode="json"), "after": found.after.model_dump(mode="json"),
                "manifest": found.stored.manifest.model_dump(mode="json"), "path": str(found.stored.path)}  # fmt: skip
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    before, after = found.before, found.after
    rows = [("pairs", f"{before.n:,}", f"{after.n:,}"), ("families", f"{before.n_groups:,}", f"{after.n_groups:,}")]
    for old, new in zip(before.figures, after.figures, strict=True):
        cells = (f"{number(f.value)} {interval_text(f.interval) if f.interval else ''}".strip() for f in (old, new))
        rows.append((old.name, *cells))  # type: ignore[arg-type]
    names = (", ".join(f.kind for f in card.findings) or "none" for card in (before, after))
    grid(("", "before", "after"), [*rows, ("flaws", *names)])
    manifest = found.stored.manifest
    click.echo(f"{manifest.name} {manifest.use}: {manifest.n:,} pairs, stored in {found.stored.path}")


# ---------------------------------------------------------------- on the terminal


def _show_steps(steps: tuple[Step, ...]) -> None:
    """Print the waterfall: what went on at each step as a bar, and why the rest did not."""
    most = max((step.n_in for step in steps), default=0)
    click.echo(f"\n {most:>8,} said")
    for step in steps:
        reasons = ", ".join(f"{reason.replace('_', ' ')} {n:,}" for reason, n in step.reasons.items())
        click.echo(f" {step.n_out:>8,} {_bar(step.n_out / most if most else 0)} {step.name:<22} {reasons}".rstrip())
        for example in step.examples[:2]:
            click.echo(f"{'':>35} {example.why.replace('_', ' ')}: {clipped(example.id)}")
    click.echo()


def _show_card(card: ScoreCard, strict: bool) -> None:
    """Print a score card: the verdict, each flaw with n, share, interval, examples and what to do, and the figures."""
    state, word, sentence = verdict_of(card, strict)
    colour = {"pass": "green", "fail": "red"}.get(state, "yellow")
    click.echo(f"\n{card.name} · {card.n:,} {card.kind} in {card.n_groups:,} families")
    click.echo(f"{click.style(word, fg=colour, bold=True)}  {sentence}\n")
    for finding in card.findings:
        _show_finding(finding)
    rows = [
        (f.name, number(f.value), interval_text(f.interval) if f.interval else f.undefined, f"{f.n:,}")
        for f in card.figures
    ]
    grid(("figure", "value", "95 % interval", "n"), rows)
    click.echo(f"clean of {len(card.clean)} kinds: {', '.join(card.clean)}")
    for kind, why in card.unknown.items():
        click.echo(f"not looked for: {kind}: {why}")
    click.echo(f"tokens {card.tokens}")


def _show_finding(f: Finding) -> None:
    sign = "accepted" if f.accepted else SIGNS[f.severity]
    colour = {"blocks": "red", "warns": "yellow", "notes": "cyan"}[f.severity]
    share = abs(f.share or 0.0)
    head = click.style(f"{sign:<8}", fg=None if f.accepted else colour, bold=True)
    click.echo(f"{head} {_bar(min(1.0, share))} {click.style(f.kind, bold=True)}: {f.title}")
    click.echo(f"         {finding_line(f)}")
    for example in f.examples[:3]:
        why = f" ({clipped(example.why)})" if example.why else ""
        click.echo(f"         {clipped(example.id)}{why}: {clipped(example.text)}")
    click.echo(f"         → {f.todo}\n")


def _bar(share: float) -> str:
    full = round(share * BAR)
    return "█" * full + "░" * (BAR - full)


def _refuse_unknown(kinds: tuple[str, ...]) -> None:
    known = [flaw.kind for flaw in FLAWS]
    for kind in kinds:
        if kind not in known:
            near = difflib.get_close_matches(kind, known, 1)
            fix = f"did you mean '{near[0]}'?" if near else f"kinds: {', '.join(known)}"
            raise ConfigError(Problem("USAGE", "no flaw is called this", field="--accept", got=kind, fix=fix))
