"""The report of an audit: a row a check, then what each found, with examples and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.curation.evalsets.finding import Audit, Finding, State
from workbench.reports.document import Badge, Block, Document, Facts, Heading, Paragraph, Table
from workbench.reports.document import State as Shown

WORDS: dict[State, tuple[Shown, str]] = {
    "good": ("pass", "good"),
    "look": ("fail", "look"),
    "unknown": ("inconclusive", "unknown"),
}


def audit_document(audit: Audit) -> Document:
    """Return the report of an audit."""
    sizes = ", ".join(f"{n} {side}" for side, n in audit.sides.items())
    prints = ", ".join(f"{side} {one[:12]}" for side, one in audit.fingerprints.items())
    rows = [(one.check, Badge(*WORDS[one.state]), f"{one.n}", f"{one.of}", one.told) for one in audit.findings]
    table = Table(("check", "", "n", "of", "what"), rows, frozenset({"n", "of"}))
    details = [block for one in audit.findings for block in _details(one)]
    return Document(
        f"Audit of {audit.evalset}", [Facts([f"samples: {sizes}", f"fingerprints: {prints}"]), table, *details]
    )


def _details(one: Finding) -> Iterable[Block]:
    if not one.examples and not one.do:
        return
    yield Heading(one.check.capitalize())
    yield Paragraph(one.told + (f". To do: {one.do}." if one.do else "."))
    if one.examples:
        yield Table(("", "what"), [(example.id, example.text) for example in one.examples])
        if one.n > len(one.examples):
            yield Paragraph(f"and {one.n - len(one.examples)} more")
