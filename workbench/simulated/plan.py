"""What a simulated endpoint does wrong, how often, and to whom: data, so that a faulty afternoon can be repeated."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from workbench.errors import ConfigError, Problem
from workbench.nouns import Many, Noun

FaultName = Literal[
    "429",
    "500",
    "502",
    "503",
    "504",
    "529",
    "401",
    "400",
    "413",
    "timeout",
    "slow_drip",
    "reset_mid_body",
    "truncated_json",
    "html_200",
    "error_in_200",
    "empty_choices",
    "null_content",
    "empty_content",
    "refusal",
    "length_cut",
    "out_of_range_score",
    "prose_score",
    "nan_score",
    "wrong_model",
    "duplicate_id",
]


class EndpointFault(Noun):
    """One fault and its rhythm: exactly one of `share`, `every` and `times`."""

    fault: FaultName
    """What goes wrong; docs/simulated-endpoint.md describes each."""
    share: float | None = Field(None, ge=0, le=1)
    """Part of the attempts that show it, drawn from the plan's seed, the request's body and the attempt's number."""
    every: int | None = Field(None, ge=1)
    """Each n-th matching request shows it, in order of arrival."""
    times: int | None = Field(None, ge=1)
    """The first n attempts of each request show it, later ones do not."""
    containing: str = ""
    """Only requests whose body contains these words; empty: all."""
    retry_after: str | None = None
    """Value of the `Retry-After` header that comes with an error status."""

    @model_validator(mode="after")
    def _one_rhythm(self) -> EndpointFault:
        given = [name for name in ("share", "every", "times") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of share, every, times; has {', '.join(given) or 'none'}")
        return self


class Said(Noun):
    """What is answered to certain requests."""

    containing: Many[str]
    """Only requests whose body contains all of these words."""
    reply: str
    """Text of their good answers."""


class Plan(Noun):
    """Everything that decides what a simulated endpoint answers."""

    seed: int = 0
    """Seed of every draw."""
    latency_ms: float = Field(0.0, ge=0)
    """Milliseconds before each reply."""
    drip_seconds: float = Field(0.2, gt=0)
    """Seconds between two bytes of a `slow_drip`."""
    reply: str | None = None
    """Text of every good answer; `null`: a verdict where one is asked for, else a sentence that names the hash."""
    replies: Many[Said] = ()
    """Answers to certain requests, before `reply`; the first that fits is given."""
    faults: Many[EndpointFault] = ()
    """Faults; the first that strikes is shown."""

    def said(self, body: bytes) -> str | None:
        """Return the text of a good answer to a request of this body; `None`: whatever is made up for it."""
        fitting = (said.reply for said in self.replies if all(words.encode() in body for words in said.containing))
        return next(fitting, self.reply)


def read_plan(path: Path) -> Plan:
    """Read a plan from YAML. Raises `ConfigError` naming file and field."""
    try:
        return Plan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except OSError as exc:
        raise ConfigError(Problem("PLAN", f"cannot be read: {exc.strerror}", file=str(path))) from exc
    except yaml.YAMLError as exc:
        raise ConfigError(Problem("PLAN", f"is no YAML: {exc}", file=str(path))) from exc
    except ValidationError as exc:
        raise ConfigError(_problem(error, path) for error in exc.errors()) from exc


def _problem(error: Any, path: Path) -> Problem:
    field = ".".join(str(part) for part in error["loc"])
    return Problem("PLAN", error["msg"], file=str(path), field=field, got=str(error["input"]))


class Chooser:
    """Decide which fault a request shows; the same requests get the same faults, in whatever order they come.

    Only `every` depends on the order of arrival.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._arrivals = [0] * len(plan.faults)
        self._attempts: dict[str, int] = {}

    def choose(self, sha: str, body: bytes) -> EndpointFault | None:
        """Return the fault for the next attempt of the request whose body has this SHA-256."""
        attempt = self._attempts[sha] = self._attempts.get(sha, 0) + 1
        chosen = None
        for number, fault in enumerate(self._plan.faults):
            if fault.containing.encode() not in body:
                continue
            self._arrivals[number] += 1
            if chosen is None and self._strikes(fault, number, sha, attempt):
                chosen = fault
        return chosen

    def _strikes(self, fault: EndpointFault, number: int, sha: str, attempt: int) -> bool:
        if fault.every is not None:
            return self._arrivals[number] % fault.every == 0
        if fault.times is not None:
            return attempt <= fault.times
        return draw(f"{self._plan.seed}:{number}:{sha}:{attempt}") < (fault.share or 0.0)


def draw(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
