"""How far a training run is: for a terminal, a page, or whoever reads its progress.json."""

from __future__ import annotations

from workbench.nouns import Noun
from workbench.training.losses import LossRow


class Progress(Noun):
    """One moment of a training run."""

    step: int
    """Optimizer steps made."""
    steps: int
    """Of how many."""
    seconds: float
    """Seconds trained so far, over all parts."""
    left: float | None = None
    """Seconds that remain, by the speed of this part."""
    row: LossRow | None = None
    """What was measured last."""
    doing: str = "training"
    """What it is busy with."""


def remaining(step: int, steps: int, begun_at: int, seconds: float) -> float | None:
    """Return the seconds that remain, when `seconds` brought it from `begun_at` to `step`; unknown before a step."""
    made = step - begun_at
    return seconds / made * (steps - step) if made > 0 else None
