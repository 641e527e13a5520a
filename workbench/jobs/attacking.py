"""A judge under attack: wrong answers of a run, with and without what should make it pass them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.calibration.attacked import Attacked, Tried, overall, rated
from workbench.calibration.attacks import Family, injection_suite
from workbench.calibration.book import attacks
from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, DataError, Problem
from workbench.evaluation.arms import Finished, sample_scores
from workbench.evaluation.run import read_run
from workbench.jobs.acting import who
from workbench.jobs.calibrating import now
from workbench.jobs.human_verdicts import human_verdicts
from workbench.jobs.identities import identity
from workbench.jobs.judged_metrics import info_of, inputs_by, judge_of, passes, refuse_without_threshold, scorer_of
from workbench.jobs.opening import Opened, open_models
from workbench.jobs.run_answers import RunAnswer, run_answers
from workbench.models import Output
from workbench.runs import EvalRun, Score, ScoreFailure, ScorerInfo
from workbench.scoring.base import Scorer
from workbench.store.home import RunFolder


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
    wrong, by = wrong_answers(bench, run, folder, asked)
    judges = scorer.judges()
    async with open_models(bench, judges, Budget(asked.budget), say) as opened:
        say(f"{len(wrong)} wrong answers x {len(families)} families of attacks, and each once without")
        work = _Work(scorer, info, asked.pass_from, opened, asyncio.Semaphore(_at_once(opened)))
        tried = await work.all(wrong, families)
    found = Attacked(
        metric=asked.metric,
        judge=judge_of(run, asked.metric),
        inputs=inputs_by(run.spec.fingerprints[f"scorer:{asked.metric}"], [identity(bench, j) for j in judges]),
        suite=injection_suite().mark(),
        run=run.id,
        wrong_by=by,
        n_wrong=len(wrong),
        families=tuple(rated(tried, families)),
        overall=overall(tried),
        who=who(),
        at=now(),
    )
    attacks(bench.home.root).add(found)
    return found


def wrong_answers(bench: Workbench, run: EvalRun, folder: RunFolder, asked: AttackAsked) -> tuple[list[RunAnswer], str]:
    """Return answers that are known to be wrong, a stable choice of at most `limit`, and who says so."""
    answers = list(run_answers(folder))
    if asked.made:
        found, by = _made(answers), "made"
    elif asked.gold:
        found, by = _failed_by(run, folder, answers, asked.gold), asked.gold
    else:
        human = human_verdicts(bench).passed
        found, by = [a for a in answers if human.get((a.id, (a.output.text,))) is False], "people"
    found = [a for a in found if a.output.text.strip()]
    if not found:
        what = f"no answer of this run is known to be wrong by {by}"
        fix = "name a metric that knows, --gold exact_match; or --made: right answers to other questions"
        raise DataError(Problem("NO_WRONG_ANSWERS", what, file=str(folder.path), fix=fix))
    return sorted(found, key=lambda a: _hashed(f"{asked.seed}:{a.id}"))[: asked.limit], by


def _made(answers: Sequence[RunAnswer]) -> list[RunAnswer]:
    """Return each sample with the first reference of another family's sample, where that is none of its own."""
    donors = [a for a in answers if a.sample.references]
    found = []
    for at, answer in enumerate(donors):
        own = {r.strip().casefold() for r in answer.sample.references}
        others = (*donors[at + 1 :], *donors[:at])
        given = (o.sample.references[0] for o in others if o.group != answer.group)
        wrong = next((text for text in given if text.strip().casefold() not in own), None)
        if wrong is not None:
            found.append(RunAnswer(answer.id, answer.sample, answer.output.model_copy(update={"text": wrong})))
    return found


def _failed_by(run: EvalRun, folder: RunFolder, answers: Sequence[RunAnswer], gold: str) -> list[RunAnswer]:
    info = info_of(run, gold)
    if not info.binary:
        fix = "name a metric of pass and fail, such as exact_match"
        raise ConfigError(
            Problem("NOT_BINARY", "what is wrong must be told by 0 and 1", field="gold", got=gold, fix=fix)
        )
    scores = sample_scores([Finished(run, folder)], gold)
    failed = {id for id, s in scores.items() if s.values and not any(passes(v, info, None) for v in s.values)}
    return [a for a in answers if a.sample.id in failed]


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

    async def all(self, wrong: Sequence[RunAnswer], families: Sequence[Family]) -> dict[str, list[Tried]]:
        """Return what was tried, by family."""
        plain = await asyncio.gather(*(self._judged(a, a.output) for a in wrong))
        tried = await asyncio.gather(
            *(
                self._tried(a, family, at, plain[at])
                for family in families
                for at, a in enumerate(wrong)
            )
        )  # fmt: skip
        return {f.name: list(tried[i * len(wrong) : (i + 1) * len(wrong)]) for i, f in enumerate(families)}

    async def _tried(self, answer: RunAnswer, family: Family, at: int, plain: Score | ScoreFailure) -> Tried:
        attack = family.attacks[at % len(family.attacks)]
        score = await self._judged(answer, attack.applied(answer.output, answer.sample.contexts))
        in_code = isinstance(score, Score) and score.usage is None
        return Tried(answer.group, self._passed(score), self._passed(plain), in_code)

    async def _judged(self, answer: RunAnswer, output: Output) -> Score | ScoreFailure:
        async with self.slots:
            return await self.scorer.score(answer.sample, output, self.opened)

    def _passed(self, score: Score | ScoreFailure) -> bool | None:
        return passes(score.value, self.info, self.pass_from) if isinstance(score, Score) else None


def _at_once(opened: Opened) -> int:
    return 2 * min(model.concurrency for model in opened.models.values())


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
