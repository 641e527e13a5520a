"""What `workbench data ls` and `show` print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

import click
import orjson

from workbench.cli.show import grid
from workbench.config.workbench_yaml import Workbench
from workbench.curation.formats.table import FORMATS
from workbench.curation.stored_datasets import Listed, datasets_in
from workbench.curation.wording import answer_of, asked_in, prompt_of
from workbench.jobs.exporting import find_rows
from workbench.labelling.snapshot import Snapshot
from workbench.labelling.stored_snapshots import ListedSnapshot, snapshots_in
from workbench.nouns import Noun, indented

LONG = 100
"""Characters of a text that are shown."""
EMPTY = """No datasets yet. Bring one in: workbench data import FILE --name NAME --use train
It tells by itself what the file is; `workbench data formats` lists what can be read and written."""


def list_datasets(bench: Workbench, *, as_json: bool) -> None:
    """Print the newest version of every dataset, and the records that were pulled or imported last."""
    found, records = datasets_in(bench.home.root), snapshots_in(bench.home.root)
    if as_json:
        told = [
            m.manifest.model_dump(mode="json") | {"version": m.version, "at": m.at, "path": str(m.path)} for m in found
        ]
        told += [
            {"kind": "records", **r.manifest.model_dump(mode="json", exclude={"form"}), "version": r.n_versions,
             "at": r.at, "path": str(r.path)}
            for r in records
        ]  # fmt: skip
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    if found:
        grid(("dataset", "kind", "use", "rows", "families", "version", "when", "fingerprint"), map(_line, found))
    if records:
        click.echo()
        grid(("records", "rows", "labelled", "labels", "people", "version", "when", "fingerprint"), map(_said, records))
    if not found and not records:
        click.echo(EMPTY)


def show_dataset(bench: Workbench, name: str, skip: int, limit: int, *, as_json: bool) -> None:
    """Print what a dataset is, and some of its rows."""
    stored = find_rows(bench.home.root, name)
    if isinstance(stored, Snapshot):
        _show_records(stored, skip, limit, as_json=as_json)
        return
    rows = list(islice(stored.iter_values(), skip, skip + limit))
    if as_json:
        _print_rows(stored.manifest, rows)
        return
    m = stored.manifest
    click.echo(f"{m.name} {m.use}: {m.n:,} {m.kind} in {m.n_groups:,} families ({m.fingerprint[:12]})")
    for what, told_by in m.rule.items():
        click.echo(f"  {what}: {_short(told_by)}")
    click.echo()
    grid(("id", "prompt", "answer"), [(_short(r.id, 30), _short(prompt_of(r)), _short(answer_of(r))) for r in rows])
    if m.n > skip + len(rows):
        click.echo(f"\n{m.n - skip - len(rows):,} more rows: --skip {skip + limit}")


def _show_records(snapshot: Snapshot, skip: int, limit: int, *, as_json: bool) -> None:
    """Print what labelled records are, and some of them."""
    tasks, m = snapshot.tasks()[skip : skip + limit], snapshot.manifest
    if as_json:
        _print_rows(m, tasks)
        return
    click.echo(f"{m.name}: {m.n_records:,} records, {m.n_labelled:,} labelled, {m.n_labels:,} labels of "
               f"{len(m.annotators)} people under {m.form.version} ({m.fingerprint[:12]})")  # fmt: skip
    click.echo(f"  pulled: {m.pulled_at}\n")
    head, said = ("id", "prompt", "answer", "labels"), Counter(label.record_id for label in snapshot.labels())
    rows = [(t.id, asked_in(t.messages), " | ".join(t.outputs), str(said[t.id])) for t in tasks]
    grid(head, [(_short(id, 30), _short(asked), _short(answer), n) for id, asked, answer, n in rows])
    if m.n_records > skip + len(tasks):
        click.echo(f"\n{m.n_records - skip - len(tasks):,} more records: --skip {skip + limit}")


def _print_rows(manifest: Noun, rows: Sequence[Noun]) -> None:
    told = {"manifest": manifest.model_dump(mode="json"), "rows": [row.model_dump(mode="json") for row in rows]}
    click.echo(indented(told))


def list_formats(*, as_json: bool) -> None:
    """Print what can be read and written."""
    rows = [(f.name, f.kind, f.sign or "only when it is named", "both" if f.write else "in") for f in FORMATS]
    if as_json:
        told = [dict(zip(("format", "kind", "sign", "way"), row, strict=True)) for row in rows]
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        grid(("format", "becomes", "known by", "way"), rows)


def _line(one: Listed) -> tuple[str, ...]:
    m = one.manifest
    when = one.at[:16].replace("T", " ")
    return (m.name, m.kind, m.use, f"{m.n:,}", f"{m.n_groups:,}", str(one.version), when, m.fingerprint[:12])


def _said(one: ListedSnapshot) -> tuple[str, ...]:
    m, when = one.manifest, one.at[:16].replace("T", " ")
    counts = (f"{n:,}" for n in (m.n_records, m.n_labelled, m.n_labels, len(m.annotators), one.n_versions))
    return (m.name, *counts, when, m.fingerprint[:12])


def _short(text: str, limit: int = LONG) -> str:
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"
