"""What one side of a comparison scored, sample by sample: one finished run, or several with their repeats pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.evaluation.comparison import Arm
from workbench.evaluation.run import read_run
from workbench.evaluation.summary import measured_latency
from workbench.runs import EvalRun, ScorerInfo, Spending
from workbench.store.home import RunFolder
from workbench.tables import Row, connection, rows


@dataclass(frozen=True)
class Finished:
    """A finished run and where its tables lie."""

    run: EvalRun
    folder: RunFolder

    @classmethod
    def read(cls, folder: RunFolder) -> Finished:
        """Read a run. Raises `DataError` when it is not finished or damaged."""
        return cls(read_run(folder), folder)

    def info(self, scorer: str) -> ScorerInfo | None:
        """Return what a scorer of the run is, or `None` when it has no such scorer."""
        return next((info for info in self.run.scorers if info.name == scorer), None)


Pool = Sequence[Finished]
"""One run, or several of the same candidate, oldest first."""


@dataclass(frozen=True)
class SampleScores:
    """What one scorer said of all answers to one sample."""

    family: str
    tags: dict[str, str]
    values: tuple[float, ...]
    n_failed: int
    """Answers that should have a score and have none."""
    n_apart: int
    """Answers to which the scorer does not apply."""

    @property
    def applies(self) -> bool:
        """Whether the scorer applies to the sample."""
        return bool(self.values) or self.n_failed > 0

    @property
    def scores(self) -> tuple[float, ...] | None:
        """The scores of all repeats; `None` when one is missing, for the others may be the lucky ones."""
        return self.values if self.values and not self.n_failed else None

    @property
    def mean(self) -> float | None:
        """The scores averaged over repeats; `None` when one is missing."""
        return sum(self.scores) / len(self.scores) if self.scores else None


def sample_scores(pool: Pool, scorer: str) -> dict[str, SampleScores]:
    """Return a scorer's scores by sample id, in the ids' order. An answer without any row of scores has failed."""
    with connection(samples=_samples(pool), scores=_scores(pool)) as db:
        found = rows(
            db,
            """SELECT sample_id, any_value(a.family) AS family, any_value(a.tags) AS tags,
                      list(s.value ORDER BY a.run, a.repeat) FILTER (s.value IS NOT NULL) AS scores,
                      count(*) FILTER (s.failure = 'not_applicable') AS apart, count(*) AS n
               FROM samples a LEFT JOIN (SELECT * FROM scores WHERE scorer = ?) s USING (run, sample_id, repeat)
               GROUP BY sample_id ORDER BY sample_id""",
            [scorer],
        )
    return {row["sample_id"]: _sample_scores(row) for row in found}


def _sample_scores(row: Row) -> SampleScores:
    values = tuple(row["scores"] or ())
    failed = row["n"] - len(values) - row["apart"]
    return SampleScores(row["family"], dict(row["tags"] or {}), values, failed, row["apart"])


@dataclass(frozen=True)
class Answer:
    """What one answer took and cost."""

    sample_id: str
    family: str
    failed: bool
    cached: bool
    latency: float | None
    cost: float | None


def answers(pool: Pool) -> list[Answer]:
    """Return time and price of every answer."""
    columns = "sample_id, family, failure IS NOT NULL, cached, latency, cost"
    query = f"SELECT {columns} FROM samples ORDER BY run, position, repeat"
    with connection(samples=_samples(pool)) as db:
        return [Answer(*row) for row in db.execute(query).fetchall()]


def served_models(pool: Pool) -> tuple[str, ...]:
    """Return the names by which the answering models called themselves, in order; recorded answers may have none."""
    query = "SELECT DISTINCT served_model FROM samples WHERE served_model <> '' ORDER BY 1"
    with connection(samples=_samples(pool)) as db:
        return tuple(row[0] for row in db.execute(query).fetchall())


def asked_again(pool: Pool) -> frozenset[str]:
    """Return the samples that some run failed to answer before it was asked again."""
    return frozenset(name for finished in pool for name in finished.run.asked_again)


def sample_ids(pool: Pool) -> set[str]:
    """Return the ids of all samples that were asked."""
    with connection(samples=_samples(pool)) as db:
        return {row[0] for row in db.execute("SELECT DISTINCT sample_id FROM samples").fetchall()}


def arm(pool: Pool) -> Arm:
    """Return the arm's counts, time and money."""
    first = pool[0].run
    with connection(samples=_samples(pool)) as db:
        latency = measured_latency(db)
    return Arm(
        model=pool[-1].run.spec.model_name,
        runs=tuple(finished.run.id for finished in pool),
        repeats=sum(finished.run.spec.repeats for finished in pool),
        n_attempted=sum(finished.run.n_attempted for finished in pool),
        n_answered=sum(finished.run.n_output for finished in pool),
        fingerprints=first.spec.fingerprints,
        served_models=served_models(pool),
        n_asked_again=len(asked_again(pool)),
        latency=latency,
        spending=_added([finished.run.candidate for finished in pool]),
    )


def _added(parts: Sequence[Spending]) -> Spending:
    costs = [part.cost for part in parts]
    return Spending(
        calls=sum(part.calls for part in parts),
        cached=sum(part.cached for part in parts),
        input_tokens=sum(part.input_tokens for part in parts),
        output_tokens=sum(part.output_tokens for part in parts),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        unpriced_calls=sum(part.unpriced_calls for part in parts),
    )


def _samples(pool: Pool) -> list[Path]:
    return [finished.folder.samples for finished in pool]


def _scores(pool: Pool) -> list[Path]:
    return [finished.folder.scores for finished in pool]
