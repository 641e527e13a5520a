from __future__ import annotations

import pytest

from workbench.adapters.scripted import ScriptedModel
from workbench.models import Fault, Model, Output, OutputFailure, Request, ScriptedSpec
from workbench.records import Message

QUESTION = (Message(role="system", content="Be brief."), Message(role="user", content="How many?"))


def request(sample: str, repeat: int = 0) -> Request:
    return Request(messages=QUESTION, sample_id=sample, repeat=repeat)


async def failing(spec: ScriptedSpec, samples: list[str]) -> set[str]:
    """Return the samples on which a fresh model fails."""
    model = ScriptedModel(spec)
    return {s for s in samples if isinstance(await model.generate(request(s)), OutputFailure)}


async def test_it_is_a_model_and_says_what_the_script_says() -> None:
    model = ScriptedModel(ScriptedSpec(kind="scripted", replies={"a": "four"}))
    assert isinstance(model, Model)
    assert await model.generate(request("a")) == await model.generate(request("a", repeat=3))
    answer = await model.generate(request("a"))
    assert isinstance(answer, Output) and answer.text == "four"
    assert answer.usage.attempts == 0 and not answer.usage.cached
    await model.aclose()


@pytest.mark.parametrize(("default", "text"), [("echo", "How many?"), ("empty", "")])
async def test_other_samples_get_the_default(default: str, text: str) -> None:
    answer = await ScriptedModel(ScriptedSpec.model_validate({"kind": "scripted", "default": default})).generate(
        request("z")
    )
    assert isinstance(answer, Output) and answer.text == text


async def test_a_sample_without_a_reply_can_be_a_failure_instead() -> None:
    answer = await ScriptedModel(ScriptedSpec(kind="scripted", default="missing")).generate(request("z"))
    assert isinstance(answer, OutputFailure) and answer.kind == "missing"
    assert answer.message == "the script has no reply for sample 'z'"


async def test_about_one_request_in_n_fails_whatever_the_order() -> None:
    spec = ScriptedSpec(kind="scripted", faults=(Fault(kind="timeout", every=10),))
    samples = [f"s{i}" for i in range(1000)]
    hit = await failing(spec, samples)
    assert 60 <= len(hit) <= 140
    assert await failing(spec, samples[::-1]) == hit


async def test_a_fault_of_every_request_hits_all_and_the_first_fault_wins() -> None:
    faults = (Fault(kind="refusal"), Fault(kind="timeout"))
    answer = await ScriptedModel(ScriptedSpec(kind="scripted", faults=faults)).generate(request("a"))
    assert isinstance(answer, OutputFailure) and answer.kind == "refusal"


async def test_repeats_of_a_sample_fail_independently() -> None:
    model = ScriptedModel(ScriptedSpec(kind="scripted", faults=(Fault(kind="empty", every=2),)))
    kinds = {type(await model.generate(request("a", repeat))) for repeat in range(20)}
    assert kinds == {Output, OutputFailure}
