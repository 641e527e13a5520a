"""The card of a trained model: from what, how, on what, how the losses went, and what it was measured to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workbench.datasets import Manifest
from workbench.reports.document import Block, Code, Document, Facts, Heading, Paragraph, Table
from workbench.reports.words import interval_or_reason, metric_name, number
from workbench.runs import EvalRun
from workbench.training.folder import TrainRun
from workbench.training.losses import LossRow

ROWS = 12
"""Rows of losses that are shown of each split: the first, the last and some between."""
MEASURED = ("step", "epoch", "loss", "learning_rate", "grad_norm", "token_accuracy", "reward_chosen",
            "reward_rejected", "margin", "reward_accuracy")  # fmt: skip
NUMERIC = frozenset({*MEASURED, "mean", "n", "failed"})


def card_document(
    run: TrainRun, losses: Sequence[LossRow], lineage: Sequence[str], evals: Sequence[EvalRun]
) -> Document:
    """Return the card of a finished training run.

    `lineage` is what the rows come from, a line each, indented by spaces; `evals` are finished runs of what was made.
    """
    return Document(
        f"{run.start.spec.name}: {run.start.spec.method.kind} on {run.start.spec.base}",
        [
            Facts(list(_facts(run))),
            *_data(run, lineage),
            Heading("Recipe"),
            Table(("field", "value"), list(_fields(run.start.spec.model_dump(mode="json")))),
            *_losses(losses),
            *_measured(run, evals),
            Heading("Environment"),
            Table(("package", "version"), sorted(run.start.environment.items())),
        ],
    )


def _facts(run: TrainRun) -> Iterable[Any]:
    yield ("run ", Code(run.id), f": {run.state} after {run.steps} of {run.start.steps} steps, {run.seconds:.0f} s")
    if run.why:
        yield f"ended early: {run.why}"
    yield ("made: ", Code(run.made), ", safetensors, weights ", Code(run.weights))
    yield ("bound to base weights ", Code(run.start.base_weights), ": another base is refused")
    if run.start.spec.start:
        yield ("gone on from ", Code(run.start.spec.start), ", weights ", Code(run.start.start_weights))
    yield ("chat template ", Code(run.start.template))
    yield f"finished {run.at:%Y-%m-%d %H:%M} UTC"


def _data(run: TrainRun, lineage: Sequence[str]) -> Iterable[Block]:
    start = run.start
    yield Heading("Data")
    facts: list[Any] = [_set("learnt from", start.dataset)]
    if start.dev is not None:
        facts.append(_set("looked at meanwhile", start.dev))
    facts += [f"left out because too long: {len(start.dropped)} rows"] if start.dropped else []
    facts += [f"{name}: {value}" for name, value in start.firewall.items()]
    yield Facts(facts)
    if lineage:
        yield Heading("Where the rows come from", 3)
        yield Facts([line.replace("  ", "\N{EM SPACE}") for line in lineage])


def _set(word: str, m: Manifest) -> Any:
    name = f"{m.name}@{m.fingerprint}"
    return (f"{word}: ", Code(name), f", {m.n} {m.kind} in {m.n_groups} families, use {m.use}")


def _fields(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{key}" if name else key)
    elif value is not None and value != []:
        yield name, str(value)


def _losses(losses: Sequence[LossRow]) -> Iterable[Block]:
    for split, title in (("train", "Losses on the rows learnt from"), ("dev", "Losses on the dev set")):
        rows = [row for row in losses if row.split == split]
        if rows:
            shown = _some(rows)
            head = [name for name in MEASURED if any(getattr(row, name) is not None for row in shown)]
            yield Heading(title)
            yield Table(head, [[_cell(row, name) for name in head] for row in shown], NUMERIC)


def _some(rows: Sequence[LossRow]) -> list[LossRow]:
    step = max(1, -(-len(rows) // (ROWS - 1)))
    return [*rows[:-1:step], rows[-1]]


def _cell(row: LossRow, name: str) -> str:
    value = getattr(row, name)
    return str(value) if name == "step" else number(value)


def _measured(run: TrainRun, evals: Sequence[EvalRun]) -> Iterable[Block]:
    yield Heading("What it was measured to do")
    if not evals:
        yield Paragraph(
            ("Nothing has been measured yet. Measure it: ", Code(f"workbench eval run --model train:{run.id}"))
        )
        return
    rows = [
        (f"{e.spec.evalset} · {e.spec.use}", metric_name(m.scorer, None), number(m.value), interval_or_reason(m),
         str(m.n), str(m.n_failed), Code(e.id))
        for e in evals for m in e.metrics if not m.slice
    ]  # fmt: skip
    yield Table(("evalset", "metric", "mean", "interval", "n", "failed", "run"), rows, NUMERIC)
    yield Paragraph("It was measured on nothing else. What these sets do not ask is not known of it.")
