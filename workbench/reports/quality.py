"""The report of a dataset's quality: the waterfall first, then clusters and examples, then what the rows are like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.curation.quality.profile import Profile
from workbench.curation.quality.waterfall import Step
from workbench.reports.document import Block, Card, Document, Facts, Heading, Paragraph, Samples, Table

NUMERIC = frozenset(
    {"in", "out", "taken", "changed", "n", "rows", "lowest", "5 %", "median", "mean", "95 %", "highest"}
)
BAR = 40
"""Characters of the longest bar."""


def quality_document(label: str, steps: Sequence[Step], found: Profile | None = None) -> Document:
    """Return the report of a profile, or of filters alone."""
    blocks: list[Block] = [*waterfall_blocks(steps)]
    if found is not None:
        blocks += profile_blocks(found)
    return Document(f"Quality · {label}", blocks)


def waterfall_blocks(steps: Sequence[Step]) -> Iterable[Block]:
    """Yield what each filter took, with clusters and examples."""
    if not steps:
        return
    yield Heading("Waterfall")
    head = ("filter", "in", "taken", "changed", "out", "left", "rule")
    first = steps[0].n_in
    rows = [
        (s.name, str(s.n_in), str(s.n_in - s.n_out), str(s.n_changed), str(s.n_out), bar(s.n_out, first), s.rule)
        for s in steps
    ]
    yield Table(head, rows, NUMERIC)
    for step in steps:
        if step.examples:
            yield Heading(step.name, 3)
            yield Facts([f"{n} × {reason}" for reason, n in list(step.reasons.items())[:10]])
            yield Samples(tuple(_cards(step)))


def _cards(step: Step) -> Iterable[Card]:
    for cluster in step.clusters:
        texts = [(f"dropped {one.id} ({one.why})", one.text) for one in cluster.dropped]
        yield Card(cluster.kept.id, f"{cluster.n} alike, kept", [("kept", cluster.kept.text), *texts])
    if not step.clusters:
        yield from (Card(one.id, one.why, [("text", one.text)]) for one in step.examples)


def profile_blocks(found: Profile) -> Iterable[Block]:
    """Yield what rows are like."""
    yield Heading("Lengths")
    yield Paragraph(f"{found.n} rows in {found.n_groups} families. Tokens: {found.tokenizer}.")
    yield Table(("what", "n", "lowest", "5 %", "median", "mean", "95 %", "highest"), spread_rows(found), NUMERIC)
    yield Heading("Tokens a row")
    bars = found.tokens["row"].bars
    most = max((b.n for b in bars), default=0)
    yield Table(("tokens", "rows", "share"), [(f"{b.low}–{b.high}", str(b.n), bar(b.n, most)) for b in bars], NUMERIC)
    yield Heading("Languages")
    yield counted(found.languages, "language")
    if found.found:
        yield Heading("Personal data and secrets")
        yield counted(found.found, "kind")
    for name, edges in (("Openings", found.openings), ("Closings", found.closings)):
        if edges:
            yield Heading(f"{name} that repeat")
            yield counted({one.text: one.n for one in edges}, "words")
    if found.balance:
        yield Heading("Tags")
    for one in found.balance:
        yield Heading(f"{one.tag}: {one.n_values} values, evenness {one.evenness:.2f}", 3)
        yield counted(one.values, one.tag)


def spread_rows(found: Profile) -> list[tuple[str, ...]]:
    """Return the distributions as table cells."""
    named = [("turns", found.turns)]
    for unit, by in (("characters", found.characters), ("words", found.words), ("tokens", found.tokens)):
        named += [(f"{unit}: {part}", one) for part, one in by.items()]
    return [
        (name, str(s.n), str(s.low), str(s.p5), str(s.median), f"{s.mean:.1f}", str(s.p95), str(s.high))
        for name, s in named
    ]


def counted(counts: Mapping[str, int], name: str) -> Table:
    """Return counts as a table with bars."""
    most = max(counts.values(), default=0)
    return Table((name, "n", "share"), [(key, str(n), bar(n, most)) for key, n in counts.items()], NUMERIC)


def bar(n: int, most: int, width: int = BAR) -> str:
    """Return a bar of blocks, in eighths; anything above 0 shows."""
    eighths = max(1, round(8 * width * n / most)) if n and most else 0
    parts: tuple[str, ...] = ("", *"▏▎▍▌▋▊▉")
    return "█" * (eighths // 8) + parts[eighths % 8]
