"""Tables in Parquet: written row by row, read back by columns; never more than one row group of texts in memory.

Columns are made from and read as plain buffers: pyarrow's own conversions would import pandas, 56 MB and half a second.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, Problem

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Row = dict[str, Any]
CHUNK = 512
"""Rows turned into Arrow at once."""
GROUP_BYTES = 2**19
"""Arrow bytes of a row group. Whoever writes or reads one holds it several times: as Arrow, encoded and compressed."""


class Table:
    """A Parquet file that is written row by row and keeps one row group in memory, and one on its way to the disk.

    Compression needs no interpreter: a thread does it while the next rows come. A disk that is full is told by the next
    `add` that has a group to write, at the latest at the end.
    """

    def __init__(self, path: str, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._makers = [(field.name, _maker(field.type)) for field in schema]
        self._rows: list[Row] = []
        self._pending: list[pa.Table] = []
        self._bytes = 0
        # The least and the greatest text of each group, kept until the end, would be most of what a long run holds.
        known = [field.name for field in schema if str(field.type) in CODES]
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", write_statistics=known)
        self._thread = ThreadPoolExecutor(1)
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._convert()
            self._write()
            self._wait()
        finally:
            self._thread.shutdown()
            self._writer.close()

    def add(self, row: Row) -> None:
        """Append a row, which has every column. A map is given as Arrow gives it, as a list of `key` and `value`."""
        self._rows.append(row)
        if len(self._rows) >= CHUNK:
            self._convert()
            if self._bytes >= GROUP_BYTES:
                self._write()

    def _convert(self) -> None:
        import pyarrow as pa

        rows, self._rows = self._rows, []
        if rows:
            columns = [make([row[name] for row in rows]) for name, make in self._makers]
            self._pending.append(pa.Table.from_arrays(columns, schema=self._schema))
            self._bytes += self._pending[-1].nbytes

    def _write(self) -> None:
        import pyarrow as pa

        pending, self._pending, self._bytes = self._pending, [], 0
        if pending:
            self._wait()
            pa.default_memory_pool().release_unused()
            self._under_way = self._thread.submit(self._writer.write_table, pa.concat_tables(pending))

    def _wait(self) -> None:
        """Wait for the group under way; raises what became of it."""
        if (under_way := self._under_way) is not None:
            self._under_way = None
            under_way.result()


# ---------------------------------------------------------------- values into columns

CODES = {"int64": "q", "int32": "i", "double": "d"}


def _maker(kind: Any) -> Callable[[Sequence[Any]], Any]:
    """Return what makes a column of an Arrow type from values that are right, or `None`."""
    name = str(kind)
    if name in CODES:
        return lambda values: numbers(values, kind)
    makers: dict[str, Callable[[Sequence[Any]], Any]] = {
        "string": texts, "bool": _truths, "list<item: string>": _lists, "map<string, string>": _maps,
    }  # fmt: skip
    return makers[name]


def numbers(values: Sequence[Any], kind: Any) -> Any:
    """Return an Arrow column of numbers."""
    import pyarrow as pa

    valid, gaps = _valid(values)
    if gaps == len(values):
        return pa.nulls(gaps, kind)
    filled = [0 if value is None else value for value in values] if gaps else values
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(array(CODES[str(kind)], filled))], gaps)


def texts(values: Sequence[str | None], large: bool = False) -> Any:
    """Return an Arrow column of texts, `large` where a batch of them may exceed 2 GB."""
    import pyarrow as pa

    valid, gaps = _valid(values)
    kind = pa.large_string() if large else pa.string()
    if gaps == len(values):
        return pa.nulls(gaps, kind)
    filled = [value or "" for value in values]
    joined = "".join(filled)
    # A character of ASCII is a byte: the texts need not be encoded one by one to know where each ends.
    parts = filled if joined.isascii() else [value.encode() for value in filled]
    ends = array("q" if large else "i", itertools.accumulate(map(len, parts), initial=0))
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(ends), pa.py_buffer(joined.encode())], gaps)


def _truths(values: Sequence[bool | None]) -> Any:
    import numpy as np
    import pyarrow as pa

    valid, gaps = _valid(values)
    bits = np.packbits([bool(value) for value in values], bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [valid, pa.py_buffer(bits)], gaps)


def _lists(values: Sequence[list[str] | None]) -> Any:
    import pyarrow as pa

    valid, gaps = _valid(values)
    lengths = [len(value or ()) for value in values]
    inner = texts([text for value in values for text in value or ()])
    buffers = [valid, pa.py_buffer(array("i", itertools.accumulate(lengths, initial=0)))]
    return pa.Array.from_buffers(pa.list_(pa.string()), len(values), buffers, gaps, children=[inner])


def _maps(values: Sequence[list[dict[str, str]]]) -> Any:
    import pyarrow as pa

    ends = numbers(list(itertools.accumulate(map(len, values), initial=0)), pa.int32())
    keys, items = (texts([e[part] for value in values for e in value]) for part in ("key", "value"))
    return pa.MapArray.from_arrays(ends, keys, items)


def _valid(values: Sequence[Any]) -> tuple[Any, int]:
    """Return Arrow's bitmap of the values that are there, and how many are not; no bitmap when all are."""
    import numpy as np
    import pyarrow as pa

    gaps = values.count(None)
    there = np.packbits([value is not None for value in values], bitorder="little") if gaps else None
    return (None if there is None else pa.py_buffer(there)), gaps


