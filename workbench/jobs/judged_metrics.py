"""Which metrics of a run a judge gives, by which inputs, and when a value of theirs is a pass."""

from __future__ import annotations

from workbench.errors import ConfigError, Problem
from workbench.nouns import fingerprint
from workbench.runs import EvalRun, ScorerInfo
from workbench.scoring.base import Scorer
from workbench.scoring.specs import saved_scorer
from workbench.store.home import RunFolder


def judged_metrics(run: EvalRun, *, binary: bool = True) -> list[str]:
    """Return the metrics of a run that a judge gives; with `binary` only those of pass and fail."""
    pairs = zip(run.scorers, run.spec.scorers, strict=True)
    return [i.name for i, spec in pairs if (i.binary or not binary) and saved_scorer(spec).judges()]


def scorer_of(run: EvalRun, metric: str) -> Scorer:
    """Return the scorer of a judged metric, as the run saved it. Raises `ConfigError` for a metric without a judge."""
    info = info_of(run, metric)
    scorer = saved_scorer(run.spec.scorers[run.scorers.index(info)])
    if not scorer.judges():
        fix = f"name one of: {', '.join(judged_metrics(run, binary=False)) or 'none, this run has no judge'}"
        raise ConfigError(Problem("NOT_JUDGED", "no judge gives this metric", field="judge", got=metric, fix=fix))
    return scorer


def info_of(run: EvalRun, metric: str) -> ScorerInfo:
    """Return what a run says of a metric. Raises `ConfigError` for one that it does not have."""
    found = next((info for info in run.scorers if info.name == metric), None)
    if found is None:
        known_names = ", ".join(info.name for info in run.scorers)
        what = "the run has no such metric"
        raise ConfigError(Problem("UNKNOWN_METRIC", what, field="judge", got=metric, fix=f"it has: {known_names}"))
    return found


def judge_of(run: EvalRun, metric: str) -> str:
    """Return the judging model's name; of a panel all of them."""
    return "+".join(scorer_of(run, metric).judges())


def inputs_of(run: EvalRun, metric: str) -> dict[str, str]:
    """Return the fingerprints of rubric and judging models of a judged metric."""
    prints = run.spec.fingerprints
    return inputs_by(prints[f"scorer:{metric}"], [prints[f"judge:{name}"] for name in scorer_of(run, metric).judges()])


def inputs_by(scorer: str, judges: list[str]) -> dict[str, str]:
    """Return what a calibration is void without: the scorer's fingerprint and the judge's, or the whole panel's."""
    return {"scorer": scorer, "judge": judges[0] if len(judges) == 1 else fingerprint(judges)}


def passes(value: float, info: ScorerInfo, pass_from: float | None) -> bool:
    """Return whether a value is a pass: the good one of two, or one that reaches `pass_from`."""
    if pass_from is None:
        return value == (1 if info.better == "higher" else 0)
    return value >= pass_from if info.better == "higher" else value <= pass_from


def refuse_without_threshold(info: ScorerInfo, pass_from: float | None) -> None:
    """Raise `ConfigError` for a metric that is not 0 or 1 and says nowhere what a pass is, or the other way round."""
    if info.binary and pass_from is not None:
        what, fix = "this metric is pass or fail already", "leave --pass-from out"
        raise ConfigError(Problem("NOT_BINARY", what, field="pass_from", fix=fix))
    if not info.binary and pass_from is None:
        fix = "say from which value it passes: --pass-from 4; or use a rubric with a binary scale"
        what = "a judge is measured on pass and fail, and this metric is not binary"
        raise ConfigError(Problem("NOT_BINARY", what, field="judge", got=info.name, fix=fix))


def judged_values(folder: RunFolder, info: ScorerInfo) -> dict[str, float | None]:
    """Return what the judge said of each answer that it was asked of, by the record id that labelling gives it."""
    import pyarrow.parquet as pq

    columns = ["sample_id", "repeat", "scorer", "value", "failure"]
    found: dict[str, float | None] = {}
    for row in pq.read_table(folder.scores, columns=columns, use_threads=False).to_pylist():
        if row["scorer"] == info.name and row["failure"] not in ("not_applicable", "no_output"):
            id = row["sample_id"] if row["repeat"] == 0 else f"{row['sample_id']}#{row['repeat']}"
            found[id] = row["value"]
    return found
