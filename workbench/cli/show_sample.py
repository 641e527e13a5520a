"""Put one sample on the terminal, whole: nothing is cut, and no text is obeyed by the terminal."""

from __future__ import annotations

import textwrap

import click

from workbench.evaluation.one_sample import Answer, Judgement, OneSample
from workbench.models import Usage
from workbench.records import Passage
from workbench.reports.words import money, number

MARGIN = "    "


def show_sample(found: OneSample) -> None:
    """Print what was asked, what was accepted, and each answer with its scores."""
    tags = ", ".join(f"{name}={value}" for name, value in found.tags.items())
    click.echo(f"\nsample {_line(found.id)}   run {found.run}")
    click.echo(f"group {_line(found.group)}   tags {_line(tags) or 'none'}")
    for message in found.messages:
        _block(message.role, message.content)
    _passages("passage given", found.given_contexts)
    if found.gold_contexts:
        click.echo(f"\ngold passages: {_line(', '.join(found.gold_contexts))}")
    for reference in found.references:
        _block("reference", reference)
    for answer in found.answers:
        _show_answer(answer, len(found.answers))


def _show_answer(answer: Answer, of: int) -> None:
    name = f"answer {answer.repeat + 1} of {of}" if of > 1 else "answer"
    if answer.failure is not None:
        click.echo(f"\n{name} failed: {answer.failure}: {_line(answer.message)}")
    if answer.output is not None:
        _block(f"{name}, as far as it came" if answer.failure is not None else name, answer.output)
    served = f"{_line(answer.served_model)}, " if answer.served_model else ""
    ended = f"stopped by {_line(answer.finish_reason)}, " if answer.finish_reason else ""
    click.echo(f"{MARGIN}[{served}{ended}{_used(answer.usage)}]")
    _passages("passage retrieved", answer.contexts)
    click.echo("")
    for score in answer.scores:
        _show_score(score)


def _show_score(score: Judgement) -> None:
    label = f" ({_line(score.label)})" if score.label else ""
    value = number(score.value) + label if score.failure is None else f"no score: {score.failure}"
    click.echo(f"  {score.scorer} {value}")
    for name, text in (("why", score.reason or score.message), ("evidence", score.evidence), ("judge said", score.raw)):
        if text:
            click.echo(f"{MARGIN}{name}: {_line(text)}")
    if score.usage.attempts or score.usage.cached:
        click.echo(f"{MARGIN}[{_used(score.usage)}]")


def _used(usage: Usage) -> str:
    took = "from the cache" if usage.cached else "not timed" if usage.latency is None else f"{usage.latency:.2f} s"
    tokens = "" if usage.input_tokens is None else f", {usage.input_tokens} + {usage.output_tokens} tokens"
    tries = f", {usage.attempts} attempts" if usage.attempts > 1 else ""
    return f"{took}{tokens}{tries}, cost {money(usage.cost)}"


def _passages(name: str, passages: tuple[Passage, ...]) -> None:
    for passage in passages:
        _block(f"{name} {_line(passage.id)}", passage.text)


def _block(name: str, text: str) -> None:
    lines = [_line(line, keep=True) for line in text.split("\n")]
    click.echo(f"\n{name}\n{textwrap.indent(chr(10).join(lines), MARGIN) if text else MARGIN + '(no text)'}")


def _line(text: str, keep: bool = False) -> str:
    """Return hostile text without what a terminal would obey; with `keep`, blanks stay as they are."""
    line = text.expandtabs(4) if keep else " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
