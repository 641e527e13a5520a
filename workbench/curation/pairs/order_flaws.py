"""Flaws that show when rows are set against each other: contradictions, circles, duplicates, one prompt or answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

from workbench.curation.pairs.circles import in_circles
from workbench.curation.pairs.columns import Columns
from workbench.curation.pairs.flaw import FEWEST, Found, Looking, Unknown, measured, rows_with

LARGEST = 10
DOMINANT = 0.1
"""Rows, and share of all, from which one prompt outweighs the rest."""
SAME_ANSWER = 0.05
"""Share of different prompts with one and the same chosen answer."""
SAME_ANSWER_LEAST = 5
SOURCE = 0.85
"""Share of one source, or of one annotator among several, that is too much."""


def contradicted(columns: Columns, looking: Looking) -> Found:
    """Find pairs of which another one says the opposite."""
    keys = _keys(columns)
    there = set(keys)
    return rows_with([at for at, (p, a, b) in enumerate(keys) if (p, b, a) in there and a != b], len(columns))


def circular(columns: Columns, looking: Looking) -> Found:
    """Find pairs of one prompt that prefer in a circle of three or more."""
    keys = _keys(columns)
    there = set(keys)
    kept = [at for at, (p, a, b) in enumerate(keys) if (p, b, a) not in there]
    coded = [(keys[at][0].encode("utf-8", "surrogatepass"), *map(_coded, keys[at][1:])) for at in kept]
    found = in_circles(coded)  # type: ignore[arg-type]
    return rows_with([kept[at] for at in sorted(found)], len(columns))


def duplicated(columns: Columns, looking: Looking) -> Found:
    """Find rows that say what another one says, case and spacing aside; of such rows the first by id is left."""
    seen: dict[Hashable, int] = {}
    notes = {}
    keys = _keys(columns)
    for at in sorted(range(len(columns)), key=columns.ids.__getitem__):
        key = keys[at]
        if key in seen:
            notes[at] = f"as {columns.ids[seen[key]]}"
        else:
            seen[key] = at
    return rows_with(list(notes), len(columns), notes)


def dominated(columns: Columns, looking: Looking) -> Found:
    """Find a family that makes up more than a tenth of the set, and more than ten rows."""
    n = len(columns)
    family, most = Counter(columns.families).most_common(1)[0] if n else ("", 0)
    bad = most > LARGEST and most > DOMINANT * n and len(set(columns.families)) > 1
    places = [at for at, name in enumerate(columns.families) if name == family] if bad else []
    told = f"the largest of {len(set(columns.families)):,} families has {most:,} rows"
    return rows_with(places, n, told=told)


def one_answer(columns: Columns, looking: Looking) -> Found:
    """Find an answer that is chosen for many different prompts."""
    asked: dict[str, set[str]] = defaultdict(set)
    for answer, family in zip(columns.words[0], columns.families, strict=True):
        if answer:
            asked[answer].add(family)
    n_families = len(set(columns.families))
    limit = max(SAME_ANSWER_LEAST, SAME_ANSWER * n_families)
    often = {answer for answer, families in asked.items() if len(families) >= limit}
    places = [at for at, answer in enumerate(columns.words[0]) if answer in often]
    return rows_with(places, len(columns))


def one_class(columns: Columns, looking: Looking) -> Found | Unknown:
    """Find conversations with thumbs that all point one way: nothing can be told apart by them."""
    given = [at for at, good in enumerate(columns.good) if good is not None]
    if not given:
        return Unknown("no row has a thumb")
    up = sum(bool(columns.good[at]) for at in given)
    alarm = up in (0, len(given))
    return Found(given if alarm else [], len(given), alarm, up / len(given), told=f"{up} up, {len(given) - up} down")


def one_source(columns: Columns, looking: Looking) -> Found | Unknown:
    """Find that nearly all rows come from one of several sources, or from one of several annotators."""
    known = [at for at, sources in enumerate(columns.sources) if sources or columns.annotators[at]]
    if not known:
        return Unknown("no row says where it comes from")
    worst = Found([], len(known), False)
    for what, each in (("source", columns.sources), ("annotator", columns.annotators)):
        found = _largest(what, each, columns)
        if found is not None and (worst.share is None or (found.alarm, found.share) > (worst.alarm, worst.share)):
            worst = found
    return worst


def _largest(what: str, each: Sequence[tuple[str, ...]], columns: Columns) -> Found | None:
    rows = [at for at, names in enumerate(each) if names]
    tally = Counter(name for at in rows for name in each[at])
    if len(tally) < 2:
        return None
    # The name itself decides among equals, so that the order of the rows does not.
    name = min(tally, key=lambda one: (-tally[one], one))
    flags = [float(name in each[at]) for at in rows]
    shown, _ = measured(flags, rows, columns)
    # An annotator who labelled everything beside others is overlap, not imbalance.
    alone = sum(len(each[at]) == 1 for at in rows) > len(rows) / 2
    # What a set is made of is a fact and no estimate: the share itself decides.
    alarm = alone and len(rows) >= FEWEST and tally[name] > SOURCE * len(rows)
    places = [at for at in rows if name not in each[at]]
    told = f"{what} {name} has {tally[name]:,} of {len(rows):,} rows, {len(tally)} {what}s in all"
    return Found(places, len(rows), alarm, shown.value, shown.interval, told)


def _keys(columns: Columns) -> list[tuple[str, str, str]]:
    chosen, rejected = columns.words
    return list(zip(columns.folded_prompts, chosen, rejected or [""] * len(columns), strict=True))


def _coded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
