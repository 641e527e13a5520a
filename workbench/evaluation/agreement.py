"""How far a judge can be trusted on a run: its verdicts beside a gold scorer's on the same answers."""

from __future__ import annotations

from pydantic import Field

from workbench.errors import ConfigError, Problem
from workbench.nouns import Noun
from workbench.runs import EvalRun, Interval
from workbench.statistics.intervals import wilson
from workbench.store.home import RunFolder
from workbench.tables import connection, rows


class Rate(Noun):
    """A share with its counts and interval."""

    value: float | None
    """The share; `None` when there is nothing to share."""
    k: int = Field(ge=0)
    """How many."""
    n: int = Field(ge=0)
    """Of how many."""
    interval: Interval | None
    """Wilson's interval; `None` when n is 0."""


class JudgeCheck(Noun):
    """A binary judge against binary gold labels."""

    judge: str
    """The judged metric."""
    gold: str
    """The metric taken for the truth."""
    slice: str = ""
    """`name=value` of the tag that the check was limited to; empty: all answers."""
    accuracy: Rate
    """Share of equal verdicts."""
    tpr: Rate
    """Share of the truly good answers that the judge passes."""
    tnr: Rate
    """Share of the truly bad answers that the judge fails."""
    kappa: float | None = None
    """Cohen's kappa: agreement beyond what both would have by chance; `None` where one of them knows one class only."""
    warning: str = ""
    """What cannot be told from these labels, and what to do; empty when all can."""
    n_unjudged: int = Field(ge=0)
    """Answers with a gold label to which the judge gave no verdict; they are in none of the shares."""


def check_judge(
    run: EvalRun, folder: RunFolder, judge: str, gold: str, tag: tuple[str, str] | None = None
) -> JudgeCheck:
    """Compare two binary metrics of a run, on one slice or all. Raises `ConfigError` where one is not binary."""
    j, g = (_good(run, name) for name in (judge, gold))
    with connection(scores=folder.scores) as db:
        where = "" if tag is None else "AND g.tags[?] = ?"
        found = rows(
            db,
            f"""SELECT count(*) FILTER (g.value = {g} AND j.value = {j}) AS tp,
                      count(*) FILTER (g.value = {g} AND j.value = {1 - j}) AS fn,
                      count(*) FILTER (g.value = {1 - g} AND j.value = {1 - j}) AS tn,
                      count(*) FILTER (g.value = {1 - g} AND j.value = {j}) AS fp,
                      count(*) FILTER (j.value IS NULL) AS unjudged
               FROM scores g JOIN scores j USING (sample_id, repeat)
               WHERE g.scorer = ? AND j.scorer = ? AND g.value IS NOT NULL {where}""",
            [gold, judge, *(tag or ())],
        )[0]
    if tag is not None and not any(found.values()):
        what, got = "no answer with a gold label has this tag", "=".join(tag)
        raise ConfigError(Problem("NO_SUCH_SLICE", what, field="slice", got=got, fix="see the slices in the report"))
    tp, fn, tn, fp = (found[name] for name in ("tp", "fn", "tn", "fp"))
    return JudgeCheck(
        judge=judge,
        gold=gold,
        slice="=".join(tag or ()),
        accuracy=_rate(tp + tn, tp + fn + tn + fp),
        tpr=_rate(tp, tp + fn),
        tnr=_rate(tn, tn + fp),
        kappa=_kappa(tp, fn, tn, fp),
        warning=_single_class(tp + fn, tn + fp),
        n_unjudged=found["unjudged"],
    )  # fmt: skip


def _kappa(tp: int, fn: int, tn: int, fp: int) -> float | None:
    """Return (p_o - p_e) / (1 - p_e) (Cohen 1960), where p_e is the agreement of two who label by chance."""
    n = tp + fn + tn + fp
    if not n or not (tp + fn and tn + fp and tp + fp and tn + fn):
        return None
    by_chance = ((tp + fn) * (tp + fp) + (tn + fp) * (tn + fn)) / n**2
    return ((tp + tn) / n - by_chance) / (1 - by_chance)


def _single_class(good: int, bad: int) -> str:
    """Return the warning that gold labels of one class deserve."""
    if (good and bad) or not good + bad:
        return ""
    word, lacking = ("good", "TNR") if good else ("bad", "TPR")
    return f"every gold label is {word}: {lacking} and kappa cannot be told; add answers of the other class"


def _good(run: EvalRun, name: str) -> int:
    """Return the value of a good answer: 1, or 0 where lower is better. Raises `ConfigError` unless it is binary."""
    info = next((info for info in run.scorers if info.name == name), None)
    if info is None:
        known = ", ".join(i.name for i in run.scorers)
        raise ConfigError(
            Problem("UNKNOWN_METRIC", "the run has no such metric", field="metric", got=name, fix=f"it has: {known}")
        )
    if not info.binary:
        fix = "a judge is checked on pass and fail; choose a binary metric"
        raise ConfigError(Problem("NOT_BINARY", "this metric is not binary", field="metric", got=name, fix=fix))
    return 1 if info.better == "higher" else 0


def _rate(k: int, n: int) -> Rate:
    return Rate(value=k / n if n else None, k=k, n=n, interval=wilson(k, n) if n else None)
