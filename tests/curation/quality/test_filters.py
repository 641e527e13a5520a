"""Filters in a row: counts that add up, examples without secrets, and rows that go on unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.curation.quality.conftest import chat, pair, sample, seen
from workbench.curation.quality.balance import balances
from workbench.curation.quality.filters import Drop, Tools, Wanted, filters_of
from workbench.curation.quality.lengths import approximate_tokens, spread
from workbench.curation.quality.profile import profile
from workbench.curation.quality.views import View, rewritten, view_of
from workbench.curation.quality.waterfall import Step, run_filters
from workbench.datasets import PreferencePair

if TYPE_CHECKING:
    from workbench.curation.quality.label_errors import Probabilities

ALL: tuple[Drop, ...] = ("exact", "near", "semantic", "empty", "refusals", "boilerplate", "secrets", "personal")


def classify(
    texts: Sequence[str], labels: Sequence[str], families: Sequence[str]
) -> tuple[tuple[str, ...], Probabilities]:
    """Hold for right what the text says."""
    names = tuple(sorted(set(labels)))
    return names, np.array([[0.9 if name in text else 0.1 for name in names] for text in texts])


def embed(texts: Sequence[str]) -> np.ndarray:  # type: ignore[type-arg]
    return np.eye(len(texts), dtype=np.float32)


def tools() -> Tools:
    return Tools(
        lambda text: ("de" if "der" in text else "en", 0.9), approximate_tokens, "approximate", embed, classify
    )


def put(rows: Sequence[View], **wanted: object) -> tuple[list[str], list[Step]]:
    left, steps = run_filters(rows, filters_of(Wanted.model_validate(wanted), tools()))
    return [row.id for row in left], steps


ROWS = seen(
    chat("ok", "How do I return a lamp?", "Bring it to any branch within thirty days."),
    chat("same", "How do I return a lamp?", "Bring it to any branch within thirty days."),
    chat("empty", "And a chair?", "  "),
    chat("refused", "And a house?", "I'm sorry, but I can't help with that."),
    chat("polite", "And a boat?", "Yes. Feel free to ask for more."),
    chat("secret", "My login?", "The password is: hunter2xQ9"),
    chat("personal", "Whom do I ask?", "Write to bob.smith@firma.de"),
)


def test_each_filter_takes_its_own_row_and_the_counts_add_up() -> None:
    left, steps = put(ROWS, drop=ALL)
    assert left == ["ok"]
    assert [(s.name, s.n_in - s.n_out) for s in steps] == [(n, 0 if n in ("near", "semantic") else 1) for n in ALL]
    assert all(a.n_out == b.n_in for a, b in pairwise(steps))
    assert {e.id for s in steps for e in s.examples} == {row.id for row in ROWS} - {"ok"}


def test_examples_show_neither_secrets_nor_personal_data() -> None:
    _, steps = put(ROWS, drop=ALL)
    told = "".join(step.model_dump_json() for step in steps)
    assert "hunter2" not in told and "bob.smith" not in told
    assert "<password:1>" in told and "<email:1>" in told


def test_clusters_are_shown_with_the_row_that_is_kept() -> None:
    _, [step] = put(ROWS, drop=("exact",))
    [cluster] = step.clusters
    assert (cluster.kept.id, [one.id for one in cluster.dropped], cluster.n) == ("ok", ["same"], 2)


def test_masking_drops_nothing_and_changes_only_what_holds_something() -> None:
    left, steps = put(ROWS, mask=("personal", "secrets"))
    assert left == [row.id for row in ROWS]
    assert [(s.name, s.n_in, s.n_out, s.n_changed) for s in steps] == [("mask", 7, 7, 2)]


def test_languages_that_are_not_wanted_go_and_what_nobody_can_tell_stays() -> None:
    rows = seen(
        chat("de", "?", "Das ist der Hund, der immer bellt."),
        chat("en", "?", "This is what is said."),
        chat("x", "?", "42"),
    )
    assert put(rows, languages=("en",))[0] == ["en", "x"]


def test_short_answers_and_long_rows_go() -> None:
    rows = seen(chat("short", "?", "Yes."), chat("good", "?", "Yes, it is so."), chat("long", "?", "word " * 100))
    assert put(rows, min_words=3, max_tokens=50)[0] == ["good"]


def test_labels_that_the_classifier_contradicts_are_suspected() -> None:
    rows = seen(
        *(chat(f"r{k}", "?", "cat" if k % 2 else "dog", topic="cat" if k % 2 or k == 10 else "dog") for k in range(40))
    )
    left, [step] = put(rows, drop=("label-errors",), label="topic")
    assert set(left) == {row.id for row in rows} - {"r10"}
    assert step.reasons == {"cat → dog": 1}


def test_labels_of_one_value_or_few_rows_are_not_judged() -> None:
    rows = seen(*(chat(f"r{k}", "?", "dog", topic="cat") for k in range(40)), chat("s", "?", "cat", topic="dog"))
    assert put(rows, drop=("label-errors",), label="topic")[1][0].n_out == 41


def test_a_tag_is_evened_by_lot_whatever_the_order() -> None:
    rows = seen(*(chat(f"r{k}", f"q{k}", "a", lang="en" if k % 4 else "de") for k in range(40)), chat("none", "?", "a"))
    left, [step] = put(rows, balance="lang")
    assert len(left) == 21 and "none" in left
    assert sorted(put(rows[::-1], balance="lang")[0]) == sorted(left)
    assert step.reasons == {"en": 20}
    assert sorted(put(rows, balance="lang", seed=1)[0]) != sorted(left)


def test_no_rows_pass_every_filter_and_have_a_profile() -> None:
    left, steps = put([], drop=ALL, languages=("en",), min_words=1, balance="x", mask=("secrets",))
    assert left == [] and {step.n_in for step in steps} == {0}
    assert profile([], Wanted(drop=ALL), tools()).n == 0


def test_a_profile_counts_what_is_there_and_changes_nothing() -> None:
    found = profile(ROWS, Wanted(drop=("exact",)), tools())
    assert (found.n, found.turns.low, found.turns.high, found.found) == (7, 2, 2, {"password": 1, "email": 1})
    assert found.words["prompt"].n == 7 and found.steps[0].n_out == 6
    assert sum(found.languages.values()) == 7


def test_rows_of_every_kind_are_rewritten_in_all_their_texts() -> None:
    rows = (pair("p", "a@b.de", "x", "y"), sample("s", "q", "one", "two"), chat("c", "q", "a"))
    for row in rows:
        changed = rewritten(row, lambda text: text.text + "!")
        assert [t.text for t in view_of(changed).texts] == [t.text + "!" for t in view_of(row).texts]
        assert rewritten(row, lambda text: text.text) is row
    assert isinstance(rows[0], PreferencePair)
    assert [(t.where, t.part) for t in view_of(rows[0]).texts][1:] == [
        ("chosen.messages[0].content", "answer"),
        ("rejected.messages[0].content", "rejected"),
    ]


def test_distributions_tell_values_that_occur() -> None:
    found = spread([0, 1, 2, 3, 100])
    assert (found.low, found.median, found.high, found.mean) == (0, 2, 100, pytest.approx(21.2))
    assert sum(one.n for one in found.bars) == 5
    assert all(one.low <= one.high for one in found.bars)
    assert spread([]).n == 0


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("word", 1), ("words", 2), ("это", 2), ("你好吗", 3)])
def test_tokens_are_estimated_by_script(text: str, tokens: int) -> None:
    assert approximate_tokens([text]) == [tokens]


def test_a_tag_that_names_rows_is_no_slice() -> None:
    rows = seen(*(chat(f"r{k}", "?", "a", name=f"n{k}", lang="en" if k < 30 else "de") for k in range(60)))
    [found] = balances(rows)
    assert (found.tag, found.values, found.evenness) == ("lang", {"de": 30, "en": 30}, pytest.approx(1))
