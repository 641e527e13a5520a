"""Keep the vectors of each setting in memory as one matrix, equal to the database at the moment of every search.

The database logs each change of a vector (`argilla_search_vector`); a search first reads what was logged since the last
one, in the same snapshot as the rest of its answer. So another process' change is seen at
once, and nothing is read twice.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from argilla_embedded.search.connection import Backend, reading
from argilla_embedded.search.pages import Hit, Page, Search

MOST_BYTES = 4 * 2**30  # of all matrices together; the least recently used goes first
_BATCH = 2000

Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass
class Matrix:
    """The unit vectors of one setting: a row each, its record's number, and up to where the log has been read."""

    dimensions: int
    read: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    units: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    used: int = 0
    free: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, record: str, number: int, unit: Floats) -> None:
        """Set a record's vector, of length 1."""
        row = self.rows.get(record)
        if row is None:
            row = self.free.pop() if self.free else self._grown()
            self.rows[record] = row
        self.numbers[row] = number
        self.units[row] = unit

    def drop(self, record: str) -> None:
        """Forget a record's vector."""
        row = self.rows.pop(record, None)
        if row is not None:
            self.numbers[row] = -1
            self.free.append(row)

    def _grown(self) -> int:
        if self.used == len(self.numbers):
            size = max(1024, self.used * 3 // 2)
            numbers, units = np.full(size, -1, np.int64), np.zeros((size, self.dimensions), np.float32)
            numbers[: self.used], units[: self.used] = (
                self.numbers[: self.used],
                self.units[: self.used].reshape(self.used, self.dimensions),
            )
            self.numbers, self.units = numbers, units
        self.used += 1
        return self.used - 1


_matrices: OrderedDict[tuple[str, str], Matrix] = OrderedDict()
_matrices_lock = threading.Lock()


@dataclass(frozen=True)
class Near:
    """What to be near to: a vector, a record to leave out, how many at most, and the least score."""

    dataset_id: UUID
    settings_id: UUID
    vector: list[float]
    without: UUID | None
    most: int
    threshold: float | None


def find(database_url: str, backend: Backend, near: Near, restrict: Callable[[Search], None]) -> Page:
    """Return the nearest records among those that pass; the total counts those below the threshold too."""
    matrix = _matrix(database_url, near)
    # The lock first and the snapshot second: so the matrix never goes back to an older one.
    with matrix.lock, reading(database_url) as cursor:
        search = Search.of(cursor, backend, near.dataset_id)
        everything = len(search.where)
        restrict(search)
        among = search.numbers() if len(search.where) > everything or search.joins else None
        spelled = (lambda key: key.hex) if backend == "sqlite" else str
        _read_log(matrix, cursor, backend, spelled(near.settings_id))
        row = matrix.rows.get(spelled(near.without)) if near.without else None
        without = int(matrix.numbers[row]) if row is not None else None
        nearest = _nearest(matrix, near, among, without)
        keys = _record_ids(cursor, backend, [number for number, _ in nearest])
    hits = [Hit(UUID(keys[number]), score) for number, score in nearest]
    return Page([hit for hit in hits if near.threshold is None or (hit.score or 0) >= near.threshold], len(hits))


def _nearest(matrix: Matrix, near: Near, among: list[int] | None, without: int | None) -> list[tuple[int, float]]:
    """Score (1 + cosine) / 2, as Elasticsearch does; ties in the order of insertion."""
    wanted = np.asarray(near.vector, np.float32)
    norm = float(np.linalg.norm(wanted))
    numbers = matrix.numbers[: matrix.used]
    kept = numbers >= 0 if without is None else (numbers >= 0) & (numbers != without)
    if among is not None:
        kept &= np.isin(numbers, np.asarray(among, np.int64))
    if not 0 < norm < math.inf or not kept.any() or near.most <= 0:
        return []
    scores = (1 + matrix.units[: matrix.used] @ (wanted / np.float32(norm))) / 2
    places = np.flatnonzero(kept)
    if len(places) > near.most:
        least = np.partition(scores[places], -near.most)[-near.most]
        places = places[scores[places] >= least]
    places = places[np.lexsort((numbers[places], -scores[places]))][: near.most]
    return list(zip(numbers[places].tolist(), scores[places].astype(float).tolist(), strict=True))


def _record_ids(cursor: Any, backend: Backend, numbers: list[int]) -> dict[int, str]:
    listed = ", ".join(str(int(number)) for number in numbers) or "-1"
    cursor.execute(f"SELECT n, record_id FROM argilla_search_record WHERE n IN ({listed})")
    return dict(cursor.fetchall())


def _matrix(database_url: str, near: Near) -> Matrix:
    with _matrices_lock:
        key = (database_url, near.settings_id.hex)
        matrix = _matrices.setdefault(key, Matrix(len(near.vector)))
        _matrices.move_to_end(key)
        while len(_matrices) > 1 and sum(each.units.nbytes for each in _matrices.values()) > MOST_BYTES:
            _matrices.popitem(last=False)
        return matrix


def _read_log(matrix: Matrix, cursor: Any, backend: Backend, settings_id: str) -> None:
    """Bring the matrix to the cursor's snapshot."""
    if backend == "sqlite":
        _read_sqlite(matrix, cursor, settings_id)
    else:
        _read_postgresql(matrix, cursor, settings_id)


def _read_sqlite(matrix: Matrix, cursor: Any, settings_id: str) -> None:
    """Read by number: SQLite's writers come one after another, so a later change has a greater one."""
    cursor.execute(
        """SELECT l.seq, l.record_id, l.alive, r.n, v.value FROM argilla_search_vector AS l
        LEFT JOIN argilla_search_record AS r ON r.record_id = l.record_id
        LEFT JOIN vectors AS v ON l.alive AND v.record_id = l.record_id AND v.vector_settings_id = l.settings_id
        WHERE l.settings_id = ? AND l.seq > ? ORDER BY l.seq""",
        [settings_id, matrix.read],
    )
    while rows := cursor.fetchmany(_BATCH):
        _apply(matrix, [(record, number, value if alive else None) for _, record, alive, number, value in rows])
        matrix.read = rows[-1][0]


def _read_postgresql(matrix: Matrix, cursor: Any, settings_id: str) -> None:
    """Read by transaction: whatever was not yet visible at the last reading has a number at or above its horizon."""
    cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    horizon = cursor.fetchone()[0]
    cursor.execute(
        """SELECT l.record_id, l.alive, r.n, v.value::text FROM argilla_search_vector AS l
        LEFT JOIN argilla_search_record AS r ON r.record_id = l.record_id
        LEFT JOIN vectors AS v ON l.alive AND v.record_id = l.record_id::uuid
        AND v.vector_settings_id = l.settings_id::uuid
        WHERE l.settings_id = %s AND l.changed >= %s""",
        [settings_id, matrix.read],
    )
    while rows := cursor.fetchmany(_BATCH):
        _apply(matrix, [(record, number, value if alive else None) for record, alive, number, value in rows])
    matrix.read = horizon


def _apply(matrix: Matrix, changes: list[tuple[str, int | None, str | None]]) -> None:
    """Set or drop each record's vector; one without a direction, or of another length, is similar to nothing."""
    lists = [from_json(value) if value is not None and number is not None else [] for _, number, value in changes]
    fitting = [place for place, each in enumerate(lists) if len(each) == matrix.dimensions]
    values = np.array([lists[place] for place in fitting], np.float64).reshape(len(fitting), matrix.dimensions)
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(values, axis=1, keepdims=True)
    directed = np.isfinite(norms[:, 0]) & (norms[:, 0] > 0)
    units = np.divide(values, norms, out=np.zeros_like(values), where=directed[:, None]).astype(np.float32)
    kept = {place: units[at] for at, place in enumerate(fitting) if directed[at]}
    for place, (record, number, _) in enumerate(changes):
        if number is not None and place in kept:
            matrix.put(record, number, kept[place])
        else:
            matrix.drop(record)
