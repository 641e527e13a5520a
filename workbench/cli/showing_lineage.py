"""What `data show --lineage` and `--row` print: indented trees."""

from __future__ import annotations

import click
import orjson

from workbench.config.workbench_yaml import Workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.jobs.atlas import Atlas
from workbench.jobs.exporting import find_rows, record_of
from workbench.jobs.lineage import Node, lineage
from workbench.jobs.row_lineage import find_row, row_lineage
from workbench.labelling.snapshot import Snapshot
from workbench.nouns import Many, indented
from workbench.reports.escaping import one_line, visible

NAME, NOTE = 100, 200
"""Characters of a name and of a note."""


def show_lineage(bench: Workbench, name: str, *, as_json: bool) -> None:
    """Print what a dataset was made from and what was made of it."""
    found = lineage(find_dataset(bench.home.root, name), Atlas(bench.home))
    if as_json:
        click.echo(orjson.dumps(found.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode())
        return
    click.echo(_told(found.dataset))
    click.echo("made from" if found.parents else "made from nothing that its manifest names")
    _branches(found.parents, "")
    click.echo("made of it" if found.children else "nothing in this home was made of it")
    _branches(found.children, "")


def show_row(bench: Workbench, name: str, row_id: str, *, with_lineage: bool, as_json: bool) -> None:
    """Print one row whole, or what it rests on; of a record also what people said of it."""
    stored = find_rows(bench.home.root, name)
    if isinstance(stored, Snapshot):
        text = indented(record_of(stored, row_id))
        click.echo(text if as_json else visible(text))
        return
    if not with_lineage:
        row = find_row(stored, row_id).model_dump(mode="json")
        text = indented(row)
        click.echo(text if as_json else visible(text))
        return
    found = row_lineage(stored, row_id, Atlas(bench.home))
    if as_json:
        click.echo(orjson.dumps(found.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode())
        return
    click.echo(_told(found))
    _branches(found.nodes, "")


def _branches(nodes: Many[Node], before: str) -> None:
    for at, node in enumerate(nodes, 1):
        last = at == len(nodes)
        click.echo(f"{before}{'└─ ' if last else '├─ '}{_told(node)}")
        _branches(node.nodes, before + ("   " if last else "│  "))


def _told(node: Node) -> str:
    note = f"  ({one_line(node.note, NOTE)})" if node.note else ""
    return f"{node.kind} {one_line(node.name, NAME)}{note}"
