"""Judgements become pairs as the policy says, in any order, and everything that is left out is counted."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.curation.pairs.building import Built, build_pairs
from workbench.curation.pairs.conversations import Conversed, build_conversations
from workbench.curation.pairs.from_labels import Labelled, judged
from workbench.curation.pairs.from_opinions import compared
from workbench.curation.pairs.judgements import Judgement, Opinion, Unused
from workbench.curation.pairs.policy import PairPolicy
from workbench.records import Label, Message, Ranked, Record

AT = datetime(2026, 3, 1, tzinfo=UTC)


def record(name: str, *outputs: str, prompt: str = "What is it?", **tags: str) -> Record:
    messages = (Message(role="user", content=prompt),)
    return Record(id=name, messages=messages, outputs=outputs, group=f"g:{prompt}", tags=tags)


def label(name: str, question: str, value: object, who: str = "ada", guideline: str = "t/1") -> Label:
    return Label.model_validate(
        {"record_id": name, "question": question, "value": value, "annotator": who, "guideline": guideline, "at": AT}
    )


def built(records: list[Record], labels: list[Label], policy: PairPolicy | None = None, **more: object) -> Built:
    policy = policy or PairPolicy()
    heard = list(judged(Labelled("set", records, labels, **more), policy))  # type: ignore[arg-type]
    met = list(compared([h for h in heard if isinstance(h, Opinion)], policy))
    every = [*heard, *met]
    return build_pairs(
        [h for h in every if isinstance(h, Judgement)], [h for h in every if isinstance(h, Unused)], policy
    )


def talked(records: list[Record], labels: list[Label], policy: PairPolicy | None = None) -> Conversed:
    policy = policy or PairPolicy()
    heard = list(judged(Labelled("set", records, labels), policy))
    return build_conversations(
        [h for h in heard if isinstance(h, Opinion)], [h for h in heard if isinstance(h, Unused)], policy
    )


def sides(found: Built) -> list[tuple[str, str]]:
    return sorted((p.chosen.text(), p.rejected.text()) for p in found.pairs)


def dropped(found: Built | Conversed) -> dict[str, int]:
    return {reason: n for step in found.steps for reason, n in step.reasons.items()}


# ---------------------------------------------------------------- what people say


def test_a_pick_with_strength_is_a_pair_with_a_margin_its_annotator_and_its_source() -> None:
    found = built([record("r", "A", "B")], [label("r", "preferred", "2"), label("r", "strength", "clearly")])
    (pair,) = found.pairs
    assert (pair.chosen.text(), pair.rejected.text(), pair.rule, pair.margin) == ("B", "A", "pick", 2.0)
    assert pair.lineage.sources == ("set/r",) and pair.lineage.annotators == ("ada",)
    assert pair.group == "g:What is it?" and not pair.lineage.synthetic


def test_a_ranking_makes_a_pair_of_every_two_outputs_of_different_rank() -> None:
    ranks = [Ranked(value="2", rank=1), Ranked(value="1", rank=2), Ranked(value="3", rank=2)]
    found = built([record("r", "A", "B", "C")], [label("r", "ranking", ranks)])
    assert sides(found) == [("B", "A"), ("B", "C")] and dropped(found) == {"tie": 1}


@pytest.mark.parametrize(("way", "n"), [("all", 6), ("neighbours", 3), ("ends", 1)])
def test_the_policy_says_which_pairs_of_a_ranking_count(way: str, n: int) -> None:
    ranks = [Ranked(value=str(at), rank=at) for at in (1, 2, 3, 4)]
    policy = PairPolicy.model_validate({"rankings": way})
    assert len(built([record("r", "A", "B", "C", "D")], [label("r", "ranking", ranks)], policy).pairs) == n


def test_ratings_of_one_person_are_compared_and_their_difference_is_the_margin() -> None:
    records = [record("r1", "A"), record("r2", "B"), record("r3", "C")]
    labels = [label("r1", "rating", 5), label("r2", "rating", 3), label("r3", "rating", 1, "bob")]
    (pair,) = built(records, labels).pairs
    assert (pair.chosen.text(), pair.rejected.text(), pair.margin, pair.rule) == ("A", "B", 2.0, "rating")
    assert dropped(built(records, labels)) == {"alone": 1}


def test_the_better_of_two_bad_answers_is_no_example_unless_that_is_wanted() -> None:
    records, labels = [record("r1", "A"), record("r2", "B")], [label("r1", "rating", 2), label("r2", "rating", 1)]
    assert built(records, labels).pairs == () and dropped(built(records, labels)) == {"both_bad": 1}
    assert sides(built(records, labels, PairPolicy(both_bad="keep"))) == [("A", "B")]


def test_thumbs_up_over_thumbs_down_on_the_same_prompt_only() -> None:
    records = [record("r1", "A"), record("r2", "B"), record("r3", "C", prompt="Another one?")]
    labels = [label("r1", "thumb", "up"), label("r2", "thumb", "down"), label("r3", "thumb", "down")]
    found = built(records, labels)
    assert sides(found) == [("A", "B")] and found.pairs[0].rule == "thumbs" and dropped(found) == {"alone": 1}


def test_a_correction_is_chosen_over_its_original_and_counts_as_a_persons() -> None:
    labels = [label("r", "verdict", "edited"), label("r", "edited", "A, mended")]
    (pair,) = built([record("r", "A", model="m")], labels).pairs
    assert (pair.chosen.text(), pair.chosen.model, pair.rejected.model) == ("A, mended", "human", "m")


def test_a_correction_that_most_found_needless_is_a_conflict() -> None:
    labels = [label("r", "verdict", "edited"), label("r", "edited", "A, mended")]
    labels += [label("r", "verdict", "keep", who) for who in ("bob", "cem")]
    found = built([record("r", "A")], labels)
    assert found.pairs == () and dropped(found) == {"tie": 1}


def test_suggestions_of_models_are_feedback_synthetic_and_dropped_where_they_are_unsure() -> None:
    records, labels = [record("r", "A", "B")], [label("r", "preferred", "1", "judge:1")]
    (pair,) = built(records, labels, by_model=True, certain={("r", "preferred"): 0.9}).pairs
    assert pair.rule == "feedback" and pair.lineage.synthetic
    found = built(records, labels, by_model=True, certain={("r", "preferred"): 0.6})
    assert found.pairs == () and dropped(found) == {"unsure": 1}


def test_a_pair_is_on_policy_when_the_tuned_model_wrote_both_sides() -> None:
    records = [record("r1", "A", "B", models="m,m"), record("r2", "A", "B", models="m,x", prompt="Q2?"),
               record("r3", "A", "B", prompt="Q3?")]  # fmt: skip
    labels = [label(r.id, "preferred", "1") for r in records]
    found = built(records, labels, PairPolicy(tuned="m"))
    assert {p.lineage.sources[0]: p.on_policy for p in found.pairs} == {"set/r1": True, "set/r2": False, "set/r3": None}
    assert len(built(records, labels, PairPolicy(tuned="m", on_policy_only=True)).pairs) == 1


def test_which_answer_was_seen_first_is_kept() -> None:
    (pair,) = built([record("r", "A", "B")], [label("r", "preferred", "1")], seen={"r": (1, 0)}).pairs
    assert pair.seen_first is False


# ---------------------------------------------------------------- rows 58 to 66 of the catalogue of bad inputs


def test_row_58_equal_sides_are_dropped_and_counted() -> None:
    found = built([record("r", "A", "A")], [label("r", "preferred", "1")])
    assert found.pairs == () and dropped(found) == {"same_text": 1}


def test_row_59_ties_are_dropped_and_counted() -> None:
    found = built([record("r", "A", "B")], [label("r", "preferred", "tie")])
    assert found.pairs == () and dropped(found) == {"tie": 1}


@pytest.mark.parametrize(
    ("conflicts", "votes", "n"),
    [("majority", "112", 1), ("unanimous", "112", 0), ("majority", "12", 0), ("majority", "1t2", 0)],
)
def test_row_60_contradictory_annotators_are_settled_by_the_named_policy(conflicts: str, votes: str, n: int) -> None:
    words = {"1": "1", "2": "2", "t": "tie"}
    labels = [label("r", "preferred", words[vote], f"a{at}") for at, vote in enumerate(votes)]
    found = built([record("r", "A", "B")], labels, PairPolicy.model_validate({"conflicts": conflicts}))
    assert len(found.pairs) == n and dropped(found) == ({} if n else {"conflict": 1})
    assert f"conflicts: {conflicts}" in found.steps[2].rule
    if n:
        votes_ = found.pairs[0].votes
        assert votes_ is not None and (votes_.chosen, votes_.rejected) == (2, 1)


def test_row_60_an_adjudicators_decision_outweighs_the_votes() -> None:
    labels = [label("r", "preferred", "1", who) for who in ("ada", "bob")]
    found = built([record("r", "A", "B")], labels, decided=[label("r", "preferred", "2", "eve")])
    assert sides(found) == [("B", "A")] and found.pairs[0].lineage.annotators == ("eve",)


def test_row_61_two_sources_that_say_the_opposite_are_both_quarantined() -> None:
    records = [record("r1", "A", "B"), record("r2", "A", "B")]
    found = built(records, [label("r1", "preferred", "1"), label("r2", "preferred", "2", "bob")])
    assert found.pairs == () and [reason for reason, _ in found.quarantined] == ["contradiction"] * 2


def test_row_61_a_circle_is_quarantined_and_the_rest_stays() -> None:
    records = [record("r1", "A", "B"), record("r2", "B", "C"), record("r3", "C", "A"), record("r4", "A", "D")]
    found = built(records, [label(r.id, "preferred", "1") for r in records])
    assert sides(found) == [("A", "D")] and [reason for reason, _ in found.quarantined] == ["circle"] * 3


def test_row_62_answers_to_different_prompts_are_never_paired() -> None:
    records = [record("r1", "A"), record("r2", "B", prompt="What is it, then?")]
    found = built(records, [label("r1", "thumb", "up"), label("r2", "thumb", "down")])
    assert found.pairs == () and dropped(found) == {"alone": 2}


def test_row_66_labels_of_another_guideline_are_counted_and_not_pooled() -> None:
    labels = [label("r", "preferred", "1"), label("r", "preferred", "2", "bob", "t/2")]
    found = built([record("r", "A", "B")], labels, PairPolicy(guideline="t/2"))
    assert sides(found) == [("B", "A")] and dropped(found) == {"other_guideline": 1}


# ---------------------------------------------------------------- the whole


def test_what_several_sources_say_is_one_pair_with_all_votes() -> None:
    records = [record("r1", "A", "B"), record("r2", "A", "B")]
    found = built(records, [label("r1", "preferred", "1"), label("r2", "preferred", "1", "bob")])
    (pair,) = found.pairs
    assert found.n_duplicates == 1 and pair.lineage.sources == ("set/r1", "set/r2")
    assert pair.votes is not None and pair.votes.chosen == 2 and pair.lineage.annotators == ("ada", "bob")


def test_of_one_prompt_only_the_clearest_pairs_are_kept() -> None:
    ranks = [Ranked(value=str(at), rank=at) for at in (1, 2, 3, 4)]
    found = built([record("r", "A", "B", "C", "D")], [label("r", "ranking", ranks)], PairPolicy(per_prompt=1))
    assert sides(found) == [("A", "D")] and dropped(found) == {"prompt_full": 5}


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_any_order_gives_the_same_pairs_the_counts_add_up_and_no_side_is_preferred_to_itself(seed: int) -> None:
    draw = random.Random(seed)
    records = [
        record(f"r{at}", *draw.choices("ABCD", k=2), prompt=f"Q{draw.randint(1, 3)}?")
        for at in range(draw.randint(1, 12))
    ]
    labels = [
        label(r.id, "preferred", draw.choice(("1", "2", "tie")), who) for r in records for who in draw.sample("xyz", 2)
    ]
    one = built(records, labels)
    other = built(draw.sample(records, len(records)), draw.sample(labels, len(labels)))
    assert one.pairs == other.pairs and one.steps[-1].n_out == len(one.pairs)
    for before, after in zip(one.steps, one.steps[1:], strict=False):
        assert after.n_in == before.n_out
    for step in one.steps:
        if step.name != "comparisons":
            assert step.n_in - step.n_out == sum(step.reasons.values())
    directed = {(p.prompt, p.chosen.text(), p.rejected.text()) for p in one.pairs}
    assert all(a != b and (prompt, b, a) not in directed for prompt, a, b in directed)


def test_conversations_are_made_of_accepted_and_corrected_answers_only() -> None:
    records = [record(name, name.upper(), prompt=f"{name}?") for name in ("kept", "mended", "bad", "unclear")]
    labels = [label("kept", "verdict", "pass"), label("mended", "verdict", "fail"),
              label("mended", "corrected", "Right."), label("bad", "verdict", "fail"),
              label("unclear", "verdict", "unclear")]  # fmt: skip
    found = talked(records, labels)
    assert sorted(c.messages[-1].content for c in found.conversations) == ["KEPT", "Right."]
    assert dropped(found) == {"bad": 1, "unclear": 1} and all(c.good is None for c in found.conversations)
    with_bad = talked(records, labels, PairPolicy(bad_conversations=True))
    assert {c.messages[-1].content: c.good for c in with_bad.conversations} == {
        "KEPT": True, "Right.": True, "BAD": False
    }  # fmt: skip


def test_earlier_answers_of_a_conversation_are_not_learnt_from() -> None:
    chat = (
        Message(role="user", content="a"),
        Message(role="assistant", content="b"),
        Message(role="user", content="c"),
    )
    r = Record(id="r", messages=chat, outputs=("d",), group="g")
    (found,) = talked([r], [label("r", "thumb", "up")]).conversations
    assert [t.learnt for t in found.messages if t.role == "assistant"] == [False, True]
