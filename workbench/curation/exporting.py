"""A stored dataset → files that others read: JSONL, CSV or Parquet in a chosen format, whole or not at all.

Every row is read back before it is written (`formats/writing.py`), so what a format cannot say is known and told.
"""

from __future__ import annotations

import csv
import json
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from workbench.curation.formats.format import OURS, Fields, Format, Kind
from workbench.curation.formats.openai_rules import OpenAIRules
from workbench.curation.formats.table import BY_NAME, format_named
from workbench.curation.formats.writing import CELLS, Losses, cells_of, row_of
from workbench.curation.packages import PACKAGES, FileKind, Package
from workbench.curation.parquet_out import write_parquet
from workbench.datasets import Manifest
from workbench.errors import DataError, Problem
from workbench.reading.source import KINDS
from workbench.reading.stored import StoredDataset
from workbench.store.files import flush, replacing, told_when_full


@dataclass(frozen=True)
class Export:
    """What is to be written, and where."""

    to: str
    """Name of a package or a format."""
    out: Path
    """A file or, for a package of several files, a folder."""
    bare: bool = False
    """Nothing beside the format's own columns."""
    skip_unfit: bool = False
    """Leave out rows that the format cannot hold, instead of refusing all."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    format: Format
    files: tuple[Path, ...]
    n: int
    """Rows written."""
    unfit: Counter[str]
    """Rows left out, by the reason."""
    lost: Counter[str]
    """Rows by the field that was left out of them."""
    advice: tuple[str, ...] = ()


SAID = ("labels", "resolved")
"""Columns of what people said of a record, and of the one answer that was made of it."""


@dataclass(frozen=True)
class Outgoing:
    """What is exported: a dataset's rows, or records with what people said of them."""

    kind: Kind
    """What a row is."""
    where: str
    """Its folder, for messages."""
    n: int
    """Rows."""
    rows: Callable[[], Iterator[Fields]]
    """Yields each row as plain data; of a record with what is `SAID` of it."""
    manifest: Manifest | None
    """`None` of records, which no package with files of its own takes."""


def export(stored: StoredDataset, wish: Export) -> Exported:
    """Write a dataset. Raises `DataError` where the format cannot hold a row, or a file is there already."""
    m = stored.manifest
    return export_rows(Outgoing(m.kind, str(stored.path), m.n, lambda: _plain(stored), m), wish)


def export_rows(stored: Outgoing, wish: Export) -> Exported:
    """Write rows of any kind, as `export` does."""
    package, format = _target(stored, wish.to)
    if wish.out.exists():
        fix = "choose another path, or remove it"
        raise DataError(Problem("FILE_EXISTS", "exists already and is left as it is", str(wish.out), fix=fix))
    losses, rules = Losses(), OpenAIRules() if format.name == "openai" else None
    work = wish.out.with_name(f".{wish.out.name}.{uuid.uuid4().hex[:8]}") if package and package.files else None
    place = wish.out if work is None or package is None else work / package.rows
    try:
        rows = _rows(stored, format, wish, losses, rules, _file_kind(place))
        with told_when_full(place), replacing(place) as temporary:
            n = _write(temporary, _file_kind(place), format, rows)
            _judge(stored, format, wish, losses, rules)
        files = [wish.out]
        if work is not None and package is not None:
            files = _beside(work, package, stored, losses, wish.out)
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
    advice = tuple(rules.advice()) if rules else ()
    return Exported(format, tuple(files), n, losses.rows, losses.fields, advice)


def _target(stored: Outgoing, to: str) -> tuple[Package | None, Format]:
    """Return the package, if it is one, and the format for a dataset's kind. Raises `DataError`."""
    kind = stored.kind
    package = next((p for p in PACKAGES if p.name == to), None)
    if package is None and to not in BY_NAME:
        known = [p.name for p in PACKAGES] + [f.name for f in BY_NAME.values() if f.write]
        raise DataError(
            Problem("FORMAT_UNKNOWN", "no format has this name", "", None, "--to", to, f"one of: {', '.join(known)}")
        )
    format = format_named(package.formats[kind]) if package and kind in package.formats else BY_NAME.get(to)
    if format is None or format.kind != kind or format.write is None:
        fitting = [p.name for p in PACKAGES if kind in p.formats] + [
            f.name for f in BY_NAME.values() if f.write and f.kind == kind
        ]
        what = f"'{to}' has no form for {kind}"
        raise DataError(Problem("CANNOT_HOLD", what, stored.where, fix=f"one of: {', '.join(dict.fromkeys(fitting))}"))
    return package, format


