"""What a page of a dashboard asks of a million scores, answered by DuckDB straight from the run folders."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, Goal
from benchmarks.run_folders import write_runs
from benchmarks.setting import Setting
from workbench.store.home import RunFolder
from workbench.tables import Row, connection, rows

NAME = "tables"
MEANS = "avg(value) AS mean, count(value) AS n, count(failure) AS failed"
RUN_BY_SLICE = f"SELECT scorer, tags['topic'] AS topic, {MEANS} FROM scores GROUP BY ALL ORDER BY ALL"
ALL_RUNS = f"SELECT run, scorer, {MEANS} FROM scores GROUP BY ALL ORDER BY ALL"
ALL_BY_SLICE = f"SELECT run, scorer, tags['language'] AS language, {MEANS} FROM scores GROUP BY ALL ORDER BY ALL"
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

    name: str
    views: dict[str, Path | Sequence[Path]]
    query: str
    values: tuple[str, ...] = ()

    def ask(self) -> tuple[list[Row], float]:
        """Return the rows and the milliseconds they took, from opening a connection to plain rows."""
        began = time.perf_counter()
        with connection(**self.views) as db:
            found = rows(db, self.query, self.values)
        return found, 1000 * (time.perf_counter() - began)


def tables(setting: Setting) -> list[Figure]:
    """Measure every page once a round, after one round that does not count: the files are in the system's cache."""
    pages = _pages(write_runs(setting))
    took: dict[str, list[float]] = {page.name: [] for page in pages}
    for number in (0, *setting.each_round()):
        setting.say(f"round {number}" if number else "one round that does not count")
        for page in pages:
            found, milliseconds = page.ask()
            if not found:
                raise RuntimeError(f"{page.name}: no rows")
            if number:
                took[page.name].append(milliseconds)
    return [Figure(NAME, name, "ms", tuple(values), Goal("<=", 50)) for name, values in took.items()]


def _pages(folders: Sequence[RunFolder]) -> list[Page]:
    every = [folder.scores for folder in folders]
    before, after = folders[0], folders[-1]
    return [
        Page("one run by slice", {"scores": after.scores}, RUN_BY_SLICE),
        Page("means of all runs", {"scores": every}, ALL_RUNS),
        Page("all runs by slice", {"scores": every}, ALL_BY_SLICE),
        Page(
            "failing samples of one run, a page of 50 with text",
            {"scores": after.scores, "samples": after.samples},
            FAILING_PAGE,
            ("scorer-1",),
        ),
        Page("two runs compared on their shared samples", {"before": before.scores, "after": after.scores}, TWO_RUNS),
    ]
