"""What a page of a dashboard asks of a million scores, answered straight from the run folders.

Of one run or two by DuckDB from the tables; of all runs from their summaries, which hold means and intervals already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, Goal
from benchmarks.run_folders import write_runs
from benchmarks.setting import Setting
from workbench.store.home import RunFolder
from workbench.tables import Row, connection, metrics, rows

NAME = "tables"
MEANS = "avg(value) AS mean, count(value) AS n, count(failure) AS failed"
RUN_BY_SLICE = f"SELECT scorer, tags['topic'] AS topic, {MEANS} FROM scores GROUP BY ALL ORDER BY ALL"
FAILING_PAGE = """
    SELECT s.sample_id, s.value, s.reason, s.failure, a.question, a.output, a."references", a.given_contexts
    FROM scores s JOIN samples a USING (sample_id, repeat)
    WHERE s.scorer = ? AND (s.value = 0 OR s.failure IS NOT NULL) ORDER BY s.position, s.repeat LIMIT 50"""
TWO_RUNS = """
    SELECT scorer, count(*) AS n, avg(b.value - a.value) AS difference, count(*) FILTER (b.value > a.value) AS better,
           count(*) FILTER (b.value < a.value) AS worse
    FROM before a JOIN after b USING (sample_id, repeat, scorer)
    WHERE a.value IS NOT NULL AND b.value IS NOT NULL GROUP BY scorer ORDER BY scorer"""


@dataclass(frozen=True)
class Page:
    """One question of a page: the files it may read, the query, and its values."""

    views: dict[str, Path]
    query: str
    values: tuple[str, ...] = ()

    def __call__(self) -> list[Row]:
        """Return the rows."""
        with connection(**self.views) as db:
            return rows(db, self.query, self.values)


def tables(setting: Setting) -> list[Figure]:
    """Measure every page once a round, after one round that does not count: the files are in the system's cache."""
    pages = _pages(write_runs(setting))
    took: dict[str, list[float]] = {name: [] for name in pages}
    for number in (0, *setting.each_round()):
        setting.say(f"round {number}" if number else "one round that does not count")
        for name, ask in pages.items():
            began = time.perf_counter()
            found = ask()
            milliseconds = 1000 * (time.perf_counter() - began)
            if not found:
                raise RuntimeError(f"{name}: no rows")
            if number:
                took[name].append(milliseconds)
    return [Figure(NAME, name, "ms", tuple(values), Goal("<=", 50)) for name, values in took.items()]


def _pages(folders: Sequence[RunFolder]) -> dict[str, Callable[[], list[Row]]]:
    every = [folder.summary for folder in folders]
    before, after = folders[0], folders[-1]
    both = {"scores": after.scores, "samples": after.samples}
    return {
        "one run by slice": Page({"scores": after.scores}, RUN_BY_SLICE),
        "means of all runs": partial(metrics, every),
        "all runs by slice": partial(metrics, every, "language"),
        "failing samples of one run, a page of 50 with text": Page(both, FAILING_PAGE, ("scorer-1",)),
        "two runs compared on their shared samples": Page({"before": before.scores, "after": after.scores}, TWO_RUNS),
    }
