"""Samples from a spreadsheet: one question a row, in named columns of plain text."""

from __future__ import annotations

from typing import Any

TAG = "tags."


def unflattened(cells: dict[str, str]) -> dict[str, Any]:
    """Return a CSV row in the form of a `Sample`.

    Columns: `id`, `group`, `question`, `system`, `reference`, and `tags.NAME` for each slice. Any other column stays
    as it is, and is then refused as an unknown field.
    """
    found: dict[str, Any] = {}
    roles = {"system": cells.get("system"), "user": cells.get("question")}
    if messages := [{"role": role, "content": text} for role, text in roles.items() if text is not None]:
        found["messages"] = messages
    if "reference" in cells:
        found["references"] = [cells["reference"]]
    if tags := {name.removeprefix(TAG): text for name, text in cells.items() if name.startswith(TAG)}:
        found["tags"] = tags
    told = {"question", "system", "reference"}
    return found | {name: text for name, text in cells.items() if name not in told and not name.startswith(TAG)}
