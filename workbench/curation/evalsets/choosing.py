"""Which candidates enter an evalset: no synthetic row without a person's answer, so many of each stratum, by lot."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from workbench.datasets import Sample
from workbench.errors import ConfigError, Problem

How = Literal["equal", "proportional"]
NOT_TAGGED = "(none)"


class Candidate(NamedTuple):
    """A sample that may enter an evalset."""

    sample: Sample
    """The sample."""
    source: str
    """Where it is from, as `<dataset, snapshot or run>/<id>`."""
    by_people: bool
    """Whether people gave or confirmed its answer."""


class Left(NamedTuple):
    """A candidate that does not enter, and why."""

    id: str
    """Its id."""
    why: str
    """Why, in words that many may share."""


class Stratum(NamedTuple):
    """What was taken of one stratum."""

    name: str
    """`tag=value`."""
    available: int
    """Candidates."""
    taken: int
    """Of them, taken."""


@dataclass(frozen=True)
class Wanted:
    """How many, and how they are divided."""

    n: int | None = None
    """Samples in all; `None`: every candidate."""
    tag: str | None = None
    """Tag whose values are the strata."""
    how: How = "equal"
    """The same number of each stratum, as far as they reach, or in proportion to what there is."""
    seed: int = 0
    """Seed of the lot."""


class Choice(NamedTuple):
    """What enters, and how it was divided."""

    taken: list[Candidate]
    strata: list[Stratum]
    left: list[Left]


def choose(candidates: Iterable[Candidate], wanted: Wanted) -> Choice:
    """Return the candidates that enter, in the order of their ids. Raises `ConfigError` for a tag that none has."""
    fit, left = [], []
    for one in {one.sample.id: one for one in candidates}.values():
        if one.sample.tags.get("synthetic") == "true" and not one.by_people:
            left.append(Left(one.sample.id, "synthetic, and no person has answered it"))
        else:
            fit.append(one)
    strata: dict[str, list[Candidate]] = defaultdict(list)
    for one in fit:
        strata[_stratum(one.sample, wanted.tag)].append(one)
    if wanted.tag is not None and fit and set(strata) == {f"{wanted.tag}={NOT_TAGGED}"}:
        fix = f"tags: {', '.join(sorted({tag for one in fit for tag in one.sample.tags})) or 'none'}"
        raise ConfigError(Problem("UNKNOWN_TAG", "no candidate has this tag", got=wanted.tag, fix=fix))
    quotas = allocation({name: len(some) for name, some in strata.items()}, wanted)
    taken: list[Candidate] = []
    for name, some in strata.items():
        drawn = sorted(some, key=lambda one: _lot(one.sample, wanted.seed))
        taken += drawn[: quotas[name]]
    told = [Stratum(name, len(strata[name]), quotas[name]) for name in sorted(strata)]
    return Choice(sorted(taken, key=lambda one: one.sample.id), told, left)


def allocation(available: dict[str, int], wanted: Wanted) -> dict[str, int]:
    """Return how many are taken of each stratum: as many as wanted in all, never more than there are."""
    total = sum(available.values())
    n = total if wanted.n is None else min(wanted.n, total)
    if wanted.how == "proportional":
        exact = {name: n * size / total for name, size in available.items()} if total else {}
        quotas = {name: int(share) for name, share in exact.items()}
        # The largest remainders get what rounding down has left; equal ones by name.
        order = sorted(exact, key=lambda name: (quotas[name] - exact[name], name))
        for name in order[: n - sum(quotas.values())]:
            quotas[name] += 1
        return quotas
    quotas = dict.fromkeys(available, 0)
    while (short := n - sum(quotas.values())) > 0:
        open_ = sorted(name for name, size in available.items() if quotas[name] < size)
        for name in open_[:short] if short < len(open_) else open_:
            quotas[name] += min(max(1, short // len(open_)), available[name] - quotas[name])
    return quotas


def _stratum(sample: Sample, tag: str | None) -> str:
    return "" if tag is None else f"{tag}={sample.tags.get(tag, NOT_TAGGED)}"


def _lot(sample: Sample, seed: int) -> tuple[bytes, str]:
    """Return a sample's place in the lot: families stay next to each other."""
    family = hashlib.sha256(f"{seed}\0{sample.family()}".encode("utf-8", "surrogatepass")).digest()
    return family, sample.id


def left_told(left: Sequence[Left]) -> list[tuple[str, list[str]]]:
    """Return the reasons with the ids they concern, the commonest first."""
    by: dict[str, list[str]] = defaultdict(list)
    for one in left:
        by[one.why].append(one.id)
    return sorted(by.items(), key=lambda reason: (-len(reason[1]), reason[0]))
