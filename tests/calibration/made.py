"""Judged answers drawn from a known truth."""

from __future__ import annotations

import numpy as np

from workbench.calibration.judged import Judged


def judged(
    n: int, *, share: float = 0.5, tpr: float = 0.9, tnr: float = 0.85, seed: int = 0, size: int = 1
) -> list[Judged]:
    """Draw n answers in families of `size`: people pass `share` of them, the judge errs as told."""
    draw = np.random.default_rng(seed)
    human = draw.random(n) < share
    right = draw.random(n) < np.where(human, tpr, tnr)
    return [
        Judged(id=f"a{i}", group=f"g{i // size}", human=bool(h), judge=bool(h == r), length=int(50 + 10 * (i % 7)))
        for i, (h, r) in enumerate(zip(human, right, strict=True))
    ]  # fmt: skip
