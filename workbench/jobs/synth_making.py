"""The four kinds of synthesis: what is asked, in which order, and what is made of the replies. Blocking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workbench.adapters.distilabel_pipeline import Rated
from workbench.curation.synth import feedback, paraphrases, questions
from workbench.curation.synth.asks import Dropped
from workbench.curation.synth.questions import Draft
from workbench.curation.synth.recipes import Answers, Feedback, Paraphrases, Questions, SynthRecipe
from workbench.datasets import Lineage, Sample
from workbench.jobs.synth_asking import Asker
from workbench.jobs.synth_sources import Sources
from workbench.labelling.tasks import Suggestion, Task
from workbench.models import Request
from workbench.records import Passage, Ranked


@dataclass
class Made:
    """What a recipe made."""

    samples: list[Sample] = field(default_factory=list)
    """Rows of a dataset; none where the recipe makes records only."""
    tasks: list[Task] = field(default_factory=list)
    """Records that people may label."""
    dropped: list[Dropped] = field(default_factory=list)
    lineage: dict[str, Lineage] = field(default_factory=dict)
    """By id of a sample or record."""
    asked: int = 0
    """How many texts or opinions were asked for."""


def make(recipe: SynthRecipe, sources: Sources, asker: Asker, name: str) -> Made:
    """Make what a recipe says; `name` is the recipe with its fingerprint. Raises `Halted`."""
    match recipe.make:
        case Questions():
            return _questions(recipe.make, recipe.seed, sources, asker, name)
        case Answers():
            return _answers(recipe.make, sources, asker, name)
        case Feedback():
            return _feedback(recipe.make, sources, asker, name)
        case Paraphrases():
            return _paraphrases(recipe.make, sources, asker, name)


def _questions(what: Questions, seed: int, sources: Sources, asker: Asker, name: str) -> Made:
    planned = questions.planned(sources.passages, what, seed)
    made, drafts = Made(asked=len(planned)), list[Draft]()
    for one, reply in zip(planned, asker.chat(what.model, [one.request for one in planned]), strict=True):
        read = _failed(asker, one.id) if reply is None else questions.read(one, reply)
        (drafts if isinstance(read, Draft) else made.dropped).append(read)  # type: ignore[arg-type]
    drafts, twins = questions.without_twins(drafts)
    made.dropped += twins
    if what.closed_book is not None:
        some = [draft for draft in drafts if draft.answer]
        drafts = _tested(drafts, some, what.closed_book, questions.closed_book, questions.known_without, asker, made)
    if what.open_book is not None:
        some = [draft for draft in drafts if not draft.answer]
        drafts = _tested(drafts, some, what.open_book, questions.open_book, questions.answerable, asker, made)
    for draft in drafts:
        sample = questions.sample_of(draft, what, name)
        made.samples.append(sample)
        shown = tuple(Passage(id=p.id, text=p.text) for p in draft.asked.passages)
        made.tasks.append(_task(sample, f"synth:{name}").model_copy(update={"contexts": shown}))
        made.lineage[sample.id] = _lineage(name, [f"{what.index}/{p.id}" for p in draft.asked.passages])
    return made


def _tested(
    drafts: list[Draft], some: Sequence[Draft], model: str, request: Callable[[Draft], Request],
    verdict: Callable[[Draft, str], Dropped | None], asker: Asker, made: Made,
) -> list[Draft]:  # fmt: skip
    """Return the drafts without those that a model's reply shows to be unfit; a test that failed drops nothing."""
    replies = asker.chat(model, [request(draft) for draft in some])
    found = [verdict(draft, reply) for draft, reply in zip(some, replies, strict=True) if reply is not None]
    unfit = [one for one in found if one is not None]
    made.dropped += unfit
    gone = {one.id for one in unfit}
    return [draft for draft in drafts if draft.asked.id not in gone]


def _answers(what: Answers, sources: Sources, asker: Asker, name: str) -> Made:
    made = Made(asked=len(sources.tasks) * len(what.models) * what.each)
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for model in what.models:
        requests = [Request(messages=t.messages, sample_id=t.id, repeat=k)
                    for t in sources.tasks for k in range(what.each)]  # fmt: skip
        for request, reply in zip(requests, asker.chat(model, requests), strict=True):
            if reply is None:
                made.dropped.append(_failed(asker, request.sample_id, f"{request.sample_id}:{model}:{request.repeat}"))
            elif reply in said[request.sample_id]:
                id = f"{request.sample_id}:{model}:{request.repeat}"
                made.dropped.append(Dropped(id=id, reason="same_answer", text=reply))
            else:
                said[request.sample_id][reply] = model
    for task in sources.tasks:
        if outputs := said[task.id]:
            tags = {**task.tags, "models": ",".join(outputs.values()), "synthetic": "true", "recipe": name}
            made.tasks.append(task.model_copy(update={"outputs": tuple(outputs), "tags": tags}))
            made.lineage[task.id] = _lineage(name, [f"{sources.parent}/{task.id}"])
    return made


