"""The score card of a set that is learnt from, as a document: verdict, flaws, figures, and what was not looked for."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.curation.pairs.findings import Figure, Finding, ScoreCard, Severity
from workbench.reports.document import (
    Badge,
    Block,
    Card,
    Cell,
    Code,
    Document,
    Facts,
    Heading,
    Paragraph,
    Samples,
    State,
    Table,
    Verdict,
)
from workbench.reports.document import (
    Figure as Picture,
)
from workbench.reports.svg import Mark, forest
from workbench.reports.words import interval_text, number

SIGNS: dict[Severity, str] = {"blocks": "BLOCKS", "warns": "WARNS", "notes": "NOTE"}
STATES: dict[Severity, State] = {"blocks": "fail", "warns": "inconclusive", "notes": "plain"}
NUMERIC = frozenset({"n", "of", "share", "value"})


def card_document(card: ScoreCard, strict: bool = False) -> Document:
    """Return the page of a score card."""
    state, word, sentence = verdict_of(card, strict)
    facts: list[Cell] = [("dataset ", Code(card.name)), f"{card.n:,} {card.kind} in {card.n_groups:,} families",
             f"tokens {card.tokens}"]  # fmt: skip
    blocks = [Verdict(state, word, sentence), Facts(facts), *_findings(card), *_figures(card), *_rest(card)]
    return Document(f"Score card · {card.name}", blocks)


def verdict_of(card: ScoreCard, strict: bool = False) -> tuple[State, str, str]:
    """Return state, word and sentence of a card's verdict."""
    blocking, n = card.blocking(strict), len(card.findings)
    if blocking:
        kinds = ", ".join(f.kind for f in blocking)
        return "fail", "MEND FIRST", f"{len(blocking)} of {n} kinds of flaws block: {kinds}"
    open_ = [f for f in card.findings if not f.accepted and f.severity == "warns"]
    if open_:
        return "inconclusive", "USABLE", f"{len(open_)} kinds of flaws to weigh: {', '.join(f.kind for f in open_)}"
    return "pass", "CLEAN", f"none of {len(card.clean)} kinds of flaws that were looked for blocks or warns"


def finding_line(f: Finding) -> str:
    """Return a finding's figures in words."""
    interval = f" {interval_text(f.interval)}" if f.interval else ""
    share = "" if f.share is None else f", {number(f.share)}{interval}"
    return f"n = {f.n:,} of {f.of:,}{share}" + (f"; {f.told}" if f.told else "")


def _findings(card: ScoreCard) -> Iterable[Block]:
    if not card.findings:
        return
    yield Heading("Flaws")
    rows = [
        (_badge(f), Code(f.kind), f.title, f"{f.n:,}", f"{f.of:,}", number(f.share), interval_text(f.interval), f.todo)
        for f in card.findings
    ]
    yield Table(("", "kind", "what", "n", "of", "share", "95 % interval", "what to do"), rows, NUMERIC)
    marks = [
        Mark(f.kind, f.share, f.interval, STATES[f.severity], f"{number(f.share)} {interval_text(f.interval)}")
        for f in card.findings
        if f.share is not None
    ]
    if marks:
        yield Picture(forest("flaws", "Flaws", marks, "share", zero=0.0), "What was measured, with its 95 % interval.")
    for f in card.findings:
        yield Heading(f"{f.kind}: {f.title}", 3)
        yield Paragraph(f"{finding_line(f)}. {f.todo[:1].upper()}{f.todo[1:]}.")
        cards = [
            Card(e.id, e.why or f.kind, [("question", e.text)], STATES[f.severity]) for e in f.examples
        ]  # fmt: skip
        if cards:
            yield Samples(cards)


def _badge(f: Finding) -> Badge:
    return Badge("waived", "accepted") if f.accepted else Badge(STATES[f.severity], SIGNS[f.severity].lower())


def _figures(card: ScoreCard) -> Iterable[Block]:
    if card.figures:
        yield Heading("Figures")
        yield Table(("figure", "value", "95 % interval", "n"), [_figure(f) for f in card.figures], NUMERIC)


def _figure(f: Figure) -> tuple[str, str, str, str]:
    return f.name, number(f.value), interval_text(f.interval) if f.interval else f.undefined, f"{f.n:,}"


def _rest(card: ScoreCard) -> Iterable[Block]:
    yield Heading("Looked for and not found")
    yield Paragraph(", ".join(card.clean) or "nothing")
    if card.unknown:
        yield Heading("Not looked for")
        yield Facts([f"{kind}: {why}" for kind, why in card.unknown.items()])
