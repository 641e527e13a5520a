"""Whether two runs may be compared at all, and metric by metric: same samples, same rule, same judge, or the reason."""

from __future__ import annotations

from workbench.evaluation.arms import Pool, sample_ids, served_models
from workbench.models import NOT_IDENTITY
from workbench.runs import EvalRun
from workbench.scoring.specs import saved_scorer

SHOWN = 3
"""Sample ids, and settings, that are named where two runs differ."""
LONGEST = 80
"""Characters of a setting's value that is shown."""


def why_other_samples(baseline: Pool, candidate: Pool) -> str:
    """Return in what the samples of two arms differ, or an empty string when they are the same."""
    a, b = baseline[0].run, candidate[0].run
    if a.dataset.fingerprint != b.dataset.fingerprint:
        return (
            f"they ran on different rows: {_dataset(a)} and {_dataset(b)}; evaluate both models on the same evalset, "
            "version and --use"
        )
    asked_a, asked_b = sample_ids(baseline), sample_ids(candidate)
    if asked_a == asked_b:
        return ""
    parts = [_only(a.id, asked_a - asked_b), _only(b.id, asked_b - asked_a)]
    return "they ran on different samples: " + "; ".join(p for p in parts if p) + "; run both with the same --limit"


def _dataset(run: EvalRun) -> str:
    return f"{run.id} on {run.dataset.name} {run.dataset.use} {run.dataset.fingerprint[:12]} ({run.dataset.n} samples)"


def _only(run_id: str, ids: set[str]) -> str:
    named = ", ".join(sorted(ids)[:SHOWN]) + (", …" if len(ids) > SHOWN else "")
    return f"{len(ids)} only in {run_id} ({named})" if ids else ""


def why_mixed(pool: Pool) -> str:
    """Return why runs must not be pooled, or an empty string: one name was answered by two models."""
    first = pool[0] if pool else None
    for other in pool[1:]:
        then, now = served_models([pool[0]]), served_models([other])
        if then and now and then != now and first is not None:
            return (
                f"run {first.run.id} was answered by {', '.join(then)} and run {other.run.id} by {', '.join(now)}: two "
                "models under one name; name the exact version in workbench.yaml, which makes it a candidate of its own"
            )
    return ""


def why_uneven(pool: Pool, scorer: str) -> str:
    """Return why the runs of one arm cannot be pooled for a metric, or an empty string."""
    return next((why for f in pool[1:] if (why := why_other_rule(pool[0].run, f.run, scorer))), "")


def why_other_rule(baseline: EvalRun, candidate: EvalRun, scorer: str) -> str:
    """Return why the two runs' scores of one metric were made differently, or an empty string."""
    old, new = (next((i for i in run.scorers if i.name == scorer), None) for run in (baseline, candidate))
    if old is None or new is None:
        return f"only {candidate.id if old is None else baseline.id} has it"
    mend = f"score the older answers anew: workbench eval rescore {baseline.id}"
    if old.version != new.version:
        return f"the scorer's version was {old.version} for the baseline and is {new.version} now; {mend}"
    key = f"scorer:{scorer}"
    if baseline.spec.fingerprints.get(key) != candidate.spec.fingerprints.get(key):
        return f"the scorer's settings differ{_settings(baseline, candidate, scorer)}; {mend}"
    for judge in _judges(candidate, scorer):
        if _identity(baseline, judge) != _identity(candidate, judge):
            then, now = _told(baseline.spec.judges.get(judge, {}), candidate.spec.judges.get(judge, {}))
            return f"the judge '{judge}' is another model now than it was for the baseline: {then} → {now}; {mend}"
    return ""


def _told(old: dict[str, object], new: dict[str, object]) -> tuple[str, str]:
    """Return two judges in the settings in which they differ; equal ones differ in the files that they name."""
    names = [n for n in sorted(old.keys() | new.keys()) if n not in NOT_IDENTITY and old.get(n) != new.get(n)]
    if not names:
        return "its files then", "its files now"
    then, now = (", ".join(f"{name} {_short(spec.get(name))}" for name in names[:SHOWN]) for spec in (old, new))
    return then, now


def _settings(baseline: EvalRun, candidate: EvalRun, scorer: str) -> str:
    """Return the settings that differ in brackets, short ones with both values."""
    old, new = _spec(baseline, scorer), _spec(candidate, scorer)
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    short = [(n, _short(old.get(n)), _short(new.get(n))) for n in names]
    told = [n if not (a and b) else f"{n}: {a} → {b}" for n, a, b in short]
    return f" ({', '.join(told)})" if told else ""


def _short(value: object) -> str:
    """Return a setting's value where it fits a sentence, else nothing."""
    text = "none" if value is None else repr(value)
    return text if len(text) <= LONGEST else ""


def _spec(run: EvalRun, scorer: str) -> dict[str, object]:
    at = [info.name for info in run.scorers].index(scorer)  # specs and scorers are in one order
    return run.spec.scorers[at]


def _judges(run: EvalRun, scorer: str) -> tuple[str, ...]:
    """Return the names of the models that a saved scorer calls."""
    return saved_scorer(_spec(run, scorer)).judges()


def _identity(run: EvalRun, judge: str) -> str | None:
    return run.spec.fingerprints.get(f"judge:{judge}")