def _feedback(what: Feedback, sources: Sources, asker: Asker, name: str) -> Made:
    opinions = (_pairwise if what.how == "pairwise" else _rated)(what, sources, asker)
    made = Made(asked=len(sources.tasks))
    agent = f"{what.judge}:{name}".replace("@", ":")[:200]
    for task in sources.tasks:
        opinion = opinions[task.id]
        if isinstance(opinion, Dropped):
            made.dropped.append(opinion)
        else:
            question = "preferred" if isinstance(opinion, str) else "ranking"
            told = Suggestion(question=question, value=opinion, agent=agent)
            kept = tuple(s for s in task.suggestions if s.question != question)
            task = task.model_copy(update={"suggestions": (*kept, told)})
        made.tasks.append(task)
        made.lineage[task.id] = _lineage(name, [f"{sources.parent}/{task.id}"])
    return made


Opinion = str | tuple[Ranked, ...] | Dropped


def _pairwise(what: Feedback, sources: Sources, asker: Asker) -> dict[str, Opinion]:
    meetings = [met for task in sources.tasks for met in feedback.meetings(task)]
    replies = asker.chat(what.judge, [feedback.comparison(met) for met in meetings])
    said: dict[str, dict[tuple[int, int], feedback.Winner]] = defaultdict(dict)
    wrong: dict[str, Dropped] = {}
    for met, reply in zip(meetings, replies, strict=True):
        won = None if reply is None else feedback.winner(reply)
        if reply is None:
            wrong[met.record.id] = _failed(asker, met.id)
        elif won is None:
            wrong[met.record.id] = Dropped(id=met.id, reason="unreadable", text=reply)
        else:
            said[met.record.id][met.a, met.b] = won
    return {t.id: wrong.get(t.id) or feedback.preferred(len(t.outputs), said[t.id]) for t in sources.tasks}


def _rated(what: Feedback, sources: Sources, asker: Asker) -> dict[str, Opinion]:
    rows = []
    for task in sources.tasks:
        prompt = "\n\n".join(m.content for m in task.messages)
        rows += [Rated(f"{task.id}:there", prompt, task.outputs), Rated(f"{task.id}:back", prompt, task.outputs[::-1])]
    found = asker.rate(what.judge, rows, what.aspect)
    opinions: dict[str, Opinion] = {}
    for task, there, back in zip(sources.tasks, found[::2], found[1::2], strict=True):
        if there is not None and back is not None:
            opinions[task.id] = feedback.from_ratings(there, back[::-1])
            continue
        id = f"{task.id}:{'there' if there is None else 'back'}"
        unread = Dropped(id=id, reason="unreadable", text="no rating of 1 to 5 for each answer")
        opinions[task.id] = _failed(asker, id) if id in asker.failures else unread
    return opinions


def _paraphrases(what: Paraphrases, sources: Sources, asker: Asker, name: str) -> Made:
    mark, n = what.question_after, what.each
    wanted = [(sample, paraphrases.wording(sample, mark, k, n)) for sample in sources.samples for k in range(1, n + 1)]
    made = Made(asked=len(wanted))
    samples: list[Sample] = []
    origin: dict[str, str] = {}
    for (sample, request), reply in zip(wanted, asker.chat(what.model, [r for _, r in wanted]), strict=True):
        id = request.sample_id
        new = _failed(asker, id) if reply is None else paraphrases.reworded(sample, mark, id, reply, name)
        (samples if isinstance(new, Sample) else made.dropped).append(new)  # type: ignore[arg-type]
        origin[id] = sample.id
    made.samples, twins = paraphrases.without_twins(samples, mark)
    made.dropped += twins
    for sample in made.samples:
        made.tasks.append(_task(sample, f"synth:{name}"))
        made.lineage[sample.id] = _lineage(name, [f"{sources.parent}/{origin[sample.id]}"])
    return made


def _task(sample: Sample, origin: str) -> Task:
    return Task(
        id=sample.id, messages=sample.messages, contexts=sample.contexts, origin=origin, group=sample.family(),
        reference=next(iter(sample.references), None), tags=sample.tags,
    )  # fmt: skip


def _lineage(name: str, sources: Sequence[str]) -> Lineage:
    return Lineage(sources=tuple(sources), recipe=f"synth {name}", synthetic=True)


def _failed(asker: Asker, request: str, id: str = "") -> Dropped:
    return Dropped(id=id or request, reason="failed", text=asker.why(request))
