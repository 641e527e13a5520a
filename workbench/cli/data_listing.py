"""What `workbench data ls` and `show` print."""

from __future__ import annotations

from itertools import islice

import click
import orjson

from workbench.cli.show import grid
from workbench.config.workbench_yaml import Workbench
from workbench.curation.formats.table import FORMATS
from workbench.curation.stored_datasets import Listed, datasets_in, find_dataset
from workbench.datasets import Conversation, PreferencePair, Row

LONG = 100
"""Characters of a text that are shown."""
EMPTY = """No datasets yet. Bring one in: workbench data import FILE --name NAME --use train
It tells by itself what the file is; `workbench data formats` lists what can be read and written."""


def list_datasets(bench: Workbench, *, as_json: bool) -> None:
    """Print the newest version of every dataset."""
    found = datasets_in(bench.home.root)
    if as_json:
        told = [
            m.manifest.model_dump(mode="json") | {"version": m.version, "at": m.at, "path": str(m.path)} for m in found
        ]
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    elif found:
        head = ("dataset", "kind", "use", "rows", "families", "version", "when", "fingerprint")
        grid(head, map(_line, found))
    else:
        click.echo(EMPTY)


def show_dataset(bench: Workbench, name: str, skip: int, limit: int, *, as_json: bool) -> None:
    """Print what a dataset is, and some of its rows."""
    stored = find_dataset(bench.home.root, name)
    rows = list(islice(stored.iter_values(), skip, skip + limit))
    if as_json:
        told = {"manifest": stored.manifest.model_dump(mode="json"), "rows": [r.model_dump(mode="json") for r in rows]}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    m = stored.manifest
    click.echo(f"{m.name} {m.use}: {m.n:,} {m.kind} in {m.n_groups:,} families ({m.fingerprint[:12]})")
    for what, told_by in m.rule.items():
        click.echo(f"  {what}: {_short(told_by)}")
    click.echo()
    grid(("id", "prompt", "answer"), [(_short(r.id, 30), _short(prompt_of(r)), _short(answer_of(r))) for r in rows])
    if m.n > skip + len(rows):
        click.echo(f"\n{m.n - skip - len(rows):,} more rows: --skip {skip + limit}")


def list_formats(*, as_json: bool) -> None:
    """Print what can be read and written."""
    rows = [(f.name, f.kind, f.sign or "only when it is named", "both" if f.write else "in") for f in FORMATS]
    if as_json:
        told = [dict(zip(("format", "kind", "sign", "way"), row, strict=True)) for row in rows]
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        grid(("format", "becomes", "known by", "way"), rows)


def prompt_of(row: Row) -> str:
    """Return what a row asks, in one text."""
    turns = row.prompt if isinstance(row, PreferencePair) else row.messages
    return next((m.content for m in reversed(turns) if m.role == "user"), "")


def answer_of(row: Row) -> str:
    """Return what a row teaches or accepts, in one text."""
    if isinstance(row, PreferencePair):
        return f"{row.chosen.text()} > {row.rejected.text()}"
    if isinstance(row, Conversation):
        return row.messages[-1].content or ", ".join(c.name for c in row.messages[-1].tool_calls)
    return " | ".join(row.references)


def _line(one: Listed) -> tuple[str, ...]:
    m = one.manifest
    when = one.at[:16].replace("T", " ")
    return (m.name, m.kind, m.use, f"{m.n:,}", f"{m.n_groups:,}", str(one.version), when, m.fingerprint[:12])


def _short(text: str, limit: int = LONG) -> str:
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"
