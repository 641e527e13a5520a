"""Endpoints under test: quick to give up waiting, never short of attempts."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from workbench.adapters.openai_endpoint import OpenAIEndpoint
from workbench.calling.budget import Budget
from workbench.calling.clock import Clock
from workbench.models import EndpointSpec, spec_fingerprint
from workbench.store.cache import ResponseCache

Opener = Callable[..., OpenAIEndpoint]


@pytest.fixture
async def opened() -> AsyncIterator[Opener]:
    """Open endpoints that are closed when the test ends."""
    async with AsyncExitStack() as stack:

        def open_one(
            spec: EndpointSpec,
            cache: ResponseCache | None = None,
            budget: Budget | None = None,
            clock: Clock | None = None,
        ) -> OpenAIEndpoint:
            model = OpenAIEndpoint(spec, cache, budget, spec_fingerprint(spec), clock, random.Random(0))
            stack.push_async_callback(model.aclose)
            return model

        yield open_one
