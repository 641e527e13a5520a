"""What a run would call and cost, before anything is called."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from pydantic import Field

from workbench.config.workbench_yaml import Workbench
from workbench.datasets import Sample
from workbench.evaluation.engine import chosen
from workbench.jobs.few_shot import shown
from workbench.jobs.planning import Plan
from workbench.jobs.rag import current_index
from workbench.jobs.rehearsing import Rehearsal
from workbench.models import EndpointSpec, FewShotSpec, LocalSpec, ModelSpec, Output, Price, RagSpec
from workbench.nouns import Noun
from workbench.records import Message, Passage
from workbench.scoring.base import Scorer

CHARACTERS_PER_TOKEN = 4.0
"""Rule of thumb for English text; other languages and code need more tokens."""


class Estimate(Noun):
    """Calls and cost of one model in one run, at most: no cached answers, every answer as long as allowed."""

    role: str
    """`candidate` or the judging scorer's name."""
    model: str
    """The model's name in workbench.yaml."""
    calls: int = Field(ge=0)
    """Requests without retries."""
    input_tokens: int = Field(ge=0)
    """Prompt tokens, estimated at 4 characters a token."""
    output_tokens: int = Field(ge=0)
    """Answer tokens at most."""
    cost: float | None
    """Money at most; `None` without a price; 0 for what runs on this machine or is only read."""


def estimate(bench: Workbench, plan: Plan) -> list[Estimate]:
    """Return one estimate for the candidate, and one for each judge of each scorer that calls one."""
    judged = [s for s in plan.scorers if s.judges()]
    answer = _longest_answer(bench, plan.spec.model_name)
    samples = [row.sample for group in chosen(plan.rows, plan.spec.limit) for row in group]
    asked = sum(tokens_in(sample.messages) for sample in samples) * plan.spec.repeats
    found = [priced(bench, "candidate", plan.spec.model_name, len(samples) * plan.spec.repeats, asked)]
    for scorer, calls in zip(judged, asyncio.run(_rehearsed(judged, samples, answer)), strict=True):
        for judge in dict.fromkeys(scorer.judges()):
            mine = [tokens * plan.spec.repeats for name, tokens in calls if name == judge]
            found.append(priced(bench, scorer.info().name, judge, len(mine) * plan.spec.repeats, sum(mine)))
    return found


async def _rehearsed(
    scorers: Sequence[Scorer], samples: Sequence[Sample], answer: Output
) -> list[list[tuple[str, float]]]:
    """Return the judge and the prompt tokens of each call that each scorer would make for these samples."""
    tools = Rehearsal()
    found = []
    for scorer in scorers:
        for sample in samples:
            await scorer.score(sample, answer, tools)
        found.append([(judge, tokens_in(request.messages)) for judge, request in tools.asked])
        tools.asked.clear()
    await tools.aclose()
    return found


def _longest_answer(bench: Workbench, name: str) -> Output:
    """Return an answer as long as a model may give, with as many passages as its pipeline retrieves."""
    spec = bench.model(name)
    if isinstance(spec, FewShotSpec):
        spec = bench.model(spec.model)
    passages: tuple[Passage, ...] = ()
    if isinstance(spec, RagSpec):
        longest = max(current_index(bench, index)[1].longest for index in spec.index)
        passages = tuple(Passage(id=str(n), text="x" * longest) for n in range(spec.top_k))
        spec = bench.model(spec.generator)
    return Output(text="x" * int(_longest(spec) * CHARACTERS_PER_TOKEN), contexts=passages)


def priced(bench: Workbench, role: str, name: str, calls: int, tokens: float) -> Estimate:
    """Return what so many calls with so many prompt tokens in all would cost at most."""
    spec = bench.model(name)
    if isinstance(spec, FewShotSpec):
        tokens += calls * tokens_in(shown(bench, spec))
        spec = bench.model(spec.model)
    if isinstance(spec, RagSpec):
        # Each passage is taken for as long as its index's longest chunk.
        chunk = max(current_index(bench, index)[1].longest for index in spec.index)
        tokens += calls * spec.top_k * chunk / CHARACTERS_PER_TOKEN
        spec = bench.model(spec.generator)
    longest = _longest(spec)
    output = calls * longest
    return Estimate(
        role=role, model=name, calls=calls if longest else 0, input_tokens=round(tokens) if longest else 0,
        output_tokens=output, cost=_cost(spec, tokens, output),
    )  # fmt: skip


def _longest(spec: ModelSpec) -> int:
    """Return the longest answer in tokens; 0 for a model that calls nobody."""
    return spec.sampling.max_tokens if isinstance(spec, EndpointSpec | LocalSpec) else 0


def _cost(spec: ModelSpec, tokens_in: float, tokens_out: int) -> float | None:
    if not isinstance(spec, EndpointSpec):
        return 0.0
    price: Price | None = spec.price
    return None if price is None else (tokens_in * price.input + tokens_out * price.output) / 1e6


def tokens_in(messages: Iterable[Message]) -> float:
    """Return about how many tokens messages have."""
    return sum(len(m.content) for m in messages) / CHARACTERS_PER_TOKEN


def total(estimates: Iterable[Estimate]) -> float | None:
    """Return the cost of all, or `None` when any has no price."""
    costs = [e.cost for e in estimates]
    return None if any(c is None for c in costs) else sum(c for c in costs if c is not None)
