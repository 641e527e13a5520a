"""What finished runs say of samples: passed by all or by none, telling models apart, enough to see a margin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from workbench.curation.evalsets.finding import Example, Finding, finding, unknown
from workbench.statistics.power import Plan, detectable_difference, detectable_from_se

PASSED, FAILED = 0.999, 0.001
"""Share of a scorer's range from which a sample counts as passed, and down to which as failed."""
LEAST_MODELS = 3
"""Models from which on it can be told whether a sample ranks them as the others do."""
AGAINST = -0.3
"""Correlation with the other samples below which a sample ranks models the wrong way round."""
DISCORDANT = 0.2
"""Share of samples on which two models are taken to differ where no two runs say it."""
ICC = 0.3
"""Correlation within families that is taken where no two runs say it."""


@dataclass(frozen=True)
class Scored:
    """One model's scores by one scorer, each as a share of the scorer's range, 1 being best."""

    run: str
    """The run's id."""
    model: str
    """The candidate's name, with what tells two of one name apart."""
    scorer: str
    """The scorer."""
    values: Mapping[str, float]
    """Mean over repeats by sample; a sample with a missing score is left out."""


@dataclass(frozen=True)
class Margin:
    """A difference that a policy wants to see."""

    scorer: str
    """The scorer."""
    margin: float
    """As a share of the scorer's range."""
    alpha: float
    """One-sided error rate."""


RUN_MORE = "run the evalset with more models: workbench eval run EVALSET --model NAME"


def saturation(runs: Sequence[Scored]) -> tuple[Finding, Finding]:
    """Find samples that every model passes, and those that none does, by every scorer."""
    by_sample = _by_sample(runs)
    models = {one.model for one in runs}
    if len(models) < 2:
        told = f"finished runs of {len(models)} models; two are needed"
        return unknown("saturation", told, RUN_MORE), unknown("never passed", told, RUN_MORE)
    every = {name: scores for name, scores in by_sample.items() if len({model for model, _ in scores}) == len(models)}
    easy = [name for name, scores in every.items() if min(value for _, value in scores) >= PASSED]
    hard = [name for name, scores in every.items() if max(value for _, value in scores) <= FAILED]
    who = f"all {len(models)} models"
    return (
        finding("saturation", len(every), [Example(id=name, text=f"{who} pass") for name in easy],
                f"{len(easy)} of {len(every)} samples are passed by {who}",
                "they tell no model from another: keep some as a floor, replace the rest by harder ones"),
        finding("never passed", len(every), [Example(id=name, text=f"{who} fail") for name in hard],
                f"{len(hard)} of {len(every)} samples are failed by {who}",
                "look at them first: the reference may be wrong, or the scorer too strict"),
    )  # fmt: skip


def separation(runs: Sequence[Scored]) -> Finding:
    """Find samples on which models differ, and those that rank models against all others (item-rest correlation)."""
    models = sorted({one.model for one in runs})
    if len(models) < 2:
        return unknown("separation", f"finished runs of {len(models)} models; two are needed", RUN_MORE)
    table = {name: _of_models(scores, models) for name, scores in _by_sample(runs).items()}
    whole = {name: values for name, values in table.items() if len(values) == len(models)}
    apart = {name: values for name, values in whole.items() if max(values) - min(values) > FAILED}
    told = f"{len(apart)} of {len(whole)} samples tell some of {len(models)} models apart"
    if len(models) < LEAST_MODELS:
        return finding("separation", len(whole), [], f"{told}; whether any is against the rest takes three models", "")
    sums = [sum(values[at] for values in whole.values()) for at in range(len(models))]
    against = []
    for name, values in apart.items():
        rest = [total - value for total, value in zip(sums, values, strict=True)]
        if (r := correlation(values, rest)) is not None and r < AGAINST:
            against.append((r, name))
    examples = [Example(id=name, text=f"item-rest correlation {r:.2f}") for r, name in sorted(against)]
    told += f"; {len(examples)} rank them against all other samples"
    return finding("separation", len(whole), examples, told, "look at their references: the better models fail them")


def power(margins: Sequence[Margin], runs: Sequence[Scored], families: Mapping[str, str]) -> Finding:
    """Say whether the samples, by id with their family, are enough to see the margins that a policy asks for."""
    if not margins:
        do = "give the metrics of `policy` a `margin`"
        return unknown("power", "the policy names no margin that n could be held against", do)
    blind, lines = [], []
    for one in margins:
        mde, how = _detectable(one, runs, families)
        needed = ceil(len(families) * (mde / one.margin) ** 2) if one.margin > 0 else None
        line = f"detectable {mde:.3f}, margin {one.margin:.3f} of the range ({how})"
        lines.append(f"{one.scorer} {mde:.3f} for a margin of {one.margin:.3f}")
        if mde > one.margin:
            more = f"; some {needed:,} samples would do" if needed else "; no number of samples shows a margin of 0"
            blind.append(Example(id=one.scorer, text=line + more))
    told = f"{len(families)} samples show a difference in 80 % of gates from: {', '.join(lines)}"
    return finding("power", len(margins), blind, told, "add samples in new families, or ask for a wider margin")


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Pearson's r, or `None` where one side does not vary."""
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    da, db = [x - mean_a for x in a], [y - mean_b for y in b]
    scale = sqrt(sum(x * x for x in da) * sum(y * y for y in db))
    return None if scale < 1e-12 else sum(x * y for x, y in zip(da, db, strict=True)) / scale


def _detectable(one: Margin, runs: Sequence[Scored], families: Mapping[str, str]) -> tuple[float, str]:
    """Return the minimum detectable effect of a one-sided bound at 80 % power, and on what it rests."""
    import numpy as np

    from workbench.statistics.means import clustered_se, group_codes

    latest = list({run.model: run for run in runs if run.scorer == one.scorer}.values())[-2:]
    shared = sorted(set(latest[0].values) & set(latest[1].values)) if len(latest) == 2 else []
    if len(shared) > 1:
        d = np.array([latest[1].values[name] - latest[0].values[name] for name in shared])
        codes = group_codes([families.get(name, name) for name in shared], len(shared))
        se = clustered_se(d, codes) * sqrt(len(shared) / len(families))
        return detectable_from_se(se, one.alpha, sides=1), f"from {latest[0].model} and {latest[1].model}"
    size = max(1.0, len(families) / max(1, len(set(families.values()))))
    plan = Plan(between=DISCORDANT, family_size=size, icc=ICC if size > 1 else 0.0, alpha=one.alpha, sides=1)
    how = f"taking models to differ on {DISCORDANT:.0%} of samples, correlation {plan.icc:g} within families"
    return detectable_difference(max(1, len(families)), plan), how


def _by_sample(runs: Sequence[Scored]) -> dict[str, list[tuple[str, float]]]:
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for one in runs:
        for name, value in one.values.items():
            found[name].append((one.model, value))
    return dict(found)


def _of_models(scores: Sequence[tuple[str, float]], models: Sequence[str]) -> list[float]:
    """Return each model's mean over scorers and runs; models without a score are left out."""
    values: dict[str, list[float]] = defaultdict(list)
    for model, value in scores:
        values[model].append(value)
    return [sum(values[model]) / len(values[model]) for model in models if model in values]
