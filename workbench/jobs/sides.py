"""The firewall within an evalset: no prompt may lie on two sides, not even in other words' order or spelling.

`workbench evalset validate` looks at every evalset. Runs and gates look too, where the file is small or was looked at
before: what was found is kept by the file's hash, so that it costs one hash from the second time on.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from workbench.config.evalset_yaml import Evalset
from workbench.curation.sides import Overlap, overlaps
from workbench.errors import LeakageError, Problem
from workbench.nouns import Many, Noun, fingerprint
from workbench.store.files import sha256_of, write_atomic
from workbench.store.home import Home

METHOD = "1"
"""Bumped when the same rows would be judged otherwise."""
LARGE = 8 * 2**20
"""Bytes of a samples file above which a run does not look by itself; some ten thousand samples."""


class _Found(Noun):
    """What was found in one file."""

    problems: Many[tuple[str, str]]
    """What overlaps, and the ids."""


def refuse_overlap(evalset: Evalset, home: Home, *, whole: bool = False) -> None:
    """Raise `LeakageError` listing prompts that lie on two sides. `whole`: look however large the file is."""
    if len(evalset.uses()) < 2 or not evalset.samples.is_file():
        return
    kept = _place(evalset, home)
    found = _known(kept)
    if found is None:
        if not whole and evalset.samples.stat().st_size > LARGE:
            return
        found = _Found(problems=tuple(map(_told, overlaps(_sides(evalset, home)))))
        write_atomic(kept, found.json_bytes())
    fix = "give both samples one `group`, which keeps them on one side, or drop one"
    if found.problems:
        raise LeakageError(
            Problem("SIDES_OVERLAP", what, file=str(evalset.samples), field="messages", got=ids, fix=fix)
            for what, ids in found.problems
        )


def _place(evalset: Evalset, home: Home) -> Path:
    split = evalset.spec.split
    asked = [METHOD, sha256_of(evalset.samples), None if split is None else split.model_dump(mode="json")]
    return home.cache / "sides" / fingerprint([*asked, evalset.spec.quarantine_share])


def _known(kept: Path) -> _Found | None:
    """Return what was found before; a damaged entry is as good as none."""
    try:
        return _Found.model_validate_json(kept.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _sides(evalset: Evalset, home: Home) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for use in evalset.uses():
        samples = (sample for some in evalset.stored(use, home).iter_samples() for _, sample in some)
        found[use] = [(s.id, "\n".join(m.content for m in s.messages if m.role != "system")) for s in samples]
    return found


def _told(overlap: Overlap) -> tuple[str, str]:
    a, b, likeness = overlap
    how = "the same prompt" if likeness == 1.0 else f"near-duplicates ({likeness:.2f})"
    return f"a sample of {a.side} and one of {b.side} are {how}, so that the firewall has a hole", f"{a.id}, {b.id}"
