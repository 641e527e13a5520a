"""A stored dataset: a folder named by the hash of its rows, read lazily, refused when damaged."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from workbench.datasets import ROW_OF, Manifest, Row, Sample
from workbench.errors import DataError, Problem
from workbench.nouns import Noun, plain_of
from workbench.store.files import flush, sha256_of, told_when_full, write_atomic
from workbench.store.parquet import numbers, texts

R = TypeVar("R", bound=Noun)
ROW_GROUP = 1000
"""Rows written, and later read, at once."""
MEND = "remove the dataset's folder; the next command stores it again from its source"


@dataclass
class StoredRow:
    """A row as it is stored; read as a sample only where one is needed."""

    position: int
    """Place in the dataset, from 0."""
    id: str
    family: str
    text: str
    """Canonical JSON of the sample."""
    file: Path

    @cached_property
    def sample(self) -> Sample:
        """The row as a sample. Raises `DataError` where it is none."""
        try:
            return noun_of(Sample, self.text)
        except ValueError as exc:
            raise DataError(_damaged(self.file, str(exc).splitlines()[0])) from exc


@dataclass(frozen=True)
class StoredDataset:
    """Rows on disk with their manifest. Reading holds one batch in memory."""

    path: Path
    """The folder, named by the fingerprint."""
    manifest: Manifest
    """What it is and where it comes from."""
    notes: dict[str, int] = field(default_factory=dict)
    """Unusual but accepted things in the source, counted by code, such as `BLANK_LINE`."""

    def iter_rows(self, batch: int = 256) -> Iterator[list[StoredRow]]:
        """Yield the rows in batches, in the source's order."""
        file = self.rows
        for columns in self._columns(batch, ["position", "id", "family", "row"]):
            yield [StoredRow(p, i, f, t, file) for p, i, f, t in zip(*columns, strict=True)]

    def iter_samples(self, batch: int = 256) -> Iterator[list[tuple[int, Sample]]]:
        """Yield (position from 0, sample) in batches, in the source's order."""
        for rows in self.iter_rows(batch):
            yield [(row.position, row.sample) for row in rows]

    def iter_values(self, batch: int = 256) -> Iterator[Row]:
        """Yield the rows, as the manifest's kind, in the stored order. Raises `DataError` where one is not of it."""
        noun = ROW_OF[self.manifest.kind]
        for rows in self.iter_rows(batch):
            for row in rows:
                try:
                    yield noun_of(noun, row.text)
                except ValueError as exc:
                    raise DataError(_damaged(self.rows, str(exc).splitlines()[0])) from exc

    @property
    def rows(self) -> Path:
        """The table of rows."""
        return self.path / "rows.parquet"

    def _columns(self, batch: int, names: list[str]) -> Iterator[list[list[Any]]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.rows, pre_buffer=False) as file:
                for part in batches(file, batch, names):
                    yield [column.to_pylist() for column in part.columns]
        except (pa.ArrowException, OSError) as exc:
            raise DataError(_damaged(self.rows, str(exc).splitlines()[0])) from exc


def open_dataset(path: Path, manifest: Manifest | None = None, notes: dict[str, int] | None = None) -> StoredDataset:
    """Open a stored dataset. Raises `DataError` if a file is missing or its content is not what was written."""
    try:
        written = Manifest.model_validate_json((path / "manifest.json").read_bytes())
        hashed = (path / "rows.sha256").read_text("ascii").split()[0]
        found = sha256_of(path / "rows.parquet")
    except (OSError, ValidationError, ValueError, IndexError) as exc:
        raise DataError(_damaged(path, str(exc).splitlines()[0])) from exc
    if found != hashed:
        raise DataError(_damaged(path / "rows.parquet", f"its hash is {found[:12]}…, not {hashed[:12]}…"))
    if written.fingerprint != path.name:
        raise DataError(_damaged(path / "manifest.json", f"it speaks of {written.fingerprint}"))
    return StoredDataset(path, manifest or written, notes or {})


def write_rows(folder: Path, rows: Iterable[tuple[str, str, str]]) -> None:
    """Write (id, family, canonical JSON) rows to `rows.parquet`, durably, in groups, and the file's hash beside it."""
    rows = iter(rows)
    with RowsWriter(folder) as writer:
        while group := list(itertools.islice(rows, ROW_GROUP)):
            ids, families, texts = zip(*group, strict=True)
            writer.add(ids, families, [text.encode() for text in texts])


class RowsWriter:
    """Writes `rows.parquet` of a dataset's folder group by group; its hash, durably, when the block ends well.

    Compression needs no interpreter: a thread does it while the next rows come. A disk that is full is told by the next
    `add`, at the latest at the end.
    """

    def __init__(self, folder: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._folder, self._position = folder, 0
        self._schema = pa.schema(
            [("position", pa.int64()), *((name, pa.large_string()) for name in ("id", "family", "row"))]
        )
        how = {"compression": "zstd", "use_dictionary": ["family"], "write_statistics": ["position", "id"]}
        with told_when_full(folder):
            self._writer = pq.ParquetWriter(folder / "rows.parquet", self._schema, **how)
        self._thread = ThreadPoolExecutor(1)
        self._under_way: Future[None] | None = None

    def __enter__(self) -> RowsWriter:
        return self

    def add(self, ids: Sequence[str], families: Sequence[str], contents: Sequence[bytes]) -> None:
        """Append rows as one group; `contents` are their canonical JSON."""
        import pyarrow as pa

        if not ids:
            return
        places = numbers(range(self._position, self._position + len(ids)), pa.int64())
        columns = [places, texts(ids, large=True), texts(families, large=True), _octets(contents)]
        group = pa.Table.from_arrays(columns, schema=self._schema)
        self._wait()
        self._under_way = self._thread.submit(self._writer.write_table, group)
        self._position += len(ids)

    def _wait(self) -> None:
        """Wait for the group under way; raises what became of it."""
        if (under_way := self._under_way) is not None:
            self._under_way = None
            with told_when_full(self._folder):
                under_way.result()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        path = self._folder / "rows.parquet"
        try:
            self._wait()
        finally:
            self._thread.shutdown()
            with told_when_full(path):
                self._writer.close()
        with told_when_full(path):
            if kind is None:
                flush(path)
        if kind is None:
            write_atomic(self._folder / "rows.sha256", f"{sha256_of(path)}  rows.parquet\n".encode())


def _octets(contents: Sequence[bytes]) -> Any:
    """Return an Arrow column of texts that are UTF-8 already."""
    import pyarrow as pa

    ends = array("q", itertools.accumulate(map(len, contents), initial=0))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(contents))]
    return pa.Array.from_buffers(pa.large_string(), len(contents), buffers, 0)


def batches(file: Any, size: int, columns: list[str] | None = None) -> Iterator[Any]:
    """Yield record batches of a ParquetFile, one row group after the other: all at once, it would keep ten of them."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(size, row_groups=[group], columns=columns, use_threads=False)


def noun_of(noun: type[R], text: str) -> R:
    """Return a row. Half of a surrogate pair stands escaped in the file; pydantic's own reader of JSON refuses it."""
    return noun.model_validate(plain_of(text)) if "\\ud" in text else noun.model_validate_json(text)


def _damaged(path: Path, reason: str) -> Problem:
    return Problem("DATASET_DAMAGED", f"the stored dataset is damaged: {reason}", str(path), fix=MEND)
