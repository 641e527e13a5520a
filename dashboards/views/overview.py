"""Is the candidate ready?"""

from __future__ import annotations

from dashboards import data, parts


def show() -> None:
    """Show the state of the project."""
    parts.head("Overview", "Is the candidate ready for release?")
    if not data.runs():
        parts.empty("No run yet.", "workbench eval run")
