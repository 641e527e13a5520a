"""Note that a run on gate samples begins, before its first answer: who removes it afterwards has had a look."""

from __future__ import annotations

import time
from datetime import datetime

from pydantic import TypeAdapter

from workbench.config.workbench_yaml import Workbench
from workbench.errors import LockedError
from workbench.gate.ledger import Ledger
from workbench.gate.records import Start
from workbench.jobs.identities import identity_of
from workbench.models import EndpointSpec, LocalSpec, ModelSpec, ScriptedSpec
from workbench.runs import RunSpec
from workbench.store.home import RunFolder

PATIENCE = 10.0
"""Seconds to wait for another process that writes the book, which takes each some milliseconds."""


def note_start(bench: Workbench, folder: RunFolder, spec: RunSpec, now: datetime) -> None:
    """Add the run to the book of gates unless it is of another use, or there. Raises `LockedError`, `DataError`."""
    ledger = Ledger(bench.home.root)
    starts = ledger.starts() if spec.use == "gate" else []
    if spec.use != "gate" or folder.id in {start.run for start in starts}:
        return
    record = Start(
        evalset=spec.evalset,
        run=folder.id,
        rows=spec.fingerprints["rows"],
        series=_series(bench, spec, starts),
        parent=spec.parent,
        at=ledger.now(now).isoformat(timespec="seconds"),
    )
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return ledger.add(record)
        except LockedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _series(bench: Workbench, spec: RunSpec, starts: list[Start]) -> str:
    """Return the series' name; saved answers are of their giver's, whose files may have changed since."""
    given = next((start.series for start in starts if start.run == spec.parent), None)
    if given is not None:
        return given
    return identity_of(bench, plain(TypeAdapter(ModelSpec).validate_python(spec.model)))


def plain(spec: ModelSpec) -> ModelSpec:
    """Return a model's spec without settings that change answers, but not what the model is or is told.

    Another seed, pace, field name or space in the system prompt is another draw from the same model.
    """
    match spec:
        case ScriptedSpec():
            return spec.model_copy(update={"latency": 0.0, "concurrency": 1})
        case EndpointSpec() | LocalSpec():
            sampling = spec.sampling.model_copy(update={"seed": None, "max_tokens_field": "max_tokens"})
            system = None if spec.system is None else " ".join(spec.system.split())
            same = {"check_model": True} if isinstance(spec, EndpointSpec) else {"device": "auto", "dtype": "auto"}
            return spec.model_copy(update={"sampling": sampling, "system": system, **same})
        case _:
            return spec
