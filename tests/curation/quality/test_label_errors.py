"""Suspected labels, against the reference implementation and against planted errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from workbench.adapters.scikit_learn import out_of_sample
from workbench.curation.quality.label_errors import confident, suspected


def noisy(seed: int, n: int = 600, share: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Return points around three centres, their true labels, and labels of which a share is wrong."""
    draw = np.random.default_rng(seed)
    true = draw.integers(0, 3, n)
    points = np.eye(3)[true] * 5 + draw.normal(size=(n, 3))
    given = np.where(draw.random(n) < share, (true + draw.integers(1, 3, n)) % 3, true)
    return points.astype(np.float32), true, given


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_suspected_labels_are_those_of_the_reference_implementation(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab.filter import find_label_issues
    points, _, given = noisy(seed)
    _, chances = out_of_sample(points, [str(k) for k in given], [str(k) for k in range(len(given))])
    theirs = find_label_issues(given, chances, filter_by="confident_learning", n_jobs=1)
    likely = confident(given, chances)
    assert ((likely >= 0) & (likely != given)).tolist() == theirs.tolist()


def test_planted_errors_are_found_and_right_labels_are_left_alone() -> None:
    points, true, given = noisy(4)
    names, chances = out_of_sample(points, [str(k) for k in given], [str(k // 2) for k in range(len(given))])
    found = {one.place for one in suspected([str(k) for k in given], names, chances)}
    wrong = set(np.flatnonzero(true != given).tolist())
    assert len(found & wrong) >= 0.7 * len(wrong)
    assert len(found & wrong) >= 0.9 * len(found)


def test_the_least_probable_label_comes_first_with_what_it_should_be() -> None:
    chances = np.array([[0.9, 0.1]] * 5 + [[0.1, 0.9]] * 5 + [[0.08, 0.92], [0.05, 0.95]])
    found = suspected(["a"] * 5 + ["b"] * 5 + ["a", "a"], ("a", "b"), chances)
    assert [(one.place, one.given, one.likely) for one in found] == [(11, "a", "b"), (10, "a", "b")]


def test_no_family_is_learnt_from_and_judged() -> None:
    """Every family has a place of its own, so that only a model that saw it could know its random label."""
    draw = np.random.default_rng(5)
    families = np.repeat(np.arange(40), 5)
    labels = draw.integers(0, 2, 40)[families]
    points = np.eye(40, dtype=np.float32)[families] * 10
    _, chances = out_of_sample(points, [str(k) for k in labels], [str(k) for k in families])
    assert np.mean(chances[np.arange(200), labels] > 0.5) < 0.75
