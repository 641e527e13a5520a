"""Nothing that a gate set asks is learnt from: whatever is done in whatever order, and however a copy was disguised."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.real.conversions import ABSENT, data_folder
from workbench.curation.firewall import (
    Hit,
    Meaning,
    compared,
    find_leaks,
    gate_sets,
    learnt_before,
    learnt_sets,
    named,
    refuse_leaks,
)
from workbench.curation.guarded_texts import Learnt
from workbench.curation.known_marks import marked
from workbench.curation.leaks import Guarded
from workbench.curation.shingles import normalised
from workbench.datasets import Conversation, Kind, Lineage, PreferencePair, Sample, Side, Split, Use, split_of
from workbench.errors import LeakageError
from workbench.reading.stored import StoredDataset
from workbench.reading.storing import Origin, store_rows
from workbench.records import Message, Passage, Record, Turn
from workbench.store.home import Home

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(3000)]


def sample(name: str, text: str, group: str = "", contexts: Sequence[str] = ()) -> Sample:
    passages = tuple(Passage(id=f"{name}#{at}", text=one) for at, one in enumerate(contexts))
    return Sample(id=name, group=group, messages=(Message(role="user", content=text),), contexts=passages)


def conversation(name: str, text: str, group: str = "", sources: Sequence[str] = ()) -> Conversation:
    turns = (Turn(role="user", content=text), Turn(role="assistant", content="Yes."))
    return Conversation(id=name, group=group, messages=turns, lineage=Lineage(sources=tuple(sources)))


def stored(
    home: Home, rows: Sequence[Sample | Conversation], use: Use = "gate", name: str = "guarded"
) -> StoredDataset:
    kind: Kind = "samples" if isinstance(rows[0], Sample) else "conversations"
    return store_rows(rows, Origin(name, kind, use), home.root, NOW)


def sentences(n: int, words: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=words)).capitalize() + "?" for _ in range(n)]


def found(rows: Sequence[Learnt], home: Home) -> list[Hit]:
    return list(find_leaks(rows, gate_sets(home), home))


def paraphrased(text: str) -> str:
    words = text.split()
    return " ".join(["Would", "you", "tell", "me", "please", *words[2:15], "as", "others", "do", "it"])


PLANTED: dict[str, Callable[[str], str]] = {
    "verbatim": lambda text: text,
    "re-cased": str.swapcase,
    "re-spaced": lambda text: " \n\t ".join(text.split()),
    "truncated": lambda text: " ".join(text.split()[: len(text.split()) * 6 // 10]),
    "paraphrase with 13 words": paraphrased,
}


@pytest.mark.parametrize(
    "template", ["{}", "Answer in JSON with the key answer, and add nothing else to it.\nQuestion: {}"]
)
@pytest.mark.parametrize("how", PLANTED)
def test_a_hundred_planted_leaks_are_caught_and_no_clean_row(tmp_path: Path, how: str, template: str) -> None:
    home, gate = Home(tmp_path), sentences(100, 20, seed=1)
    stored(home, [sample(f"g{at}", template.format(text), f"family{at}") for at, text in enumerate(gate)])
    clean = [conversation(f"clean{at}", template.format(text)) for at, text in enumerate(sentences(1000, 20, seed=2))]
    planted = [conversation(f"leak{at}", PLANTED[how](text)) for at, text in enumerate(gate)]
    hits = found([*clean, *planted], home)
    assert {(hit.leak.learnt.id, hit.leak.guarded.id) for hit in hits} == {(f"leak{n}", f"g{n}") for n in range(100)}


def test_published_questions_are_told_apart_and_their_copies_are_not(tmp_path: Path) -> None:
    folder = data_folder()
    if folder is None:
        pytest.skip(ABSENT)
    lines = Path(folder / "squad_v2_qa.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [(row["article"], row["question"]) for row in map(json.loads, lines)]
    titles = sorted({title for title, _ in asked})
    # Within an article, SQuAD 2 has questions that differ in one word on purpose; those are near-duplicates.
    gate = [text for title, text in asked if title in titles[::2]][:1000]
    clean = [text for title, text in asked if title in titles[1::2]]
    random.Random(5).shuffle(clean)
    home = Home(tmp_path)
    stored(home, [sample(f"g{at}", text, f"f{at}") for at, text in enumerate(gate)])
    pairs = list(zip(gate, clean[:1000], strict=True))
    assert len(pairs) == 1000
    assert found([conversation(f"c{at}", text) for at, (_, text) in enumerate(pairs)], home) == []
    for how, plant in PLANTED.items():
        # A few first words of a short question are anybody's.
        long = [text for text in gate if len(text.split()) >= 16 or how in ("verbatim", "re-cased", "re-spaced")]
        assert len(long) >= 100
        planted = [conversation(f"p{at}", plant(text)) for at, text in enumerate(long[:100])]
        assert len(found(planted, home)) >= 95, how


def test_a_passage_that_two_prompts_give_is_no_leak_but_the_same_prompt_is(tmp_path: Path) -> None:
    home, passage = Home(tmp_path), " ".join(WORDS[:40])
    prompt = f"[1] {passage}\n\nQuestion: "
    stored(home, [sample("g", prompt + "Who wrote the book that they all speak about now?", "f", [passage])])
    clean = conversation("clean", prompt + "Where was the author of the letters born and brought up?")
    assert [
        hit.leak.learnt.id
        for hit in found(
            [clean, conversation("same", prompt + "Who wrote the book that they all speak about now?")], home
        )
    ] == ["same"]


def test_every_kind_of_row_is_looked_at(tmp_path: Path) -> None:
    home, [text, other] = Home(tmp_path), sentences(2, 20, seed=3)
    gate = stored(home, [sample("g", text, "family")])
    asked = (Turn(role="user", content=text),)
    sides = [Side(messages=(Turn(role="assistant", content=word),)) for word in ("yes", "no")]
    rows: list[Learnt] = [
        sample("sample", text),
        PreferencePair(id="pair", prompt=asked, chosen=sides[0], rejected=sides[1]),
        Record(id="record", messages=(Message(role="user", content=other),), group="family"),
        Record(id="g", messages=(Message(role="user", content=other),), group="x", origin="evalset:guarded-gate"),
        conversation("answer", other).model_copy(
            update={"messages": (*asked[:0], Turn(role="user", content=other), Turn(role="assistant", content=text))}
        ),
        conversation("later turn", other).model_copy(
            update={"messages": (Turn(role="user", content="hi"), Turn(role="assistant", content="hi"), *asked)}
        ),
        conversation("source", other, sources=["guarded-gate/g"]),
        Guarded("few-shot", "", text),
        conversation("clean", other),
    ]
    with pytest.raises(LeakageError) as refused:
        refuse_leaks(rows, [gate], home, what="rows.jsonl")
    told = [problem.message for problem in refused.value.problems]
    assert len(told) == len(rows) - 1 and not any("'clean'" in line for line in told)
    assert all(f"'g' of the gate set {named(gate)}" in line for line in told)
    assert {problem.code for problem in refused.value.problems} == {"LEAK"}


def test_a_row_made_from_an_answer_of_a_gate_run_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    stored(home, [sample("g", "what is asked here", "family")])
    run = home.runs / "20260101-000000000-guarded-gate-m-0000"
    run.mkdir(parents=True)
    (run / "spec.json").write_text(json.dumps({"dataset": {"name": "guarded", "use": "gate"}}))
    [hit] = found([conversation("c", "quite another text", sources=[f"{run.name}/g#2"])], home)
    assert hit.leak.how == "source"


def test_clean_rows_are_counted_and_the_manifest_can_tell_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    gate = stored(home, [sample("g", "what is asked here", "family")])
    checked = refuse_leaks(iter([conversation("c", "quite another text")]), [gate], home, what="x")
    assert checked.rule() == {"firewall": f"1 rows held against {named(gate)}"}


def test_what_a_gate_set_is_known_by_is_kept_and_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    home, [text] = Home(tmp_path), sentences(1, 20, seed=4)
    stored(home, [sample("g", text, "family")])
    assert found([conversation("c", text)], home)
    [kept] = (home.cache / "firewall").iterdir()
    before = kept.read_bytes()
    assert found([conversation("c", text)], home) and kept.read_bytes() == before
    kept.write_bytes(before[:100])
    assert found([conversation("c", text)], home) and len(kept.read_bytes()) == len(before)


def test_embeddings_see_a_paraphrase_and_the_gate_sets_are_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    asked: list[str] = []
    stored(home, [sample("g", "how do I get in again", "family")])

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return np.array(
            [[1.0, 0.0] if "again" in text or "locked" in text else [0.0, 1.0] for text in texts], np.float32
        )

    rows = [conversation("c", "I am locked out"), conversation("d", "what does it cost")]
    for _ in range(2):
        hits = list(find_leaks(rows, gate_sets(home), home, Meaning(embed, "model")))
        assert [(hit.leak.learnt.id, hit.leak.how) for hit in hits] == [("c", "meaning")]
    assert asked.count("how do I get in again") == 1


def test_what_was_learnt_before_is_found_when_a_gate_set_grows(tmp_path: Path) -> None:
    home, [text, other] = Home(tmp_path), sentences(2, 20, seed=6)
    stored(home, [conversation("c", text.upper()), conversation("d", other)], "train", "learnt")
    [hit] = learnt_before([sample("new", text, "f")], learnt_sets(home))
    assert (hit.leak.learnt.id, hit.leak.guarded.id, hit.gate[:12]) == ("c", "new", "learnt-train")


def test_the_template_of_a_set_tells_nothing_of_its_samples() -> None:
    asked = [
        sample(f"s{at}", f"Please answer this question in one word only: {text}", f"f{at}")
        for at, text in enumerate(sentences(20, 4, 7))
    ]
    assert len(marked(asked).triples) == 6
    assert len(marked(asked[:4]).triples) == 0


SPLIT = Split(salt="property", train=0.4, dev=0.2, gate=0.4)
FAMILIES = [f"f{number}" for number in range(8)]
Operation = tuple[str, int, int]
operations = st.lists(
    st.tuples(
        st.sampled_from(
            ["import", "enlarge", "merge", "relabel", "derive pair", "derive sample", "learn", "learn foreign"]
        ),
        st.integers(0, 7),
        st.integers(0, 3),
    ),
    max_size=25,
)


class Project:
    """What a project does to its rows, with nothing but the firewall between the sides."""

    def __init__(self) -> None:
        self.samples: dict[str, Sample] = {}
        self.learnt: list[Conversation | PreferencePair] = []

    def side(self, use: Use) -> list[Sample]:
        return [one for one in self.samples.values() if split_of(one.family(), SPLIT) == use]

    def families(self, use: Use) -> set[str]:
        return {one.family() for one in self.side(use)}

    def do(self, what: str, family: int, number: int) -> None:
        rows = list(self.samples.values())
        name, group = f"{what}-{family}-{number}", FAMILIES[family]
        if what in ("import", "enlarge"):
            self.grow(sample(name, f"{what} question {family} {number}", group))
        elif what == "merge":
            for other in (0, 1):
                self.grow(sample(f"{name}-{other}", f"merged question {family} {number} {other}", group))
        elif rows and what == "relabel":
            one = rows[(family + number) % len(rows)]
            self.samples[one.id] = one.model_copy(update={"references": (f"answer {number}",)})
        elif rows and what == "derive sample":
            one = rows[(family + number) % len(rows)]
            self.grow(sample(name, f"{one.question()} asked otherwise {number}", one.family()))
        elif rows and what == "derive pair":
            one = rows[(family + number) % len(rows)]
            sides = [Side(messages=(Turn(role="assistant", content=word),)) for word in ("yes", "no")]
            asked = (Turn(role="user", content=f"{one.question()} in other words {number}"),)
            self.learn(PreferencePair(id=name, group=one.family(), prompt=asked, chosen=sides[0], rejected=sides[1]))
        elif what == "learn":
            self.learn(conversation(name, f"learnt question {family} {number}", group))
        elif rows:
            one = rows[(family + number) % len(rows)]
            self.learn(conversation(name, one.question().upper(), f"foreign{number}"))

    def grow(self, one: Sample) -> None:
        """Take a sample in, unless it would guard what was learnt already."""
        if split_of(one.family(), SPLIT) == "gate" and self.learnt:
            known = {row.family() for row in self.learnt}
            if one.family() in known or self.known([*self.learnt], [one]):
                return
        self.samples[one.id] = one

    def learn(self, row: Conversation | PreferencePair) -> None:
        if not self.known([row], self.side("gate")):
            self.learnt.append(row)

    def known(self, rows: Sequence[Learnt], gate: Sequence[Sample]) -> bool:
        return bool(gate) and bool(list(compared(rows, {"": marked(gate)}, {})))


@given(operations)
def test_no_group_and_no_text_is_on_both_sides_whatever_is_done_in_whatever_order(done: list[Operation]) -> None:
    project = Project()
    for what, family, number in done:
        project.do(what, family, number)
        learnt = {row.family() for row in project.learnt}
        assert not learnt & project.families("gate")
        assert not project.families("train") & project.families("gate")
        asked = {normalised(one.question()) for one in project.side("gate")}
        said = {
            normalised((row.prompt if isinstance(row, PreferencePair) else row.messages)[0].content)
            for row in project.learnt
        }
        assert not asked & said


@given(st.permutations(range(12)), st.integers(1, 11))
def test_the_sides_do_not_depend_on_order_or_on_what_else_is_there(order: list[int], cut: int) -> None:
    every = [sample(f"s{n}", f"question {n}", FAMILIES[n % 8]) for n in order]
    alone = {one.id: split_of(one.family(), SPLIT) for one in every[:cut]}
    together = {one.id: split_of(one.family(), SPLIT) for one in every}
    assert alone.items() <= together.items()
