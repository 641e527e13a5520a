"""What a synthesis would call and cost, before anything is called."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.config.workbench_yaml import Workbench
from workbench.curation.synth import feedback, paraphrases, questions
from workbench.curation.synth.recipes import Answers, Feedback, Paraphrases, Questions, SynthRecipe
from workbench.jobs.pricing import CHARACTERS_PER_TOKEN, Estimate, priced, tokens_in
from workbench.jobs.synth_sources import Sources
from workbench.models import Request

QUESTION_TOKENS = 40
"""Prompt tokens that a question adds to a test of it, taken high."""
TEMPLATE_TOKENS = 500
"""Prompt tokens of UltraFeedback's own text, taken high."""


def estimate_synthesis(bench: Workbench, recipe: SynthRecipe, sources: Sources) -> list[Estimate]:
    """Return one estimate for each model and role, at most: every question is tested, nothing is cached."""
    match recipe.make:
        case Questions():
            return _questions(bench, recipe.make, recipe.seed, sources)
        case Answers():
            n, tokens = recipe.make.each, sum(tokens_in(task.messages) for task in sources.tasks)
            return [priced(bench, "answers", m, n * len(sources.tasks), n * tokens) for m in recipe.make.models]
        case Feedback():
            return [_feedback(bench, recipe.make, sources)]
        case Paraphrases():
            what = recipe.make
            wanted = [paraphrases.wording(s, what.question_after, 1, what.each) for s in sources.samples] * what.each
            return [_sum(bench, "paraphrases", what.model, wanted)]


def _questions(bench: Workbench, what: Questions, seed: int, sources: Sources) -> list[Estimate]:
    planned = questions.planned(sources.passages, what, seed)
    found = [_sum(bench, "questions", what.model, [one.request for one in planned])]
    lacking = [one for one in planned if one.kind == "unanswerable"]
    if what.closed_book is not None and (n := len(planned) - len(lacking)):
        found.append(priced(bench, "closed_book", what.closed_book, n, n * QUESTION_TOKENS))
    if what.open_book is not None and lacking:
        shown = sum(len(p.text) for one in lacking for p in one.passages) / CHARACTERS_PER_TOKEN
        tokens = shown + len(lacking) * 2 * QUESTION_TOKENS
        found.append(priced(bench, "open_book", what.open_book, len(lacking), tokens))
    return found


def _feedback(bench: Workbench, what: Feedback, sources: Sources) -> Estimate:
    if what.how == "pairwise":
        meetings = (met for task in sources.tasks for met in feedback.meetings(task))
        return _sum(bench, "feedback", what.judge, map(feedback.comparison, meetings))
    shown = sum(tokens_in(t.messages) + sum(map(len, t.outputs)) / CHARACTERS_PER_TOKEN for t in sources.tasks)
    return priced(bench, "feedback", what.judge, n := 2 * len(sources.tasks), 2 * shown + n * TEMPLATE_TOKENS)


def _sum(bench: Workbench, role: str, model: str, requests: Iterable[Request]) -> Estimate:
    tokens = [tokens_in(request.messages) for request in requests]
    return priced(bench, role, model, len(tokens), sum(tokens))
