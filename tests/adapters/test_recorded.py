from __future__ import annotations

from collections.abc import Sequence

from workbench.adapters.recorded import RecordedModel
from workbench.models import Model, Output, OutputFailure, Request
from workbench.records import Message


class TwoAnswers:
    def find(self, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        known = {("a", 0): Output(text="first"), ("a", 1): Output(text="")}
        return {key: known[key].model_dump_json().encode() for key in wanted if key in known}

    def close(self) -> None:
        pass


def request(sample: str, repeat: int = 0) -> Request:
    return Request(messages=(Message(role="user", content="?"),), sample_id=sample, repeat=repeat)


async def test_it_is_a_model_and_gives_back_what_was_recorded() -> None:
    model = RecordedModel(TwoAnswers())
    assert isinstance(model, Model)
    assert await model.generate(request("a")) == Output(text="first")
    await model.aclose()


async def test_an_answer_that_was_empty_in_production_is_an_answer() -> None:
    assert await RecordedModel(TwoAnswers()).generate(request("a", 1)) == Output(text="")


async def test_a_sample_without_an_answer_is_a_failure_that_names_it() -> None:
    model = RecordedModel(TwoAnswers())
    missing = OutputFailure(kind="missing", message="there is no recorded output for sample 'b'")
    assert await model.generate(request("b")) == missing
    again = await model.generate(request("a", 2))
    assert isinstance(again, OutputFailure) and again.message.endswith("sample 'a', repeat 2")
