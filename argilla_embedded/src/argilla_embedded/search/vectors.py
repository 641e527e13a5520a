"""Keep the vectors of each setting in memory as one matrix, equal to the database at the moment of every search.

The database logs each change of a vector (`argilla_search_vector`); a search first reads what was logged since the last
one, in the same snapshot as the rest of its answer. So another process' change is seen at
once, and nothing is read twice. A new process reads chunks of floats first (`kept_vectors`).
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np

from argilla_embedded.search import kept_vectors
from argilla_embedded.search.connection import Backend, reading
from argilla_embedded.search.kept_vectors import Floats, Numbers, Stretch, Units, converted, spelled
from argilla_embedded.search.pages import Hit, Page, Search

MOST_BYTES = 4 * 2**30  # of all matrices together; the least recently used goes first
END = 2**62  # beyond every place in a log


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

    def apply(self, units: Units) -> None:
        """Set each record's vector, or forget it."""
        for record in [name for name, n in zip(units.records, units.numbers, strict=True) if n < 0]:
            if (row := self.rows.pop(record, None)) is not None:
                self.numbers[row] = -1
                self.free.append(row)
        kept = np.flatnonzero(units.numbers >= 0)
        names = [units.records[place] for place in kept.tolist()]
        fresh = [name for name in names if name not in self.rows]
        self.rows.update(zip(fresh, self._places(len(fresh)), strict=True))
        at = np.fromiter((self.rows[name] for name in names), np.int64, len(names))
        self.numbers[at] = units.numbers[kept]
        self.units[at] = units.rows[kept]

    def _places(self, count: int) -> list[int]:
        """Return rows that nobody has."""
        found = [self.free.pop() for _ in range(min(count, len(self.free)))]
        wanted = self.used + count - len(found)
        if wanted > len(self.numbers) or self.units.shape[1] != self.dimensions:
            size = max(1024, wanted, len(self.numbers) * 3 // 2)
            numbers, units = np.full(size, -1, np.int64), np.zeros((size, self.dimensions), np.float32)
            numbers[: self.used] = self.numbers[: self.used]
            units[: self.used] = self.units[: self.used].reshape(self.used, self.dimensions)
            self.numbers, self.units = numbers, units
        found += range(self.used, wanted)
        self.used = wanted
        return found


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
    kept_vectors.keep(database_url, backend, near.settings_id, len(near.vector))
    matrix = _matrix(database_url, near)
    # The lock first and the snapshot second: so the matrix never goes back to an older one.
    with matrix.lock, reading(database_url) as cursor:
        search = Search.of(cursor, backend, near.dataset_id)
        everything = len(search.where)
        restrict(search)
        among = search.numbers() if len(search.where) > everything or search.joins else None
        _read_log(matrix, cursor, backend, spelled(backend, near.settings_id))
        row = matrix.rows.get(spelled(backend, near.without)) if near.without else None
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
    """Bring the matrix to the cursor's snapshot.

    SQLite's log is read by number: its writers come one after another, so a later change has a greater one.
    PostgreSQL's by transaction: whatever was not yet visible has a number at or above the horizon of the last reading.
    """
    since = matrix.read  # and only at the end another, so that a failure half way loses nothing
    for upto, units in kept_vectors.chunks(cursor, backend, settings_id, since, matrix.dimensions):
        matrix.apply(units)
        since = upto
    if backend == "sqlite":
        cursor.execute("SELECT max(seq) FROM argilla_search_vector WHERE settings_id = ?", [settings_id])
    else:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    horizon = cursor.fetchone()[0] or 0
    for batch in kept_vectors.changes(cursor, backend, settings_id, Stretch(since, END)):
        matrix.apply(converted(batch, matrix.dimensions))
    matrix.read = max(since, horizon)
