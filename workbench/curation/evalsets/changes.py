"""CHANGES.md of an evalset: for each version what was added, removed and changed, why, by whom, reviewed by whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from workbench.curation.evalsets.choosing import Choice, left_told
from workbench.curation.evalsets.merging import Merged
from workbench.curation.versions import Diff

ENTRY = re.compile(r"^## ([0-9]+) ", re.MULTILINE)
HASH = re.compile(r"^- file: sha256 `([0-9a-f]{64})`", re.MULTILINE)
SIDE = re.compile(r"^- (train|dev|gate): `([0-9a-f]{32})`", re.MULTILINE)
NAMED = 10
"""Ids that are named of those left out for one reason; all are counted."""
HEAD = """# Changes of {name}

One entry a version, the newest first. `workbench evalset build` writes them; edits by hand are told by the next one.
"""
MARKUP = re.compile(r"[<>`*\[\]{}|\\~$]")
"""What Markdown would obey within a line."""


@dataclass(frozen=True)
class Signed:
    """Who changes an evalset, and why."""

    author: str
    """Who asks for it."""
    why: str
    """Why."""
    reviewer: str = ""
    """Who looked through it; empty: nobody yet."""


@dataclass(frozen=True)
class Version:
    """What one version of an evalset is made of."""

    signed: Signed
    """Who, and why."""
    at: datetime
    """When."""
    merged: Merged
    """The file, with what was added, changed and kept."""
    before: int
    """Samples of the version before."""
    sha256: str
    """Of the file as it is written."""
    sources: Sequence[str]
    """What it was made from."""
    choice: Choice
    """What was taken of which stratum, and what was left out."""
    edited: bool
    """Whether people edited the file since the entry before."""
    by_hand: Diff | None = None
    """What they did, where the home still has the version before."""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Of each side as it is stored, by which this version is found again."""


def last_hash(text: str) -> str | None:
    """Return the SHA-256 that the samples file had after the newest entry."""
    return found[1] if (found := HASH.search(text)) else None


def fingerprints_of(text: str, number: int | None = None) -> dict[str, str]:
    """Return the sides' fingerprints that an entry tells, of the newest unless another is asked for."""
    starts = [(int(found[1]), found.start()) for found in ENTRY.finditer(text)]
    ends = [start for _, start in starts[1:]] + [len(text)]
    for (which, start), end in zip(starts, ends, strict=True):
        if number in (None, which):
            return dict(SIDE.findall(text[start:end]))
    return {}


def with_entry(text: str, name: str, entry: str) -> str:
    """Return a change log with one more entry, in front of the others."""
    head = HEAD.format(name=name)
    entries = text[found.start() :] if (found := ENTRY.search(text)) else ""
    kept = text[: found.start()].rstrip() + "\n" if found else head
    return f"{kept}\n{entry}\n{entries}".rstrip() + "\n"


def number_of(text: str) -> int:
    """Return the next entry's number."""
    return max((int(number) for number in ENTRY.findall(text)), default=0) + 1


def entry(number: int, version: Version) -> str:
    """Return what one version changed, as Markdown."""
    signed, merged = version.signed, version.merged
    lines = [
        f"## {number} · {version.at:%Y-%m-%d} · {_plain(signed.author)}",
        "",
        f"Why: {_plain(signed.why)}",
        "",
        f"Reviewed by: {_plain(signed.reviewer) or 'nobody yet'}",
        "",
        f"- samples: {version.before} → {len(merged.samples)}",
        f"- file: sha256 `{version.sha256}`",
        f"- from: {', '.join(map(_plain, version.sources))}",
        *(f"- {side}: `{one}`" for side, one in version.fingerprints.items()),
        *_by_hand(version),
        *_details(merged, version.choice),
    ]
    return "\n".join(lines) + "\n"


def _by_hand(version: Version) -> Iterator[str]:
    if not version.edited:
        return
    yield "- edited by hand since the entry before; those edits are kept"
    if version.by_hand is not None:
        told = version.by_hand
        changed = tuple(row.id for row in told.changed)
        for what, ids in (("added", told.added), ("removed", told.removed), ("changed", changed)):
            if ids:
                yield f"- by hand {what} {len(ids)}: {', '.join(map(_plain, ids))}"


def _details(merged: Merged, choice: Choice) -> Iterator[str]:
    if any(one.name for one in choice.strata):
        yield "- allocation: " + ", ".join(
            f"{_plain(one.name)} {one.taken} of {one.available}" for one in choice.strata
        )
    if merged.added:
        yield f"- added {len(merged.added)}: {', '.join(map(_plain, merged.added))}"
    for row in merged.changed:
        yield f"- changed {_plain(row.id)}: {', '.join(_plain(change.field) for change in row.fields)}"
    if merged.kept:
        yield f"- kept as they stood {len(merged.kept)}: {', '.join(map(_plain, merged.kept))}"
    for why, ids in left_told(choice.left):
        more = ", …" if len(ids) > NAMED else ""
        yield f"- left out {len(ids)}, {_plain(why)}: {', '.join(map(_plain, ids[:NAMED]))}{more}"


def _plain(text: str) -> str:
    """Return a text in one line, without what Markdown or a terminal would obey."""
    line = "".join(c if c.isprintable() else "·" for c in " ".join(text.split()))
    return MARKUP.sub("·", line)[:300]
