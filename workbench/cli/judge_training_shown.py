"""What `workbench judge train` prints."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import orjson

from workbench.calibration.calibrated import Calibrated
from workbench.calibration.measuring import Share, Trust
from workbench.cli.progress import say
from workbench.cli.show import grid
from workbench.cli.training import watched
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.judge_lora import LoraAsked, train_lora
from workbench.jobs.judge_shots import ShotsAsked, choose_shots
from workbench.jobs.judge_training import EncoderAsked, Made, open_test, train_encoder
from workbench.jobs.supervision import Stopped
from workbench.reports.words import interval_text, number
from workbench.store.files import write_atomic


def train_and_measure(bench: Workbench, asked: EncoderAsked, with_test: bool) -> tuple[Made, Calibrated | None]:
    """Train an encoder; with `with_test` open the test part of its labels."""
    made = train_encoder(bench, asked, say)
    return made, open_test(bench, made, asked) if with_test else None


def show_made(made: Made, opened: Calibrated | None, *, as_json: bool) -> None:
    """Print a trained judge: what it can, beside the prompted one, and how it takes a judge's place."""
    if as_json:
        plain = {
            "folder": str(made.folder),
            "card": made.card.model_dump(mode="json"),
            "calibrated": opened and opened.model_dump(mode="json"),
        }
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    card = made.card
    click.echo(f"\n{made.folder.name}: {card.base}; {card.n_learnt} labels of {card.source}")
    click.echo(f"an answer passes from a probability of {card.threshold:.2f}")
    rows = [("trained, on labels held back (they chose the threshold)", card.checked)]
    rows += [("the run's own judge, on the same", card.prompted)] if card.prompted else []
    rows += [("trained, on the test part", opened.test)] if opened and opened.test else []
    grid(("judge", "balanced", "TPR", "TNR", "labels"), [_row(name, trust) for name, trust in rows])
    click.echo(f"workbench.yaml:  models: {{{card.name}-encoder: {{kind: encoder, folder: {made.folder}}}}}", err=True)
    if opened is None:
        click.echo("then judge by it (eval rescore), and: workbench judge calibrate --judge METRIC --test", err=True)


def tune_and_show(bench: Workbench, asked: LoraAsked, *, as_json: bool, quiet: bool) -> int:
    """Tune a judge, print what it can beside the run's own, and how it takes its place; return the exit code."""
    try:
        with watched(f"{asked.metric}-judge", quiet) as audience:
            made = train_lora(bench, asked, audience)
    except Stopped as stop:
        click.echo(f"Stopped by {stop}; train it anew: its card is written at the end.", err=True)
        return stop.exit_code
    card = made.card
    if as_json:
        plain = {"card": card.model_dump(mode="json"), "run": made.run.id, "model": made.spec.settings()}
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return 0
    click.echo(f"\n{made.run.id}: {card.base}; {card.n_learnt} labels of {card.source}")
    rows = [("tuned, on labels held back", card.checked)]
    rows += [("the run's own judge, on the same", card.prompted)] if card.prompted else []
    grid(("judge", "balanced", "TPR", "TNR", "labels", "no verdict"), [(*_row(*r), str(r[1].n_unjudged)) for r in rows])
    click.echo(
        f"workbench.yaml:  models: {{{card.name}-lora: {orjson.dumps(made.spec.settings()).decode()}}}", err=True
    )
    click.echo("then judge by it (eval rescore), and: workbench judge calibrate --judge METRIC --test", err=True)
    return 0


def choose_and_show(bench: Workbench, asked: ShotsAsked, out: Path | None, *, as_json: bool) -> None:
    """Choose examples, write the best choice, print a row a choice."""
    found = asyncio.run(choose_shots(bench, asked, say))
    file = out or found.folder / "examples" / f"{asked.metric}.jsonl"
    best = found.best()
    if best is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, b"".join(shot.json_bytes() + b"\n" for shot in best.shots))
    if as_json:
        plain = {"file": str(file) if best else None, "tries": [t.trust.model_dump(mode="json") for t in found.tries]}
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    names = ["without examples", *(f"choice {i}" for i in range(1, len(found.tries)))]
    rows = zip(names, found.tries, strict=True)
    grid(("examples", "balanced", "TPR", "TNR", "labels"), [_row(name, tried.trust) for name, tried in rows])
    if best is None:
        click.echo("No choice does better than no examples; nothing was written.")
        return
    click.echo(f"wrote {file}; name it in the scorer: examples: {file.name}. The best of several is too good on dev:")
    click.echo("judge again (eval rescore), then: workbench judge calibrate --judge METRIC --test", err=True)


def _row(name: str, trust: Trust) -> tuple[str, ...]:
    told = f" {interval_text(trust.balanced_interval)}" if trust.balanced_interval else ""
    balanced = "n/a" if trust.balanced is None else number(trust.balanced) + told
    return name, balanced, _share(trust.tpr), _share(trust.tnr), str(trust.n)


def _share(share: Share) -> str:
    return f"{number(share.value)} {interval_text(share.interval)}"
