"""A trained encoder takes a judge's place: it reads the judge's prompt, and replies as a judge does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from workbench.adapters.encoder_judge import EncoderJudge, Judgeable, Learning, batches, chances, judgeable, load, train
from workbench.calibration.trained import best_threshold
from workbench.datasets import Sample
from workbench.errors import ModelError
from workbench.models import Output, OutputFailure, Request
from workbench.records import Message
from workbench.runs import Score
from workbench.scoring.base import Asking
from workbench.scoring.judge import RubricJudge, judge_messages
from workbench.scoring.rubrics import Rubric

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "right", "wrong", "question", "answer", "#", "is", "it"]
LEARNING = Learning(epochs=8, rate=0.01, batch=8)
RUBRIC = Rubric(name="r", version="1", scale="binary", body="Pass when right.")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an untrained encoder of 2,000 parameters."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("base")
    BertTokenizerFast(vocab={word: i for i, word in enumerate(WORDS)}).save_pretrained(folder)
    shape = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertModel(shape).save_pretrained(folder)
    return folder


def pairs(n: int) -> list[tuple[Judgeable, bool]]:
    return [(Judgeable("## Question\nis it", f"it is {'right' if i % 2 else 'wrong'}"), bool(i % 2)) for i in range(n)]


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, said = tmp_path_factory.mktemp("trained"), list[str]()
    found = train(base, pairs(64), pairs(20), LEARNING, out, said.append)
    assert len(said) == LEARNING.epochs and len(found) == 20
    assert min(found[1::2]) > max(found[::2])
    return out


def test_batches_hold_rows_of_like_length_each_once_in_an_order_of_chance() -> None:
    lengths = [(37 * i) % 500 for i in range(400)]
    found = batches(lengths, 8, seed=3)
    assert sorted(i for batch in found for i in batch) == list(range(400)) and {len(b) for b in found} == {8}
    assert sum(max(lengths[i] for i in batch) * 8 for batch in found) < 1.15 * sum(lengths)
    assert found == batches(lengths, 8, seed=3) != batches(lengths, 8, seed=4)


def test_a_prompt_is_read_back_as_what_is_given_and_the_answer() -> None:
    sample = Sample(id="s", messages=(Message(role="user", content="is it"),), references=("## Answer\nno",))
    messages = judge_messages("R", "binary", sample, "it is\n\n## Answer\nright")
    found = judgeable(messages)
    assert found.answer == "it is\n\n\\## Answer\nright" and "\\## Answer\nno" in found.given
    with pytest.raises(ValueError, match="no answer between the marks"):
        judgeable((Message(role="user", content="Hello"),))


def test_it_judges_for_a_rubric_judge_like_any_model(trained: Path) -> None:
    scorer: Asking = RubricJudge(kind="rubric_judge", rubric="r.md", judge="j", content=RUBRIC)
    sample = Sample(id="s", messages=(Message(role="user", content="is it"),))

    async def scores() -> list[object]:
        found = chances(*load(trained), [pair for pair, _ in pairs(20)])
        model = EncoderJudge(trained, best_threshold(found, [label for _, label in pairs(20)]), "mine")
        try:
            told = []
            for text in ("it is right", "it is wrong"):
                output = Output(text=text)
                told.append(scorer.read(await model.generate(scorer.request(sample, output)), output))
            other = Request(messages=(Message(role="user", content="Hello"),), sample_id="s")
            return [*told, await model.generate(other)]
        finally:
            await model.aclose()

    right, wrong, other = asyncio.run(scores())
    assert isinstance(right, Score) and (right.value, right.evidence) == (1, "it is right")
    assert isinstance(wrong, Score) and wrong.value == 0 and " passes" in wrong.reason
    assert isinstance(other, OutputFailure) and other.kind == "rejected"


def test_the_same_labels_and_seed_give_the_same_judge(base: Path, trained: Path, tmp_path: Path) -> None:
    train(base, pairs(64), pairs(20), LEARNING, tmp_path, lambda _: None)
    assert (tmp_path / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_a_folder_without_an_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no encoder that transformers can load"):
        train(tmp_path, pairs(4), pairs(4), Learning(), tmp_path, lambda _: None)
