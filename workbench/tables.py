"""Tables over run folders, answered by DuckDB straight from Parquet.

The files are the truth; nothing is imported into a database. Every function takes paths and returns plain rows. Means
over whole runs and slices stand, with their intervals, in each run's summary: they are read there, not made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from workbench.errors import DataError, Problem

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]


@contextmanager
def connection(**views: Path | Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield an in-memory DuckDB with one view a keyword, over one Parquet file or many of the same columns.

    Each view has the files' columns and `run`, the name of the folder that a row comes from. DuckDB may read only the
    named files: no extension is loaded and no other path or address is opened. Damaged files raise `DataError`.
    """
    import duckdb

    db = _database().cursor()
    try:
        for name, files in views.items():
            paths = [str(p) for p in ([files] if isinstance(files, Path) else files)]
            db.execute(
                f'CREATE TEMP VIEW "{name}" AS SELECT * EXCLUDE filename, parse_path(filename)[-2] AS run '
                f"FROM read_parquet({_literal(paths)}, filename = true)"
            )
        yield db
    except (duckdb.IOException, duckdb.InvalidInputException) as exc:
        raise _damaged(exc) from exc
    finally:
        db.close()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Return the process's DuckDB. It holds nothing, connections have views of their own; opening one takes 25 ms."""
    import duckdb

    return duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})


def rows(db: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> list[Row]:
    """Return a query's rows as dicts, missing values as `None`."""
    found = db.execute(query, list(values))
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def page(
    db: duckdb.DuckDBPyConnection,
    view: str,
    *,
    where: str = "true",
    values: Sequence[object] = (),
    order: str,
    start: int,
    size: int,
) -> list[Row]:
    """Return one page of a view. `where` and `order` are the program's own SQL; user input goes into `values`."""
    return rows(
        db, f'SELECT * FROM "{view}" WHERE {where} ORDER BY {order} LIMIT {int(size)} OFFSET {int(start)}', values
    )


def metrics(summaries: Sequence[Path], tag: str = "") -> list[Row]:
    """Return the metrics of finished runs, over the whole run or by the values of a tag, as the runs' summaries say.

    Columns: `run`, the folder's name; `scorer`, `slice` as `name=value`, `value`, `n`, `n_failed`, `interval` as a dict
    or `None`. Damaged files raise `DataError`.
    """
    beginning, found = f"{tag}=", list[Row]()
    for path in summaries:
        run = path.parent.name
        for m in _metrics(path):
            part = m["slice"]
            if part.startswith(beginning) if tag else not part:
                found.append(
                    {"run": run, "scorer": m["scorer"], "slice": part, "value": m["value"], "n": m["n"],
                     "n_failed": m["n_failed"], "interval": m["interval"]}
                )  # fmt: skip
    return found


def _metrics(path: Path) -> list[Row]:
    try:
        found: list[Row] = orjson.loads(path.read_bytes())["metrics"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        what = f"the summary of this run cannot be read: {exc}"
        raise DataError(Problem("DAMAGED_RUN", what, str(path), fix="restore the run's folder")) from exc
    return found


def _literal(paths: Sequence[str]) -> str:
    return "[" + ", ".join("'" + p.replace("'", "''") + "'" for p in paths) + "]"


def _damaged(exc: Exception) -> DataError:
    text = str(exc).splitlines()[0]
    return DataError(
        Problem("DAMAGED_TABLE", f"a table of this run cannot be read: {text}", fix="restore the run's folder")
    )