# ---------------------------------------------------------------- columns back


def row_groups(path: Path, columns: Sequence[str], coded: Sequence[str] = ()) -> Iterator[dict[str, pa.Array]]:
    """Yield the row groups of a run's table, column by column. Texts named in `coded` come as dictionaries.

    Raises `DataError` where the table is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _told(path), pq.ParquetFile(path, read_dictionary=list(coded), pre_buffer=False) as file:
        for at in range(file.num_row_groups):
            group = file.read_row_group(at, columns=list(columns), use_threads=False)
            found = {name: group.column(name).combine_chunks() for name in columns}
            del group
            yield found
            del found  # before the next one is read
            pa.default_memory_pool().release_unused()


def rows_at(path: Path, places: Iterable[int], columns: Sequence[str]) -> dict[int, Row]:
    """Return the rows of a table at these places, counted from 0, as plain data."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted, begins, found = sorted(places), 0, dict[int, Row]()
    with _told(path), pq.ParquetFile(path, pre_buffer=False) as file:
        for at in range(file.num_row_groups):
            ends = begins + file.metadata.row_group(at).num_rows
            if mine := [place for place in wanted if begins <= place < ends]:
                group = file.read_row_group(at, columns=list(columns), use_threads=False)
                found |= {place: group.slice(place - begins, 1).to_pylist()[0] for place in mine}
                del group
                pa.default_memory_pool().release_unused()
            begins = ends
    return found


def as_numbers(part: pa.Array) -> NDArray[np.float64]:
    """Return a column of numbers or truths as floats, what is missing as NaN."""
    import numpy as np

    valid, data = part.buffers()
    if str(part.type) == "bool":
        found = _bits(data, part).astype(float)
    else:
        found = np.frombuffer(data, CODES[str(part.type)], len(part), part.offset * part.type.bit_width // 8).astype(
            float
        )
    if part.null_count:
        found[_bits(valid, part) == 0] = np.nan
    return found


def as_codes(part: pa.DictionaryArray) -> tuple[NDArray[np.int32], list[str]]:
    """Return a column of coded texts as indices into the list of its texts, -1 where there is none."""
    import numpy as np

    found = np.frombuffer(part.indices.buffers()[1], "i", len(part), part.offset * 4).copy()
    if part.null_count:
        found[_bits(part.indices.buffers()[0], part) == 0] = -1
    return found, part.dictionary.to_pylist()


def _bits(buffer: Any, part: Any) -> NDArray[np.uint8]:
    import numpy as np

    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), bitorder="little")
    return bits[part.offset : part.offset + len(part)]


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what pyarrow says of a damaged file into a `DataError`."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as exc:
        what = f"a table of this run cannot be read: {str(exc).splitlines()[0]}"
        raise DataError(Problem("DAMAGED_TABLE", what, str(path), fix="restore the run's folder")) from exc
