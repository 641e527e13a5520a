"""distilabel's tasks, asked through our own models.

distilabel writes the prompts, and reads the replies of its tasks; a thin `LLM` hands every question to whoever answers
here, so that budget, pace, retries, cache and journal are the workbench's. Its `Pipeline` is not used: it starts a
process a step, each with a purse and a pace of its own, keeps pickles, and hung when it was killed and begun again.
"""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from pydantic import PrivateAttr

from workbench.errors import MissingExtra
from workbench.models import Output, OutputFailure, Request
from workbench.records import Message

Answering = Callable[[Sequence[Request]], Sequence[Output | OutputFailure]]
"""Puts questions to a model and waits for all of its answers, in their order."""
WHOLE = re.compile(r"[1-5]")
"""UltraFeedback's scale."""


class Rated(NamedTuple):
    """Candidate answers that are to be rated together."""

    id: str
    """Names the request."""
    instruction: str
    """What they answer."""
    generations: tuple[str, ...]
    """The answers, in the order in which the judge sees them."""


def chat(requests: Sequence[Request], answering: Answering, model: str) -> list[str | None]:
    """Run distilabel's `ChatGeneration`; return one text a request, `None` where the model gave none. It blocks."""
    rows = [{"messages": [{"role": m.role, "content": m.content} for m in r.messages]} for r in requests]
    names = [(r.sample_id, r.repeat) for r in requests]
    return [row["generation"] for row in _run("ChatGeneration", {}, rows, names, answering, model)]


def rate(rows: Sequence[Rated], aspect: str, answering: Answering, model: str) -> list[tuple[int, ...] | None]:
    """Run distilabel's `UltraFeedback`; return one rating of 1 to 5 an answer, `None` unless all are there."""
    told = [{"instruction": row.instruction, "generations": list(row.generations)} for row in rows]
    names = [(row.id, 0) for row in rows]
    made = _run("UltraFeedback", {"aspect": aspect}, told, names, answering, model)
    return [_ratings(one.get("ratings"), len(row.generations)) for one, row in zip(made, rows, strict=True)]


def _ratings(found: Any, n: int) -> tuple[int, ...] | None:
    """Return the ratings where there is one for each answer, on the scale; its parser takes any number it meets."""
    if not isinstance(found, list) or len(found) != n:
        return None
    whole = [int(rating) for rating in found if WHOLE.fullmatch(str(rating))]
    return tuple(whole) if len(whole) == n else None


def _run(
    task: str,
    settings: dict[str, Any],
    rows: list[dict[str, Any]],
    names: list[tuple[str, int]],
    answering: Answering,
    model: str,
) -> list[dict[str, Any]]:
    step = getattr(_tasks(), task)(name="synth", llm=_llm()(model, names, answering), **settings)
    with _unmendable():
        step.load()
    try:
        (made,) = step.process(rows)
    finally:
        step.unload()
    found: list[dict[str, Any]] = made
    return found


@cache
def _tasks() -> Any:
    """Return distilabel's tasks. Raises `MissingExtra`."""
    hook = sys.excepthook
    try:
        with _unmendable():
            import distilabel.pipeline.base  # noqa: F401 - a step imports it when it is made, with warnings
            import distilabel.steps.tasks as tasks
    except ImportError as exc:
        raise MissingExtra("distilabel", "synth") from exc
    finally:
        sys.excepthook = hook  # a package that it imports would show every traceback with all variables, keys too
    # A reply that it cannot read would be logged with its text; such replies are counted by whoever called.
    logging.getLogger("distilabel").setLevel(logging.ERROR)
    return tasks


@cache
def _llm() -> Any:
    """Return the class of LLMs that ask us; distilabel's own class is needed to make it."""
    _tasks()
    from distilabel.models.llms.base import LLM

    with _unmendable():

        class WorkbenchLLM(LLM):  # type: ignore[misc]
            """Hands every question to `answering`, under the name that was given for its row."""

            named: str
            _names: list[tuple[str, int]] = PrivateAttr()
            _answering: Answering = PrivateAttr()

            def __init__(self, named: str, names: list[tuple[str, int]], answering: Answering) -> None:
                super().__init__(named=named)
                self._names, self._answering = names, answering

            @property
            def model_name(self) -> str:
                return self.named

            def generate(self, inputs: list[Any], num_generations: int = 1) -> list[dict[str, Any]]:
                """Return one answer an input, as distilabel wants them."""
                return [_generated(one) for one in self._answering(_requests(inputs, self._names))]

    return WorkbenchLLM


@contextmanager
def _unmendable() -> Iterator[None]:
    """Silence what pydantic says of distilabel's own classes, which nobody here can mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _requests(inputs: Sequence[Any], names: Sequence[tuple[str, int]]) -> list[Request]:
    return [
        Request(
            messages=tuple(Message(role=m["role"], content=m["content"]) for m in messages),
            sample_id=name,
            repeat=repeat,
        )
        for messages, (name, repeat) in zip(inputs, names, strict=True)
    ]


def _generated(one: Output | OutputFailure) -> dict[str, Any]:
    text = one.text if isinstance(one, Output) else None
    counted = {"input_tokens": [one.usage.input_tokens or 0], "output_tokens": [one.usage.output_tokens or 0]}
    return {"generations": [text], "statistics": counted}
