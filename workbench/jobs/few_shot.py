"""A model that is shown solved samples before each question, taken from an evalset's train side alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from workbench.config.evalset_yaml import FILE, load_evalset
from workbench.config.workbench_yaml import Workbench
from workbench.curation.sides import overlaps
from workbench.datasets import Sample
from workbench.errors import ConfigError, LeakageError, Problem
from workbench.jobs.firewall import guard
from workbench.jobs.sides import refuse_overlap
from workbench.models import FewShotSpec, Model, Output, OutputFailure, RagSpec, Request, kept, spec_fingerprint
from workbench.nouns import fingerprint
from workbench.reading.stored import StoredDataset
from workbench.records import Message


class FewShotModel:
    """Puts solved samples between the system prompt and the question; a `Model`."""

    def __init__(self, shots: Sequence[Message], model: Model) -> None:
        self.concurrency = model.concurrency
        self._shots = tuple(shots)
        self._model = model

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer after the shown samples."""
        return await self._model.generate(self._showing(request))

    def kept(self, requests: Sequence[Request]) -> Sequence[bytes | None]:
        """Return the answers that the model gave before."""
        return kept(self._model, [self._showing(request) for request in requests])

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()

    def _showing(self, request: Request) -> Request:
        system = [m for m in request.messages if m.role == "system"]
        turns = [m for m in request.messages if m.role != "system"]
        return request.model_copy(update={"messages": (*system, *self._shots, *turns)})


def shown(bench: Workbench, spec: FewShotSpec) -> list[Message]:
    """Return the shown samples as turns: each prompt without its system prompt, then its first accepted answer.

    Raises `LeakageError` where a gate set knows one of them, `ConfigError` where the train side has too few.
    """
    turns: list[Message] = []
    for sample in shots(bench, spec):
        turns += [m for m in sample.messages if m.role != "system"]
        turns.append(Message(role="assistant", content=sample.references[0]))
    return turns


def shots(bench: Workbench, spec: FewShotSpec) -> list[Sample]:
    """Return the samples to show, each of another family, drawn by a hash of seed and family."""
    folder = bench.evalsets / spec.evalset
    if not (folder / FILE).is_file():
        fix = "name an evalset after the @"
        raise ConfigError(
            Problem("UNKNOWN_EVALSET", "no evalset has this name", str(folder), got=spec.evalset, fix=fix)
        )
    evalset = load_evalset(folder)
    if "train" not in evalset.uses():
        what = "this evalset has no train side, and nothing else may be shown"
        fix = "name another evalset: MODEL+shots:3@EVALSET"
        raise ConfigError(Problem("NO_SHOTS", what, str(evalset.file), got=spec.evalset, fix=fix))
    refuse_overlap(evalset, bench.home)
    families: dict[str, Sample] = {}
    for sample in sorted(_solved(evalset.stored("train", bench.home)), key=lambda s: s.id):
        families.setdefault(sample.family(), sample)
    chosen = [families[name] for name in sorted(families, key=lambda name: _drawn(spec.seed, name))[: spec.shots]]
    if len(chosen) < spec.shots:
        what = f"the train side has only {len(chosen)} families with an accepted answer"
        fix = f"show {len(chosen)}" if chosen else "give samples of the train side `references`"
        raise ConfigError(Problem("NO_SHOTS", what, str(evalset.file), got=str(spec.shots), fix=fix))
    guard(chosen, bench, what=f"the shown samples of {spec.evalset}")
    return chosen


def few_shot_identity(bench: Workbench, spec: FewShotSpec, model: str) -> str:
    """Return the fingerprint of a model that is shown samples: the samples' content and the model's fingerprint."""
    plain = spec.model_copy(update={"model": "", "evalset": ""})
    return fingerprint([spec_fingerprint(plain), model, [m.model_dump(mode="json") for m in shown(bench, spec)]])


def refuse_shown(bench: Workbench, name: str, rows: StoredDataset) -> None:
    """Raise `LeakageError` where a model is shown what it is about to be asked, the same or nearly."""
    samples = [sample for spec in _few_shots(bench, name) for sample in shots(bench, spec)]
    if not samples:
        return
    asked = [sample for some in rows.iter_samples() for _, sample in some]
    families = {sample.family() for sample in asked}
    found = [(s.id, s.family()) for s in samples if s.family() in families]
    found += [(o.first.id, o.second.id) for o in overlaps({"shown": _texts(samples), "asked": _texts(asked)})]
    if found:
        what = "a sample that is shown is also asked, the same or nearly, or one of its family is"
        fix = "show samples of another evalset's train side"
        told = "; ".join(f"{a} and {b}" for a, b in found[:5])
        raise LeakageError(Problem("SHOTS_ASKED", what, str(rows.path), got=told, fix=fix))


def _few_shots(bench: Workbench, name: str) -> Iterator[FewShotSpec]:
    spec = bench.model(name)
    while isinstance(spec, FewShotSpec | RagSpec):
        if isinstance(spec, FewShotSpec):
            yield spec
        spec = bench.model(spec.model if isinstance(spec, FewShotSpec) else spec.generator)


def _solved(stored: StoredDataset) -> Iterator[Sample]:
    for some in stored.iter_samples():
        yield from (sample for _, sample in some if sample.references)


def _drawn(seed: int, family: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{family}".encode()).digest()


def _texts(samples: Sequence[Sample]) -> list[tuple[str, str]]:
    return [(s.id, "\n".join(m.content for m in s.messages if m.role != "system")) for s in samples]
