"""The few answers of a run that somebody should look at: scored worst, not scored, not answered."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.runs import ScorerInfo
from workbench.store.home import RunFolder
from workbench.store.parquet import Row, as_codes, as_numbers, row_groups, rows_at

KEY = ("sample_id", "repeat")
TEXTS = ("question", "references", "output")


def worst_samples(folder: RunFolder, info: ScorerInfo, size: int = 5) -> list[Row]:
    """Return the samples with the lowest scores (highest, where lower is better), then by id: what to look at first.

    Samples with the best possible score are left out.
    """
    import numpy as np

    sign, best = (-1.0, info.low) if info.better == "lower" else (1.0, info.high)
    worst: list[tuple[float, str, float, int]] = []
    begins = 0
    for part in row_groups(folder.scores, ["scorer", "value", *KEY], ["scorer"]):
        values = as_numbers(part["value"])
        mine = _of(part["scorer"], info.name) & (values == values) & (values != best)
        if mine.any():
            # Of many equal values the first ids are wanted: no id beyond the worst values needs to be looked at.
            signed = sign * values
            few = min(size, int(mine.sum()))
            limit = np.partition(signed[mine], few - 1)[few - 1]
            ids, repeats = part["sample_id"].to_pylist(), as_numbers(part["repeat"])
            places = (mine & (signed <= limit)).nonzero()[0]
            found = ((float(signed[i]), ids[i], float(repeats[i]), begins + int(i)) for i in places)
            worst = heapq.nsmallest(size, itertools.chain(worst, found))
        begins += len(values)
    scores = rows_at(folder.scores, [place for *_, place in worst], [*KEY, "value", "label", "reason"])
    return _with_texts(folder, [scores[place] for *_, place in worst])


def unscored(folder: RunFolder, size: int) -> list[Row]:
    """Return the first answers that a scorer should have scored and could not."""
    places = _failing(folder.scores, size, but_not=("no_output", "not_applicable"))
    scores = rows_at(folder.scores, places, [*KEY, "scorer", "failure", "failure_message", "raw"])
    return _with_texts(folder, [scores[place] for place in places])


def unanswered(folder: RunFolder, size: int) -> list[Row]:
    """Return the first samples to which the model gave no usable answer."""
    places = _failing(folder.samples, size)
    found = rows_at(folder.samples, places, [*KEY, *TEXTS, "failure", "failure_message"])
    return [found[place] for place in places]


def _of(column: Any, name: str) -> Any:
    codes, names = as_codes(column)
    return codes == (names.index(name) if name in names else -2)


def _failing(path: Path, size: int, but_not: Sequence[str] = ()) -> list[int]:
    """Return the first rows with a failure."""
    found: list[int] = []
    begins = 0
    for part in row_groups(path, ["failure"], ["failure"]):
        codes, kinds = as_codes(part["failure"])
        real = [code for code, kind in enumerate(kinds) if kind not in but_not]
        found += [begins + int(i) for code in real for i in (codes == code).nonzero()[0][:size]]
        begins += len(codes)
    return sorted(found)[:size]


def _with_texts(folder: RunFolder, scores: Sequence[Row]) -> list[Row]:
    """Return rows of the table of scores, each with what was asked and answered."""
    wanted = {(row["sample_id"], row["repeat"]) for row in scores}
    if not wanted:
        return []
    ids = {sample_id for sample_id, _ in wanted}
    places: list[int] = []
    begins = 0
    for part in row_groups(folder.samples, ["sample_id"]):
        found = part["sample_id"].to_pylist()
        places += [begins + i for i, sample_id in enumerate(found) if sample_id in ids]
        begins += len(found)
    answers = {(a["sample_id"], a["repeat"]): a for a in rows_at(folder.samples, places, [*KEY, *TEXTS]).values()}
    return [answers[row["sample_id"], row["repeat"]] | row for row in scores]
