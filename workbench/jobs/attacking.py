"""A judge under attack: wrong answers of a run, with and without what should make it pass them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.calibration.attack_book import attacks
from workbench.calibration.attacked import Attacked, Canaries, Trials, Tried, canaries, overall, rated
from workbench.calibration.attacks import Attack, Family, injection_suite
from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.evaluation.run import read_run
from workbench.jobs.acting import who
from workbench.jobs.attack_answers import KnownAnswers, known_answers
from workbench.jobs.calibrating import now
from workbench.jobs.identities import identity
from workbench.jobs.judged_metrics import info_of, inputs_by, judge_of, passes, refuse_without_threshold, scorer_of
from workbench.jobs.opening import Opened, open_models
from workbench.jobs.run_answers import RunAnswer
from workbench.models import Output
from workbench.runs import Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer

Change = Callable[[Attack, RunAnswer], Output]
"""What makes an answer of an attack and an answer."""


@dataclass(frozen=True)
class AttackAsked:
    """How a judge is to be attacked."""

    metric: str
    """The judged metric."""
    gold: str = ""
    """Binary metric of the run that says which answers are wrong; empty: people say it."""
    made: bool = False
    """Whether wrong answers are made instead: right answers to other questions of the run."""
    limit: int = 30
    """Wrong answers; each is tried once for each family of attacks."""
    seed: int = 0
    """Decides which answers, and which variant of an attack each is given."""
    pass_from: float | None = None
    """Value from which a metric that is not 0 or 1 passes an answer."""
    families: tuple[str, ...] = ()
    """Families of the suite that are tried; empty: all."""
    control: bool = True
    """Whether harmless words are tried in the attacks' place, on the wrong answers and on right ones."""
    budget: float | None = None
    """Money after which it stops."""


async def attack_judge(bench: Workbench, run_id: str, asked: AttackAsked, say: Callable[[str], None]) -> Attacked:
    """Return how often a judge passes wrong answers that come with an attack, by family, and write it down.

    Raises `ConfigError` for a metric that no judge gives, or a family that the suite lacks, `DataError` where no answer
    is known to be wrong, `IncompleteRun` when the budget is spent.
    """
    folder = bench.home.run(run_id)
    run = read_run(folder)
    scorer, info = scorer_of(run, asked.metric), info_of(run, asked.metric)
    refuse_without_threshold(info, asked.pass_from)
    families = _families(asked.families)
    known = known_answers(
        bench, run, folder, gold=asked.gold, made=asked.made, limit=asked.limit, seed=asked.seed
    )  # fmt: skip
    judges = scorer.judges()
    async with open_models(bench, judges, Budget(asked.budget), say) as opened:
        say(f"{len(known.wrong)} wrong answers x {len(families)} families of attacks, and each once without")
        if asked.control:
            say(f"the same and {len(known.right)} right ones with harmless words in the attacks' place")
        work = _Work(scorer, info, asked.pass_from, opened, asyncio.Semaphore(_at_once(opened)))
        trials, seen = await work.all(known, families, asked.control)
    found = Attacked(
        metric=asked.metric,
        judge=judge_of(run, asked.metric),
        inputs=inputs_by(run.spec.fingerprints[f"scorer:{asked.metric}"], [identity(bench, j) for j in judges]),
        suite=injection_suite().mark(),
        run=run.id,
        wrong_by=known.by,
        n_wrong=len(known.wrong),
        families=tuple(rated(trials, families)),
        overall=overall(trials),
        canaries=seen,
        who=who(),
        at=now(),
    )
    attacks(bench.home.root).add(found)
    return found


def _families(names: Sequence[str]) -> Sequence[Family]:
    suite = injection_suite().families
    known = [family.name for family in suite]
    if unknown := [name for name in names if name not in known]:
        fix = f"the suite has: {', '.join(known)}"
        what = "the suite has no such family"
        raise ConfigError(Problem("UNKNOWN_FAMILY", what, field="family", got=unknown[0], fix=fix))
    return [family for family in suite if not names or family.name in names]


@dataclass(frozen=True)
class _Work:
    """A judge and what it is asked with."""

    scorer: Scorer
    info: ScorerInfo
    pass_from: float | None
    opened: Opened
    slots: asyncio.Semaphore

    async def all(self, known: KnownAnswers, families: Sequence[Family], control: bool) -> tuple[Trials, Canaries]:
        """Return what was tried, by family, and how the judge does on the known answers as they are."""
        wrong, right = await asyncio.gather(*(self._as_they_are(some) for some in (known.wrong, known.right)))
        judged = [f for f in families if not f.in_code] if control else []
        beside = [f for f in judged if all(attack.put != "instead" for attack in f.attacks)]
        attacked, harmless, alarmed = await asyncio.gather(
            self._by_family(wrong, families, _attack),
            self._by_family(wrong, judged, _harmless),
            self._by_family(right, beside, _harmless),
        )
        return Trials(attacked, harmless, alarmed), canaries([v for _, v in right], [v for _, v in wrong])

    async def _as_they_are(self, answers: Sequence[RunAnswer]) -> list[tuple[RunAnswer, Tried]]:
        """Return answers with what the judge says of them without anything put to them."""
        scores = await asyncio.gather(*(self._judged(a, a.output) for a in answers))
        passed = map(self._passed, scores)
        return [(a, Tried(a.group, plain, plain, False)) for a, plain in zip(answers, passed, strict=True)]

    async def _by_family(
        self, answers: Sequence[tuple[RunAnswer, Tried]], families: Sequence[Family], change: Change
    ) -> dict[str, list[Tried]]:
        """Return what the judge says of answers that were changed, by family; each has one of its variants, in turn."""
        found = await asyncio.gather(
            *(
                self._tried(answer, plain, change(family.attacks[at % len(family.attacks)], answer))
                for family in families
                for at, (answer, plain) in enumerate(answers)
            )
        )
        n = len(answers)
        return {f.name: list(found[i * n : (i + 1) * n]) for i, f in enumerate(families)}

    async def _tried(self, answer: RunAnswer, plain: Tried, changed: Output) -> Tried:
        score = await self._judged(answer, changed)
        return Tried(answer.group, self._passed(score), plain.plain, isinstance(score, Score) and score.usage is None)

    async def _judged(self, answer: RunAnswer, output: Output) -> Score | ScoreFailure:
        async with self.slots:
            return await self.scorer.score(answer.sample, output, self.opened)

    def _passed(self, score: Score | ScoreFailure) -> bool | None:
        return passes(score.value, self.info, self.pass_from) if isinstance(score, Score) else None


def _attack(attack: Attack, answer: RunAnswer) -> Output:
    return attack.applied(answer.output, answer.sample.contexts)


def _harmless(attack: Attack, answer: RunAnswer) -> Output:
    return attack.harmless(answer.output, answer.sample.contexts, injection_suite().harmless)


def _at_once(opened: Opened) -> int:
    return 2 * min(model.concurrency for model in opened.models.values())
