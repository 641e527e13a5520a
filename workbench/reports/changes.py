"""The samples that changed: a table a metric with links, and one card a sample that shows all that is known of it."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Sequence

from workbench.evaluation.comparison import Change, Comparison
from workbench.reports.document import Block, Card, Cell, Code, Heading, Link, Paragraph, Samples, State, Table
from workbench.reports.words import number

SAFE = re.compile(r"[^A-Za-z0-9_.-]+")
NUMERIC = frozenset({"before → after"})
KINDS = {"regression": "Regressions", "fix": "Fixes"}


def changed_samples(c: Comparison, level: int, anchors: str) -> Iterable[Block]:
    """Yield regressions and fixes of each metric, linked to the cards below; `anchors` begins the cards' names."""
    if not c.changes:
        return
    for scorer in dict.fromkeys(change.scorer for change in c.changes):
        for kind, totals in (("regression", c.n_regressions), ("fix", c.n_fixes)):
            found = [x for x in c.changes if x.scorer == scorer and x.kind == kind]
            if found:
                n = totals.get(scorer, len(found))
                shown = f", the {len(found)} largest" if n > len(found) else ""
                yield Heading(f"{KINDS[kind]} of {scorer}: {n}{shown}", level)
                yield Table(("sample", "before → after", "question"), [_row(x, anchors) for x in found], NUMERIC)
    yield Heading("Samples that changed", level)
    yield Paragraph(("One with everything about it: ", Code(show_command(c, "ID"))))
    yield Samples([_card(c, found, anchors) for found in _by_sample(c.changes)])


def show_command(c: Comparison, sample_id: str) -> str:
    """Return the command that shows one sample of the candidate's latest run."""
    return f"workbench eval show {c.candidate.runs[-1]} --sample {shlex.quote(sample_id)}"


def anchor(anchors: str, sample_id: str) -> str:
    """Return a name for a place on the page that every browser and Markdown can hold; no two ids share one."""
    safe = SAFE.sub("-", sample_id)[:60]
    if safe != sample_id:
        safe += "-" + hashlib.sha256(sample_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{anchors}-{safe}"


def _row(x: Change, anchors: str) -> tuple[Cell, ...]:
    return Link(x.sample_id, anchor(anchors, x.sample_id)), _moved(x), x.question


def _by_sample(changes: Sequence[Change]) -> list[list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.sample_id, []).append(change)
    return list(found.values())


def _card(c: Comparison, found: Sequence[Change], anchors: str) -> Card:
    """Return one sample with both answers and, by metric, both scores with their reasons."""
    first = found[0]
    texts = [("question", first.question), ("answer before", first.answer_before), ("answer after", first.answer_after)]
    for x in found:
        reasons = ((f"{number(x.before)} before", x.reason_before), (f"{number(x.after)} after", x.reason))
        texts.append((x.scorer, "\n".join(f"{said}: {why}" if why else said for said, why in reasons)))
    texts.append(("all about it", show_command(c, first.sample_id)))
    state: State = "fail" if any(x.kind == "regression" for x in found) else "pass"
    value = "; ".join(f"{x.scorer} {_moved(x)}" for x in found)
    return Card(first.sample_id, value, texts, state, anchor(anchors, first.sample_id))


def _moved(x: Change) -> str:
    return f"{number(x.before)} → {number(x.after)}"
