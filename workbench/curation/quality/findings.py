"""Where a text holds personal data or secrets: RE2 proposes in linear time, checks of each kind decide.

Texts are searched as UTF-8 bytes: a match costs RE2 less there, and ASCII patterns see no letters of other scripts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

Group = Literal["personal", "secret"]


class Kind(NamedTuple):
    """One kind of thing that is found."""

    name: str
    """Stands in the placeholder: `<email:1>`."""
    group: Group
    pattern: str
    """RE2; its group, or all of it where it has none, is what is masked."""
    genuine: Callable[[Match], bool]
    """Tells the thing from what looks like it."""
    needs: tuple[bytes, ...] = ()
    """Of these lower-case bytes one stands in every text that holds the kind: texts without need no search."""
    cut: Callable[[Match], Match] | None = None
    """Takes off what a pattern matched beyond the value."""


class Match(NamedTuple):
    """What a pattern proposes."""

    data: bytes
    """The whole text."""
    start: int
    end: int
    led: bool
    """Whether the pattern matched something that leads to the value, such as the word "phone"."""

    @property
    def value(self) -> str:
        return self.data[self.start : self.end].decode("utf-8", "replace")

    @property
    def before(self) -> bytes:
        """The 40 bytes before."""
        return self.data[max(0, self.start - 40) : self.start]

    @property
    def after(self) -> bytes:
        """The 12 bytes after."""
        return self.data[self.end : self.end + 12]


class Found(NamedTuple):
    """A stretch of a text's bytes that is personal or secret."""

    kind: str
    group: Group
    start: int
    end: int


def find(data: bytes, kinds: Sequence[Kind]) -> list[Found]:
    """Return what a text holds, from its beginning, without overlaps; of two that overlap, the earlier kind's."""
    found: list[Found] = []
    lowered = data.lower()
    for kind in kinds:
        if kind.needs and not any(need in lowered for need in kind.needs):
            continue
        met = proposed(kind.pattern, data)
        if kind.cut is not None:
            met = [kind.cut(m) for m in met]
        new = [Found(kind.name, kind.group, m.start, m.end) for m in met if kind.genuine(m)]
        found = _merged(found, new) if new else found
    return found


def proposed(pattern: str, data: bytes) -> list[Match]:
    """Return what a pattern matches; what is masked is its group, or all of it."""
    compiled = _compiled(pattern)
    if not compiled.groups:
        return [Match(data, match.start(), match.end(), False) for match in compiled.finditer(data)]
    return [Match(data, match.start(1), match.end(1), True) for match in compiled.finditer(data)]


@cache
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern.encode(), options)


def _merged(old: Sequence[Found], new: Sequence[Found]) -> list[Found]:
    """Return both, by place, without those of `new` that overlap one of `old`; each is sorted and free of overlaps."""
    merged, at = [], 0
    for one in new:
        while at < len(old) and old[at].end <= one.start:
            merged.append(old[at])
            at += 1
        if at == len(old) or old[at].start >= one.end:
            merged.append(one)
    return [*merged, *old[at:]]
