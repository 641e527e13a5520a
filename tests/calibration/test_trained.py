"""What is held back, and from which probability a trained judge passes an answer."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.calibration.judged import part_of
from workbench.calibration.trained import QUESTION, best_threshold, use_of


def test_a_family_of_the_test_part_is_for_nothing_else_and_a_quarter_of_dev_is_held_back() -> None:
    families = [f"g{i}" for i in range(4000)]
    assert all((use_of(g) == "test") == (part_of(g, QUESTION) == "test") for g in families)
    assert all(use_of(g) == "learn" for g in families if part_of(g, QUESTION) == "train")
    dev = [use_of(g) for g in families if part_of(g, QUESTION) == "dev"]
    assert 0.2 < dev.count("check") / len(dev) < 0.3


def test_the_threshold_gives_the_best_balanced_accuracy() -> None:
    assert best_threshold([0.9, 0.8, 0.3, 0.2], [True, True, False, False]) == pytest.approx(0.55)
    assert best_threshold([0.9, 0.8], [True, True]) == 0.5
    draw = np.random.default_rng(0)
    labels = (draw.random(300) < 0.2).tolist()
    found = [float(np.clip(0.3 * label + draw.normal(0.3, 0.15), 0, 1)) for label in labels]

    def balanced(at: float) -> float:
        hits = sum(x >= at for x, y in zip(found, labels, strict=True) if y) / sum(labels)
        return hits + sum(x < at for x, y in zip(found, labels, strict=True) if not y) / (300 - sum(labels))

    assert balanced(best_threshold(found, labels)) == max(balanced(at) for at in [*found, 1.1])
