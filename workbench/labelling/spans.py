"""Spans of text that several people marked: how far they overlap, and what the majority marked.

A span is `(start, end)` in characters of one text, end exclusive; spans of one annotator may touch or overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

Span = tuple[int, int]


def soft_f1(first: Sequence[Span], second: Sequence[Span]) -> float:
    """Return how well two annotators' spans cover each other, 0 to 1; 1 where neither marked anything.

    Each span counts by the share of its characters that the other annotator marked too; F1 is the harmonic mean of the
    averages in both directions. A near miss at an edge costs little; a span that only one of them marked costs in full.
    """
    if not first and not second:
        return 1.0
    if not first or not second:
        return 0.0
    precision, recall = _covered(first, second), _covered(second, first)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def majority_spans(annotators: Sequence[Sequence[Span]]) -> tuple[Span, ...]:
    """Return the stretches that more than half of the annotators marked; those who marked nothing count."""
    changes: dict[int, int] = {}
    for spans in annotators:
        for start, end in merged(spans):
            changes[start] = changes.get(start, 0) + 1
            changes[end] = changes.get(end, 0) - 1
    marked, depth = [], 0
    places = sorted(changes)
    for place, after in pairwise(places):
        depth += changes[place]
        if 2 * depth > len(annotators):
            marked.append((place, after))
    return merged(marked)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the spans sorted, overlapping and touching ones joined. Raises `ValueError` for an empty one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if start < 0 or end <= start:
            raise ValueError(f"a span has a start of at least 0 and an end after it, not ({start}, {end})")
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _covered(spans: Sequence[Span], others: Sequence[Span]) -> float:
    """Return the mean share of each span's characters that lie in the others."""
    cover = merged(others)
    shares = [
        sum(max(0, min(end, stop) - max(start, begin)) for begin, stop in cover) / (end - start) for start, end in spans
    ]
    return sum(shares) / len(shares)
