"""How answers change beside their scores: whether they become longer, or decline more often."""

from __future__ import annotations

from collections.abc import Callable

from workbench.evaluation.arms import Finished, SampleScores
from workbench.evaluation.compare import difference
from workbench.evaluation.comparison import MetricDifference
from workbench.runs import ScorerInfo
from workbench.scoring.abstaining import abstains
from workbench.tables import Row, connection, rows

LENGTH = ScorerInfo(name="characters", kind="drift", version="1", low=None, high=None)
REFUSALS = ScorerInfo(name="refusals", kind="drift", version="1", low=0.0, high=1.0, binary=True)
Look = Callable[[Row], float | None]
"""From an answer's row to what is looked at; `None`: there is nothing to look at."""


def length_drift(a: Finished, b: Finished) -> MetricDifference:
    """Return by how many characters B's answers are longer than A's, over samples that both answered."""
    return _drift(a, b, LENGTH, _characters)


def refusal_drift(a: Finished, b: Finished) -> MetricDifference:
    """Return by how much more often B declines than A."""
    return _drift(a, b, REFUSALS, _declines)


def mean_length(finished: Finished) -> float | None:
    """Return the mean length of an answer in characters."""
    return _mean(finished, _characters)


def refusal_share(finished: Finished) -> float | None:
    """Return the share of answers that decline, by the server's word or by saying that they do not know."""
    return _mean(finished, _declines)


def _drift(a: Finished, b: Finished, info: ScorerInfo, look: Look) -> MetricDifference:
    old, new = _looked(a, look), _looked(b, look)
    return difference({name: (old[name], found) for name, found in new.items()}, info)


def _mean(finished: Finished, look: Look) -> float | None:
    values = [scores.mean for scores in _looked(finished, look).values()]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _looked(finished: Finished, look: Look) -> dict[str, SampleScores]:
    """Return what is looked at by sample id; an answer that has none of it counts as missing."""
    query = "SELECT sample_id, family, output, failure FROM samples ORDER BY sample_id, repeat"
    found: dict[str, SampleScores] = {}
    with connection(samples=finished.folder.samples) as db:
        for row in rows(db, query):
            before = found.get(row["sample_id"], SampleScores(row["family"], {}, (), 0, 0))
            value = look(row)
            values = before.values if value is None else (*before.values, value)
            n_failed = before.n_failed + (value is None)
            found[row["sample_id"]] = SampleScores(row["family"], {}, values, n_failed, 0)
    return found


def _characters(row: Row) -> float | None:
    return None if row["failure"] is not None else float(len(row["output"]))


def _declines(row: Row) -> float | None:
    if row["failure"] is not None:
        return 1.0 if row["failure"] == "refusal" else None
    return float(abstains(row["output"]))