def _file_kind(path: Path) -> FileKind:
    found = KINDS.get(path.suffix.lower())
    if found in ("jsonl", "csv", "parquet"):
        return found
    raise DataError(
        Problem("FILE_KIND", "the name does not say what to write", str(path), fix="name it .jsonl, .csv or .parquet")
    )


def _plain(stored: StoredDataset) -> Iterator[Fields]:
    return (noun.model_dump(mode="json") for noun in stored.iter_values())


def _rows(
    stored: Outgoing, format: Format, wish: Export, losses: Losses, rules: OpenAIRules | None, file: FileKind
) -> Iterator[Fields]:
    for fields in stored.rows():
        said = {name: found for name in SAID if (found := fields.pop(name, ()))}
        if rules is not None:
            rules.see(fields)
        make = cells_of if file == "csv" else row_of
        row = make(fields, format, wish.bare, losses) if file == "jsonl" or _holds(fields, losses) else None
        if row is not None:
            yield row | said


def _holds(fields: Fields, losses: Losses) -> bool:
    """Return whether a table of UTF-8 can hold a row's texts; one that it cannot is counted."""
    try:
        orjson.dumps(fields)
    except TypeError:
        losses.rows["half of a surrogate pair, which only a .jsonl file can hold"] += 1
        return False
    return True


def _write(path: Path, kind: FileKind, format: Format, rows: Iterator[Fields]) -> int:
    """Write rows; return how many."""
    n = 0
    if kind == "parquet":
        return write_parquet(path, rows)
    if kind == "jsonl":
        with path.open("wb") as file:
            for row in rows:
                file.write(_line(row) + b"\n")
                n += 1
        return n
    names = CELLS.get(format.name)
    if names is None:
        fix = f"one of: {', '.join(CELLS)}"
        raise DataError(Problem("CANNOT_HOLD", f"'{format.name}' is no table of texts", got="CSV", fix=fix))
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, [*names, OURS], lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            n += 1
    return n


def _line(row: Fields) -> bytes:
    """Return a row as a line of JSON; half of a surrogate pair, which UTF-8 has not, is escaped."""
    try:
        return orjson.dumps(row)
    except TypeError:
        return json.dumps(row, separators=(",", ":"), allow_nan=False).encode()


def _judge(stored: Outgoing, format: Format, wish: Export, losses: Losses, rules: OpenAIRules | None) -> None:
    """Raise `DataError` where rows cannot be held, or OpenAI would refuse them; then nothing is kept."""
    where = stored.where
    if losses.rows and not wish.skip_unfit:
        fix = "choose another format, or leave such rows out with --skip-unfit"
        raise DataError(
            Problem("CANNOT_HOLD", f"{n:,} rows that '{format.name}' cannot hold: {why}", where, fix=fix)
            for why, n in losses.rows.most_common()
        )
    if losses.rows.total() == stored.n:
        raise DataError(
            Problem("NO_RECORDS", f"'{format.name}' can hold none of the rows", where, fix="choose another")
        )
    if rules is not None and (found := rules.found()):
        raise DataError(found)


def _beside(work: Path, package: Package, stored: Outgoing, losses: Losses, out: Path) -> list[Path]:
    """Write the files that belong to the rows, and put the folder in its place."""
    assert package.files is not None and stored.manifest is not None
    thumbed = package.name == "llama-factory" and b'"label":' in (work / package.rows).read_bytes()[:65_536]
    told = "thumbs" if thumbed else package.formats[stored.kind]
    for name, text in package.files(stored.manifest, told).items():
        with replacing(work / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    flush(work)
    work.rename(out)
    flush(out.parent)
    return sorted(p for p in out.rglob("*") if p.is_file())
