"""TruLens 2: its feedback functions, with our judge behind its own interface. Nothing of it calls out.

It works in threads and waits; our judge works in the event loop. Each measurement has a thread that asks the loop.
"""

from __future__ import annotations

import ast
import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from workbench.datasets import Sample
from workbench.errors import WorkbenchError
from workbench.models import Output
from workbench.records import Message
from workbench.runs import Score, ScoreFailure
from workbench.scoring.base import Tools
from workbench.scoring.harness import Calls, Unanswered, closed, installed
from workbench.scoring.trulens import TruLens
from workbench.scoring.verdicts import last_object

THREADS = 64
"""Measurements under way at once; more wait."""
LOWEST, HIGHEST = 0, 3
"""The scale on which TruLens has its judge grade."""


class TruLensFeedback:
    """TruLens, loaded once, in a thread: its import takes many seconds."""

    def __init__(self) -> None:
        self._loading: asyncio.Task[Callable[[Bridge], Any]] | None = None
        self._threads: ThreadPoolExecutor | None = None

    async def measure(self, scorer: TruLens, sample: Sample, output: Output, tools: Tools) -> Score | ScoreFailure:
        """Measure one output. Raises `MissingExtra`, and what concerns the whole run."""
        if self._loading is None or self._threads is None:
            # Threads of its own: the loop's few may all be needed for the answers for which these wait.
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="trulens")
            self._loading = asyncio.create_task(asyncio.to_thread(load))
        provider = await asyncio.shield(self._loading)
        loop = asyncio.get_running_loop()
        bridge = Bridge(Calls(tools, scorer.judge, sample.id), loop)
        ask = partial(_feedback, provider(bridge), scorer, sample.question(), output.text)
        try:
            said = await loop.run_in_executor(self._threads, ask, scorer.passages(sample, output))
        except WorkbenchError:
            raise  # concerns the whole run
        except Exception as exc:  # TruLens raises plain exceptions, and repeats ours inside its own
            return bridge.failure(exc)
        finally:
            bridge.stop()  # where the run was cancelled, a thread may still wait
        return bridge.failure(None) if bridge.hidden() else _checked(said, scorer, bridge.calls)

    async def aclose(self) -> None:
        """End the threads."""
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)


