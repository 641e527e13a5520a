"""What the pages build, start and say. Each function asks for the role by itself, whoever calls it, and signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from dashboards import access, acting, data
from workbench.curation.evalsets.changes import Signed
from workbench.curation.evalsets.choosing import Wanted
from workbench.jobs import by_hand
from workbench.jobs.background import Job
from workbench.jobs.building_evalsets import Built
from workbench.jobs.building_evalsets import build as build_evalset
from workbench.jobs.by_hand import Duel
from workbench.jobs.evalset_candidates import Sources, candidates
from workbench.jobs.pairs import Building, Outcome, build
from workbench.jobs.pairs_linting import Balanced, LintWish, balance
from workbench.jobs.training_recipes import save_recipe
from workbench.labelling.by_hand import ByHand, Strength
from workbench.records import Message
from workbench.training.spec import TrainSpec


def save_pairs(wanted: Building) -> Outcome:
    """Store a set of pairs or conversations as one more version. Raises `AccessRefused`, `DataError`."""
    here = access.act("build")
    return build(data.bench(), replace(wanted, by=here.name), datetime.now(UTC))


def save_balanced(name: str, wish: LintWish) -> Balanced:
    """Store a length-matched part of a set as one more version of it. Raises `AccessRefused`, `DataError`."""
    here = access.act("build")
    return balance(data.bench(), name, None, 0, wish, datetime.now(UTC), here.name)


def save_evalset(name: str, sources: Sources, wanted: Wanted, why: str, *, replace: bool, dry: bool = False) -> Built:
    """Put samples into an evalset, with an entry in its CHANGES.md; with `dry` nothing is written, and all may."""
    here = access.act("read" if dry else "build")
    bench = data.bench()
    found, left = candidates(bench, sources)
    signed = Signed(here.name, why)
    return build_evalset(
        bench, name, found, wanted, signed, datetime.now(UTC), left=left, replace=replace, dry=dry
    )  # fmt: skip


def start_training(spec: TrainSpec) -> Job:
    """Write a recipe into `recipes/` and train it as a job. Raises `AccessRefused`, `ConfigError`."""
    here = access.act("train")
    bench = data.bench()
    path = save_recipe(bench, spec, here.name, datetime.now(UTC))
    return acting.start(["train", spec.method.kind, path.relative_to(bench.file.parent).as_posix()])


def resume_training(run_id: str) -> Job:
    """Go on with a training from its last checkpoint, as a job. Raises `AccessRefused`."""
    access.act("train")
    return acting.start(["train", "resume", run_id])


def say(duel: Duel, better: str, strength: Strength) -> ByHand:
    """Write down what the person here prefers: `left`, `right`, `tie`, or `""`, which takes it back."""
    here = access.act("pick")
    return by_hand.pick(data.bench(), duel, better, strength, here.name, datetime.now(UTC))


def ask(models: tuple[str, str], messages: Sequence[Message]) -> Duel:
    """Ask two models the same. Raises `AccessRefused`, and `DataError` where one does not answer."""
    here = access.act("evaluate")
    return by_hand.ask_both(data.bench(), models, messages, here.name)
