"""Other wordings ask the same of the same family."""

from __future__ import annotations

from workbench.curation.synth.asks import Dropped
from workbench.curation.synth.paraphrases import reworded, without_twins, wording
from workbench.datasets import Sample
from workbench.records import Message

PROMPT = "[1] The Team plan costs 12 euros.\n\nReply with a few words.\nQuestion: What do 3 seats of “Team” cost?"
SAMPLE = Sample(id="s", group="prices", messages=(Message(role="user", content=PROMPT),), references=("36 euros",))


def made(reply: str) -> Sample | Dropped:
    return reworded(SAMPLE, "Question:", "s~1", reply, "r@f")


def test_only_the_question_is_shown_and_replaced() -> None:
    asked = wording(SAMPLE, "Question:", 1, 2).messages[-1].content
    assert "What do 3 seats" in asked and "12 euros" not in asked
    new = made("Question: How much for 3 seats of “Team”?")
    assert isinstance(new, Sample)
    assert new.question() == PROMPT.replace("What do 3 seats of “Team” cost?", "How much for 3 seats of “Team”?")


def test_a_wording_inherits_the_family_and_the_reference_and_says_that_it_is_synthetic() -> None:
    new = made("Question: How much for 3 seats of “Team”?")
    assert isinstance(new, Sample)
    assert (new.id, new.group, new.references) == ("s~1", "prices", ("36 euros",))
    assert new.tags == {"synthetic": "true", "recipe": "r@f"}


def test_a_wording_that_says_the_same_or_other_facts_is_dropped() -> None:
    assert made("How much?") == Dropped(id="s~1", reason="unreadable", text="How much?")
    assert _reason("Question: what do 3 seats of “Team” COST") == "same_words"
    assert _reason("Question: How much for 4 seats of “Team”?") == "facts_changed"
    assert _reason("Question: How much for 3 seats of Team?") == "facts_changed"


def test_of_nearly_the_same_wordings_the_first_is_kept() -> None:
    replies = ("How much for 3 seats of “Team”?", "How much, for 3 seats of “Team”", "“Team”: the price of 3 seats?")
    samples = [new for reply in replies if isinstance(new := made(f"Question: {reply}"), Sample)]
    kept, dropped = without_twins(samples, "Question:")
    assert len(samples) == 3 and kept == [samples[0], samples[2]]
    assert [one.reason for one in dropped] == ["near_duplicate"]


def _reason(reply: str) -> str:
    new = made(reply)
    assert isinstance(new, Dropped)
    return new.reason
