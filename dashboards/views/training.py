"""Training: what it would take, how it goes, and which of two models people would rather have."""

from __future__ import annotations

from dashboards import parts, pieces
from dashboards.views import training_by_hand, training_chat, training_plan, training_runs

VIEWS = {
    "Runs": training_runs.show,
    "Plan": training_plan.show,
    "Compare by hand": training_by_hand.show,
    "Chat": training_chat.show,
}


def show() -> None:
    """Show the chosen section."""
    parts.head("Training", "Plan it, follow it, and look by hand at what it changed.")
    VIEWS[pieces.section(tuple(VIEWS))]()