@dataclass
class Bridge:
    """The way from TruLens' threads to the judge in the event loop."""

    calls: Calls
    loop: asyncio.AbstractEventLoop
    fatal: WorkbenchError | None = None
    """What concerns the whole run, which TruLens might swallow."""
    _stopped: bool = False
    _waiting: set[Future[str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, messages: Sequence[dict[str, str]], form: type[BaseModel] | None) -> str:
        """Return the judge's reply, in the wanted form. Called in any thread but the loop's. Raises `Unanswered`."""
        said = tuple(Message.model_validate({"role": m["role"], "content": m["content"]}) for m in messages)
        schema = closed(form.model_json_schema()) if form is not None else None
        with self._lock:
            if self._stopped:
                raise Unanswered(ScoreFailure(kind="scorer_error", message="the measurement was stopped"))
            future = asyncio.run_coroutine_threadsafe(self.calls.ask(said, schema), self.loop)
            self._waiting.add(future)
        try:
            text = future.result()
        except WorkbenchError as exc:
            self.fatal = self.fatal or exc
            raise
        finally:
            with self._lock:
                self._waiting.discard(future)
        return text if form is None else _formed(text, form)

    def stop(self) -> None:
        """Let nobody ask or wait any longer."""
        with self._lock:
            self._stopped = True
            waiting = tuple(self._waiting)
        for future in waiting:
            future.cancel()

    def hidden(self) -> bool:
        """Return whether a call failed that TruLens went on without."""
        return self.fatal is not None or self.calls.failure is not None

    def failure(self, raised: Exception | None) -> ScoreFailure:
        """Return why there is no score. Raises what concerns the whole run."""
        if self.fatal is not None:
            raise self.fatal
        if self.calls.failure is not None:
            return self.calls.failed(self.calls.failure)
        if isinstance(raised, Unanswered):
            return self.calls.failed(raised.failure)
        kind = "unparsable" if type(raised).__name__ == "ParseError" else "scorer_error"
        message = f"TruLens: {type(raised).__name__}: {raised}"[:500]
        return self.calls.failed(ScoreFailure.model_validate({"kind": kind, "message": message}))


def load() -> Callable[[Bridge], Any]:
    """Import TruLens with its tracing off and return what makes a provider that asks our judge."""
    installed("trulens-feedback")
    os.environ["TRULENS_OTEL_TRACING"] = "0"
    from trulens.feedback.llm_provider import LLMProvider
    from trulens.feedback.templates.rag import Trivial

    class Judge(LLMProvider):  # type: ignore[misc]  # TruLens is not typed
        """A provider of TruLens whose calls cross the bridge."""

        endpoint: Any = Field(None, exclude=True)
        bridge: Any = Field(exclude=True)

        def _create_chat_completion(
            self,
            prompt: str | None = None,
            messages: Sequence[dict[str, str]] | None = None,
            response_format: type[BaseModel] | None = None,
            temperature: float = 0.0,
        ) -> str:
            """Ask; how warm the judge is, workbench.yaml says."""
            asked = messages if messages is not None else [{"role": "system", "content": prompt or ""}]
            reply: str = self.bridge.ask(asked, response_format)
            return reply

        def _remove_trivial_statements(self, statements: list[str]) -> list[str]:
            """Do as TruLens does, but read the judge's list instead of running it: its `eval` runs model text."""
            user = Trivial.user_prompt.format(statements=str(statements))
            asked = [{"role": "system", "content": Trivial.system_prompt}, {"role": "user", "content": user}]
            return _listed(self.bridge.ask(asked, None), statements)

    return lambda bridge: Judge(model_engine="judge", endpoint=_Paceless(), bridge=bridge)


class _Paceless:
    """What TruLens takes for its endpoint: our client keeps the pace and asks again."""

    def run_in_pace(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call; nothing else."""
        return func(*args, **kwargs)


@dataclass(frozen=True)
class _Said:
    """What a feedback function gave."""

    value: float
    reason: str
    parts: tuple[float, ...]
    """The scores of which the value is the mean."""


def _feedback(provider: Any, scorer: TruLens, question: str, answer: str, passages: list[str]) -> _Said:
    """Call one feedback function; in a thread."""
    match scorer.feedback:
        case "answer_relevance":
            value, why = provider.relevance_with_cot_reasons(question, answer)
            return _Said(value, why.get("reason", ""), (value,))
        case "context_relevance":
            each = [provider.context_relevance_with_cot_reasons(question, passage) for passage in passages]
            values = tuple(value for value, _ in each)
            reasons = (f"[{i}] {why.get('reason', '')}" for i, (_, why) in enumerate(each, 1))
            return _Said(sum(values) / len(values), "\n".join(reasons), values)
        case "groundedness":
            return _grounded(provider, answer, passages)


def _grounded(provider: Any, answer: str, passages: list[str]) -> _Said:
    from trulens.core.feedback.feedback import GroundednessConfigs

    # Its other way of splitting fetches a model from the network at each call.
    splitting = GroundednessConfigs(use_sent_tokenize=False, filter_trivial_statements=True)
    value, why = provider.groundedness_measure_with_cot_reasons(
        "\n\n".join(passages), answer, groundedness_configs=splitting
    )
    if "reasons" not in why:  # TruLens calls an answer without statements 0
        message = f"TruLens found no statement to judge: {why.get('reason', '')}"
        raise Unanswered(ScoreFailure(kind="unparsable", message=message))
    parts = why["reasons"]
    reason = "\n".join(f"{part['score']:g}: {part['criteria']}\n{part['supporting_evidence']}" for part in parts)
    return _Said(value, reason, tuple(part["score"] for part in parts))


def _checked(said: _Said, scorer: TruLens, calls: Calls) -> Score | ScoreFailure:
    """Return the score, unless a part of it is TruLens' −1: it would leave that out of the mean."""
    for part in said.parts:
        checked = calls.checked(part, said.reason, scorer.info())
        if isinstance(checked, ScoreFailure):
            return checked
    return calls.checked(said.value, said.reason, scorer.info())


def _formed(text: str, form: type[BaseModel]) -> str:
    """Return a reply that has the form TruLens wants, or its own template in words. Raises `Unanswered`."""
    found = last_object(text)
    if isinstance(found, ScoreFailure):
        if "Supporting Evidence:" in text and "Score:" in text:
            return text
        raise Unanswered(found.model_copy(update={"text": text}))
    try:
        reply = form.model_validate(found)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        message = f"the judge's reply is no {form.__name__}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise Unanswered(ScoreFailure(kind="unparsable", message=message[:500], text=text)) from exc
    grade = getattr(reply, "score", LOWEST)
    if not LOWEST <= grade <= HIGHEST:
        message = f"the judge's grade {str(grade)[:40]} is not between {LOWEST} and {HIGHEST}"
        raise Unanswered(ScoreFailure(kind="out_of_range", message=message, text=text))
    return reply.model_dump_json()


def _listed(reply: str, statements: list[str]) -> list[str]:
    """Return the list of texts that a reply spells; all statements where it spells none, as TruLens does."""
    try:
        found = ast.literal_eval(reply.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return statements
    return found if isinstance(found, list) and all(isinstance(one, str) for one in found) else statements
