"""Rows of a file, or of a folder that `datasets` saved, that Argilla's client wrote, or that holds one file of rows.

A folder of `datasets.save_to_disk` holds Arrow streams, which are read in batches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from workbench.errors import DataError, Problem
from workbench.reading.parquet_rows import BATCH, plain_rows
from workbench.reading.rows import RawRow, rows_in
from workbench.reading.source import KINDS, Source, open_source, stamp
from workbench.store.files import sha256_of

ARGILLA = ".argilla/settings.json"
MAX_DOCUMENT = 512 * 2**20
"""Bytes of the largest JSON document that is read whole."""


@dataclass(frozen=True)
class Given:
    """Where rows come from."""

    path: Path
    sha256: str
    """Hash of all bytes that hold rows."""
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since the epoch of the newest file."""
    source: Source | None
    """The file; `None` for a folder of several."""
    files: tuple[Path, ...] = ()
    """Arrow streams in order, or the one JSON document of Argilla."""

    @property
    def tables(self) -> bool:
        """Whether every value is the text of a cell."""
        return self.source is not None and self.source.kind in ("csv", "tsv")

    def rows(self) -> Iterator[RawRow]:
        """Yield the rows. Raises `DataError` where there are none, or a file is damaged or changes meanwhile."""
        if self.source is not None:
            yield from rows_in(self.source)
        elif self.files[0].suffix == ".json":
            yield from _document(self.files[0])
        else:
            yield from _streams(self.files)
        if self.files and _hash(self.files) != self.sha256:
            raise DataError(Problem("FILE_CHANGED", "a file changed while it was being read", str(self.path)))


def open_given(path: Path) -> Given:
    """Find out what a path holds. Raises `DataError` for what cannot be read, and for a folder with several sets."""
    if not path.is_dir():
        source = open_source(path)
        return Given(path, source.sha256, source.size, source.modified, source)
    if (path / ARGILLA).is_file() and (path / "records.json").is_file():
        return _files(path, (path / "records.json",))
    if (path / "dataset_dict.json").is_file():
        names = sorted(p.parent.name for p in path.glob("*/state.json"))
        fix = f"name one of its splits: {', '.join(str(path / name) for name in names)}"
        raise DataError(Problem("SEVERAL_SETS", f"the folder holds {len(names)} splits", str(path), fix=fix))
    if (path / "state.json").is_file():
        return _saved(path)
    return _only_file(path)


def _saved(path: Path) -> Given:
    """Return a folder of `save_to_disk`, whose state names its streams."""
    try:
        named = [str(one["filename"]) for one in orjson.loads((path / "state.json").read_bytes())["_data_files"]]
    except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
        what = "state.json does not name the files of the data"
        raise DataError(Problem("FOLDER_DAMAGED", what, str(path), fix="save the dataset again")) from exc
    if any(Path(name).name != name for name in named):
        raise DataError(Problem("FOLDER_DAMAGED", "a file lies outside the folder", str(path), fix="save it again"))
    return _files(path, tuple(path / name for name in named))


def _only_file(path: Path) -> Given:
    """Return the one file of rows in a folder, or in its `data`."""
    found = [p for at in (path, path / "data") if at.is_dir() for p in sorted(at.iterdir()) if p.suffix in KINDS]
    found = [p for p in found if p.suffix != ".json" and p.name != "quarantine.jsonl"]
    if len(found) == 1:
        source = open_source(found[0])
        return Given(path, source.sha256, source.size, source.modified, source)
    what = f"the folder holds {len(found)} files of rows"
    names = f"name one of {', '.join(p.name for p in found[:10])}" if found else "name a file, or a dataset's folder"
    raise DataError(Problem("SEVERAL_SETS" if found else "NO_RECORDS", what, str(path), fix=names))


def _files(path: Path, files: tuple[Path, ...]) -> Given:
    if missing := [file for file in files if not file.is_file()] or ([path] if not files else []):
        raise DataError(
            Problem("FILE_MISSING", "a file of the dataset is missing", str(missing[0]), fix="save it again")
        )
    states = [stamp(file) for file in files]
    return Given(path, _hash(files), sum(s for s, _ in states), max(m for _, m in states), None, files)


def _hash(files: tuple[Path, ...]) -> str:
    return hashlib.sha256("".join(sha256_of(file) for file in files).encode()).hexdigest()


def _streams(files: tuple[Path, ...]) -> Iterator[RawRow]:
    """Yield the rows of Arrow streams, the line counted through all of them."""
    import pyarrow as pa

    number = 0
    for path in files:
        try:
            with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
                for whole in stream:
                    for start in range(0, whole.num_rows, BATCH):
                        for row in plain_rows(whole.slice(start, BATCH), str(path), number):
                            number += 1
                            yield RawRow(number, row)
        except (pa.ArrowException, OSError) as exc:
            what = f"damaged Arrow: {str(exc).splitlines()[0]}"
            raise DataError(Problem("ARROW_CORRUPT", what, str(path), fix="save the dataset again")) from exc
    if not number:
        raise DataError(Problem("NO_RECORDS", "no records in the folder", str(files[0].parent), fix="save rows in it"))


def _document(path: Path) -> Iterator[RawRow]:
    """Yield the members of a list that is one JSON document, as Argilla's client writes it."""
    if path.stat().st_size > MAX_DOCUMENT:
        what = f"one JSON document of more than {MAX_DOCUMENT:,} bytes"
        raise DataError(Problem("FILE_TOO_LARGE", what, str(path), fix="export it with to_datasets and save_to_disk"))
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as exc:
        raise DataError(Problem("JSON_SYNTAX", f"not JSON: {exc.msg}", str(path), exc.lineno)) from exc
    if not isinstance(found, list) or not found:
        raise DataError(Problem("NO_RECORDS", "no list of records in the file", str(path), fix="export it again"))
    for number, row in enumerate(found, 1):
        wrong = Problem("NOT_AN_OBJECT", "a row must be a JSON object", str(path), number)
        yield RawRow(number, row if isinstance(row, dict) else wrong)
