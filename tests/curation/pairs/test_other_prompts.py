"""How often words stand is counted the same in both ways."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.curation.pairs import other_prompts


def test_words_are_counted_the_same_whether_few_or_many(monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.random.default_rng(1).integers(0, 50, 400)
    few = other_prompts.how_often(words)
    monkeypatch.setattr(other_prompts, "MANY", 1)
    assert few.tolist() == other_prompts.how_often(words).tolist() == [(words == word).sum() for word in words]
