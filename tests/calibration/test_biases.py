"""Biases of a judge are found where they were planted, and not where they were not."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.calibration.biases import biases, same_family
from workbench.calibration.judged import Choice, Judged, JudgedPair
from workbench.calibration.pairwise import measure_pairs, settled


def answers(seed: int, *, long: float = 0.0, own: float = 0.0, n: int = 600) -> list[Judged]:
    """Draw answers that the judge passes more often by `long` a doubling of length, and by `own` of its family."""
    draw = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        doublings, mine = int(draw.integers(0, 4)), bool(draw.integers(2))
        p = 0.4 + long * doublings + own * mine
        rows.append(
            Judged(
                id=f"a{i}", group=f"g{i}", human=bool(draw.random() < 0.4), judge=bool(draw.random() < p),
                length=50 * 2**doublings, model="gpt-4o" if mine else "llama-3",
            )
        )  # fmt: skip
    return rows


def test_a_fair_judge_shows_no_bias_more_often_than_the_level_says() -> None:
    clear = [bias.clear for seed in range(100) for bias in biases(answers(seed, n=200), "gpt-4-turbo")]
    assert sum(clear) <= 20, sum(clear)  # 200 intervals at 95 %: 10 expected


@pytest.mark.parametrize(("kind", "planted"), [("length", {"long": 0.1}), ("family", {"own": 0.2})])
def test_a_planted_bias_is_found_with_its_size(kind: str, planted: dict[str, float]) -> None:
    found = {bias.kind: bias for bias in biases(answers(1, **planted), "gpt-4-turbo")}
    bias = found[kind]  # type: ignore[index]
    assert bias.clear and bias.interval is not None
    assert bias.interval.low < next(iter(planted.values())) < bias.interval.high
    assert not next(b for name, b in found.items() if name != kind).clear


def test_too_few_answers_or_one_model_say_why_there_is_no_number() -> None:
    length, _ = biases(answers(0, n=5), "gpt-4")
    assert length.value is None and "5 are too few" in length.undefined
    rows = [row.model_copy(update={"model": "llama-3"}) for row in answers(0)]
    assert biases(rows, "gpt-4")[1].undefined == "all are the same in this"


def test_models_of_one_family_begin_with_one_word() -> None:
    assert same_family("gpt-4o-2024-05-13", "openai/gpt-3.5-turbo") and not same_family("gpt-4", "llama-2")
    assert not same_family("gpt-4", "")


def pair(n: int, human: Choice, forward: Choice | None, backward: Choice | None) -> JudgedPair:
    return JudgedPair(id=f"p{n}", group=f"g{n}", human=human, forward=forward, backward=backward, lengths=(100, 50))


def test_a_flip_is_a_tie_and_a_missing_order_is_no_verdict() -> None:
    assert settled(pair(0, "1", "1", "1")) == "1"
    assert settled(pair(0, "1", "1", "2")) == "tie"
    assert settled(pair(0, "1", "1", None)) is None
    found = measure_pairs([pair(0, "1", "1", "1"), pair(1, "tie", "1", "2"), pair(2, "2", None, "2")], "judge")
    assert (found.n, found.n_unjudged, found.settled.k) == (3, 1, 2)
    assert found.accuracy == pytest.approx((1 + 0 + 0.5) / 3)
    assert (found.consistency.k, found.consistency.n) == (1, 2)


def test_a_judge_that_likes_the_first_place_is_told() -> None:
    pairs = [pair(n, "1" if n % 2 else "2", "1", "2" if n % 3 else "1") for n in range(60)]
    place = next(b for b in measure_pairs(pairs, "judge").biases if b.kind == "place")
    assert place.clear and place.value is not None and place.value > 0.5
