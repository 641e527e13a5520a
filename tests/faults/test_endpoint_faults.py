"""R6 of the reliability plan: each fault of the simulated endpoint is an answer, a stored failure or a stopped run.

A tenth of the trials by default; all of them with `-m long`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any, get_args

import pytest

from workbench.adapters.openai_endpoint import OpenAIEndpoint
from workbench.errors import ModelError
from workbench.models import EndpointSpec, Limits, Output, OutputFailure, Request
from workbench.records import Message
from workbench.simulated.endpoint import SimulatedEndpoint, simulated_endpoint
from workbench.simulated.plan import FaultName, Plan

ATTEMPTS = 3
LIMITS = Limits(concurrency=64, attempts=ATTEMPTS, timeout=0.4, total_timeout=60, backoff=0.001, max_backoff=0.002)
PATIENT = LIMITS.model_copy(update={"timeout": 5.0})
"""So patient that a busy machine delays no reply until it is asked for again."""
STOPS = ("401", "html_200")
"""Faults that stop the run when every request shows them."""
ENDS_AS: dict[str, tuple[str, bool]] = {
    "429": ("rate_limited", True),
    "500": ("server_error", True),
    "502": ("server_error", True),
    "503": ("server_error", True),
    "504": ("server_error", True),
    "529": ("server_error", True),
    "400": ("rejected", False),
    "413": ("rejected", False),
    "timeout": ("timeout", True),
    "slow_drip": ("timeout", True),
    "reset_mid_body": ("connection", True),
    "truncated_json": ("malformed", True),
    "error_in_200": ("server_error", True),
    "empty_choices": ("malformed", True),
    "null_content": ("empty", False),
    "empty_content": ("empty", False),
    "refusal": ("refusal", False),
    "length_cut": ("truncated", False),
    "wrong_model": ("wrong_model", False),
}
"""Failure kind of each fault that lasts, and whether it is asked again."""
JUDGED_LATER = ("out_of_range_score", "prose_score", "nan_score", "duplicate_id")
"""Faults of an answer's content: an answer all the same, for a scorer to refuse. Ids of answers are not used."""

Outcome = Output | OutputFailure


def plan(*faults: dict[str, Any], seed: int = 0) -> Plan:
    return Plan.model_validate({"seed": seed, "drip_seconds": 0.1, "faults": list(faults)})


async def ask_all(
    server: SimulatedEndpoint, n: int, seed: int, limits: Limits = LIMITS
) -> list[Outcome | BaseException]:
    spec = EndpointSpec(kind="endpoint", base_url=server.base_url, model="simulated", limits=limits)
    model = OpenAIEndpoint(spec, None, None, "", rng=random.Random(seed))
    requests = [
        Request(messages=(Message(role="user", content=f"{seed}: question {i}"),), sample_id=str(i)) for i in range(n)
    ]
    outcomes = await asyncio.gather(*(model.generate(r) for r in requests), return_exceptions=True)
    await model.aclose()
    return outcomes


def accounted(
    outcomes: list[Outcome | BaseException], server: SimulatedEndpoint
) -> tuple[list[Output], list[OutputFailure]]:
    """Split outcomes, and assert that each request has one and that calls agree with the server's own count."""
    answers = [o for o in outcomes if isinstance(o, Output)]
    failures = [o for o in outcomes if isinstance(o, OutputFailure)]
    assert len(answers) + len(failures) == len(outcomes), [o for o in outcomes if isinstance(o, BaseException)]
    attempts = [o.usage.attempts for o in answers] + [o.usage.attempts for o in failures]
    assert sum(attempts) == server.arrived
    assert max(attempts) <= ATTEMPTS
    return answers, failures


def test_every_fault_has_its_row_here() -> None:
    assert {*ENDS_AS, *STOPS, *JUDGED_LATER} == set(get_args(FaultName))


@pytest.mark.parametrize("fault", ENDS_AS)
async def test_a_lasting_fault_is_a_stored_failure_of_its_kind(fault: str) -> None:
    kind, again = ENDS_AS[fault]
    async with simulated_endpoint(plan({"fault": fault, "share": 1.0})) as server:
        answers, failures = accounted(await ask_all(server, 5, seed=1), server)
    assert not answers
    assert {f.kind for f in failures} == {kind}
    assert {f.usage.attempts for f in failures} == {ATTEMPTS if again else 1}


@pytest.mark.parametrize("fault", [fault for fault, (_, again) in ENDS_AS.items() if again])
async def test_a_passing_fault_costs_one_more_attempt_and_no_answer(fault: str) -> None:
    async with simulated_endpoint(plan({"fault": fault, "times": 1})) as server:
        answers, failures = accounted(await ask_all(server, 5, seed=2), server)
    assert not failures
    assert {a.usage.attempts for a in answers} == {2}


@pytest.mark.parametrize("fault", JUDGED_LATER)
async def test_odd_content_is_still_an_answer(fault: str) -> None:
    async with simulated_endpoint(plan({"fault": fault, "share": 1.0})) as server:
        answers, _ = accounted(await ask_all(server, 5, seed=3), server)
    assert len(answers) == 5


@pytest.mark.parametrize("fault", STOPS)
async def test_a_fault_of_the_whole_run_is_raised(fault: str) -> None:
    async with simulated_endpoint(plan({"fault": fault, "share": 1.0})) as server:
        outcomes = await ask_all(server, 5, seed=4)
    assert {type(o) for o in outcomes} == {ModelError}
    assert server.arrived == 5 * (1 if fault == "401" else ATTEMPTS)


async def test_a_length_cut_keeps_what_arrived() -> None:
    async with simulated_endpoint(plan({"fault": "length_cut", "share": 1.0})) as server:
        _, failures = accounted(await ask_all(server, 1, seed=5), server)
    assert failures[0].text.startswith("Simulated")
    assert failures[0].usage.output_tokens is not None


async def trials(n: int, seed: int) -> None:
    """Show each fault to one of its requests in ten, and all faults mixed to a tenth of many."""
    print(f"seed {seed}")  # noqa: T201  # pytest shows it when a trial fails
    for fault in ENDS_AS:
        async with simulated_endpoint(plan({"fault": fault, "share": 0.5}, seed=seed)) as server:
            _, failures = accounted(await ask_all(server, n, seed), server)
        assert {f.kind for f in failures} <= {ENDS_AS[fault][0]}
    mixed = [{"fault": fault, "share": 0.1 / len(ENDS_AS)} for fault in ENDS_AS]
    async with simulated_endpoint(plan(*mixed, seed=seed)) as server:
        answers, failures = accounted(await ask_all(server, 20 * n, seed, PATIENT), server)
        shown = Counter(logged.fault for logged in server.log)
    final = [fault for fault, (_, again) in ENDS_AS.items() if not again]
    assert len(failures) >= sum(shown[fault] for fault in final)
    assert len(answers) > 0.8 * 20 * n


async def test_r6_a_tenth_of_the_trials() -> None:
    await trials(5, seed=random.randrange(10**6))


@pytest.mark.long
async def test_r6_all_trials() -> None:
    await trials(50, seed=random.randrange(10**6))
