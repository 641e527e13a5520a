"""What `data diff` and `evalset diff` print."""

from __future__ import annotations

from collections.abc import Sequence

import click
import orjson

from workbench.cli.show import grid
from workbench.curation.contamination import Contamination, Scan
from workbench.curation.versions import Changed, Diff, FieldChange
from workbench.reports.escaping import one_line

LONG = 400
"""Characters of a field that are shown."""
AROUND = 40
"""Characters of what is the same that are shown beside a change."""


def show_diff(found: Diff, limit: int, *, as_json: bool) -> None:
    """Print what differs between two versions."""
    if as_json:
        click.echo(orjson.dumps(found.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode())
        return
    click.echo(f"{', '.join(found.before) or 'nothing'} → {', '.join(found.after) or 'nothing'}")
    click.echo(
        f"{found.n_before:,} rows → {found.n_after:,}: {len(found.added):,} added, {len(found.removed):,} removed, "
        f"{len(found.changed):,} changed, {found.n_same:,} the same"
    )
    _ids("added", found.added, limit)
    _ids("removed", found.removed, limit)
    for row in found.changed[:limit]:
        _changed(row)
    _more(len(found.changed) - limit, "changed rows")
    if found.moved:
        click.echo("\nmoved")
    for move in found.moved[:limit]:
        click.echo(f"  {one_line(move.id, 80)}: {move.what} {one_line(move.before, 80)} → {one_line(move.after, 80)}")
    _more(len(found.moved) - limit, "moves")


def _ids(what: str, ids: Sequence[str], limit: int) -> None:
    if ids:
        click.echo(f"\n{what}\n" + "\n".join(f"  {one_line(name, 120)}" for name in ids[:limit]))
        _more(len(ids) - limit, "")


def _changed(row: Changed) -> None:
    click.echo(f"\nchanged {one_line(row.id, 120)}")
    for change in row.fields:
        click.echo(f"  {one_line(change.field, 80)}: {_told(change)}")


def _told(change: FieldChange) -> str:
    """Return a change in one line; what is the same is cut to what stands around."""
    if not change.words:
        return f"{_plain(change.before)} → {_plain(change.after)}"
    told = []
    for piece in change.words:
        text = _stretch(piece.text)
        if piece.kind == "same" and len(text) > 2 * AROUND:
            told.append(f"{text[:AROUND]} … {text[-AROUND:]}")
        else:
            told.append({"same": text, "out": f"[-{text}-]", "in": f"{{+{text}+}}"}[piece.kind])
    return "".join(told)


def _stretch(text: str) -> str:
    """Return a stretch in one line, with the spaces that part it from its neighbours."""
    lead, tail = " " * text[:1].isspace(), " " * (text[-1:].isspace() and bool(text.strip()))
    return f"{lead}{one_line(text, LONG)}{tail}"


def _plain(value: object) -> str:
    return "nothing" if value is None else one_line(str(value), LONG)


def _more(n: int, what: str) -> None:
    if n > 0:
        click.echo(f"  … {n:,} more {what}".rstrip() + " (--limit, --json)")


def show_scan(found: Scan, limit: int, *, as_json: bool) -> None:
    """Print what of each benchmark a dataset holds."""
    if as_json:
        click.echo(orjson.dumps(found.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode())
        return
    head = ("benchmark", "its rows", "found in", f"of {found.n:,}", "recognised", "by")
    grid(head, [_scan_row(one, found.n) for one in found.found])
    for one in found.found:
        for example in one.examples[:limit]:
            click.echo(f"\n{one.benchmark} {one_line(example.known, 80)}: {one_line(example.known_text, LONG)}")
            click.echo(f"  {one_line(example.id, 80)} ({example.how}): {one_line(example.text, LONG)}")


def _scan_row(one: Contamination, n: int) -> tuple[str, ...]:
    share = f"{one.n_rows / n:.2%}" if n else "—"
    signs = ", ".join(f"{how} {count}" for how, count in sorted(one.signs.items()))
    return (one.benchmark, f"{one.n_benchmark:,}", f"{one.n_rows:,}", share, f"{one.n_known:,}", signs)
