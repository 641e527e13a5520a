"""The embedded default: the help centre's files hold together, and the shipped models load offline and answer."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from workbench.datasets import Sample, Split, split_of

ROOT = Path(__file__).parents[2]
EVALSET = ROOT / "evalsets" / "helpcentre"
MODELS = ROOT / "demo" / "models"
SPLIT = Split(salt="helpcentre", train=0.5, dev=0.2, gate=0.3)
ABSTENTION = "Not in the documents."
PASSAGE = re.compile(r"<!-- passage: (\S+) -->\n(.+)\n")


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    lines = (EVALSET / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    return [Sample.model_validate_json(line) for line in lines]


@pytest.fixture(scope="module")
def passages() -> dict[str, str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted((EVALSET / "documents").glob("*.md"))]
    found = [match for text in texts for match in PASSAGE.findall(text)]
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


def question_of(sample: Sample) -> str:
    return sample.question().rpartition("Question: ")[2]


def values_of(reference: str) -> list[str]:
    """Return the words that must stand in the gold passage, without the format around them."""
    if reference.startswith("{"):
        answer = json.loads(reference)["answer"]
        assert isinstance(answer, str)
        return [answer]
    return re.sub(r" \[\d]$", "", reference).splitlines()


def test_there_are_enough_documents_questions_and_families(samples: list[Sample]) -> None:
    assert len(list((EVALSET / "documents").glob("*.md"))) >= 60
    assert len(samples) >= 300
    assert len({sample.group for sample in samples}) >= 120


def test_ids_are_unique_and_every_line_has_exactly_the_agreed_keys(samples: list[Sample]) -> None:
    assert len({sample.id for sample in samples}) == len(samples)
    agreed = {"id", "group", "messages", "references", "contexts", "gold_contexts", "tags"}
    for line in (EVALSET / "samples.jsonl").read_text(encoding="utf-8").splitlines():
        assert set(json.loads(line)) == agreed


def test_every_passage_shown_is_the_documents_own_text(samples: list[Sample], passages: dict[str, str]) -> None:
    for sample in samples:
        for number, context in enumerate(sample.contexts, 1):
            assert passages[context.id] == context.text
            assert f"[{number}] {context.text}\n" in sample.question()


def test_every_answer_stands_in_its_gold_passage(samples: list[Sample], passages: dict[str, str]) -> None:
    for sample in samples:
        if sample.tags["answerable"] == "no":
            assert (sample.gold_contexts, sample.references) == ((), (ABSTENTION,))
            continue
        (gold,) = sample.gold_contexts
        assert gold in {context.id for context in sample.contexts}
        for reference in sample.references:
            assert all(value in passages[gold] for value in values_of(reference)), sample.id


def test_a_cited_answer_names_the_number_of_its_gold_passage(samples: list[Sample]) -> None:
    for sample in samples:
        if sample.tags["format"] == "cited" and sample.gold_contexts:
            number = [context.id for context in sample.contexts].index(sample.gold_contexts[0]) + 1
            assert sample.references[0].endswith(f" [{number}]")


def test_unanswerable_prompts_do_not_show_the_passage_that_answers_their_family(samples: list[Sample]) -> None:
    gold = {sample.group: sample.gold_contexts[0] for sample in samples if sample.gold_contexts}
    unanswerable = [sample for sample in samples if not sample.gold_contexts]
    assert 0.12 <= len(unanswerable) / len(samples) <= 0.15
    for sample in unanswerable:
        assert gold.get(sample.group) not in {context.id for context in sample.contexts}


def test_no_question_and_no_fact_lies_in_two_groups(samples: list[Sample]) -> None:
    groups: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        groups[question_of(sample).casefold()].add(sample.group)
    assert [question for question, found in groups.items() if len(found) > 1] == []
    prompts = Counter(sample.question() for sample in samples)
    assert max(prompts.values()) == 1


def test_the_split_gives_each_side_its_share(samples: list[Sample]) -> None:
    sides = Counter(split_of(sample.group, SPLIT) for sample in samples)
    shares = {use: count / len(samples) for use, count in sides.items()}
    assert shares == pytest.approx({"train": 0.5, "dev": 0.2, "gate": 0.3}, abs=0.08)


def test_building_the_documents_gives_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.build_documents", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    for kept in [EVALSET / "samples.jsonl", *(EVALSET / "documents").glob("*.md")]:
        assert (tmp_path / kept.relative_to(EVALSET)).read_bytes() == kept.read_bytes(), kept.name
    assert len(list((tmp_path / "documents").iterdir())) == len(list((EVALSET / "documents").iterdir()))


def test_the_weights_are_small_and_nothing_but_safetensors() -> None:
    weights = list(MODELS.rglob("*.safetensors"))
    assert {path.parent.name for path in weights} == {"base", "judge"}
    assert sum(path.stat().st_size for path in weights) <= 8 * 1024 * 1024
    known = {".json", ".jinja", ".safetensors"}
    assert {path.suffix for path in MODELS.rglob("*") if path.is_file()} <= known


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(MODELS / "base", local_files_only=True)


def test_no_text_loses_a_character_in_the_tokenizer(tokenizer: Any, samples: list[Sample]) -> None:
    odd = ["a  b\t c\r\n", "é “x” — 你好 😀", "data-0a1b2c3d4e5f", '{"a": ["1,000", 2.5]}', "don't e.g. #1", " x "]
    for text in [*odd, *(sample.question() for sample in samples[:50])]:
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_chat_template_marks_what_the_assistant_says(tokenizer: Any) -> None:
    chat = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "40 MB"}]
    tokens = tokenizer.apply_chat_template(chat, return_assistant_tokens_mask=True, return_dict=True)
    said = [token for token, mark in zip(tokens["input_ids"], tokens["assistant_masks"], strict=True) if mark]
    assert tokenizer.decode(said) == "40 MB<|end|>"


def test_the_base_model_answers_from_the_passages_offline(tokenizer: Any, samples: list[Sample]) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    model = transformers.LlamaForCausalLM.from_pretrained(MODELS / "base", local_files_only=True).eval()
    asked = [s for s in samples if split_of(s.group, SPLIT) == "train" and s.tags["format"] == "short"]
    asked = [s for s in asked if s.gold_contexts][:40]
    right = 0
    for sample in asked:
        chat = [{"role": turn.role, "content": turn.content} for turn in sample.messages]
        ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        with torch.no_grad():
            out = model.generate(**ids, max_new_tokens=24, do_sample=False)
        said = tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
        right += said in sample.references
    assert right / len(asked) >= 0.45
