"""The filters that rows can be put through, made from what is wanted; `waterfall.run_filters` runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from workbench.curation.near_duplicates import THRESHOLD
from workbench.curation.quality import duplicates, label_errors
from workbench.curation.quality.balance import surplus
from workbench.curation.quality.duplicates import COSINE, KEEP, By, Embed, Keep, Twin
from workbench.curation.quality.findings import Kind
from workbench.curation.quality.languages import Identify, language_of
from workbench.curation.quality.lengths import Count, n_words
from workbench.curation.quality.masking import masked_row
from workbench.curation.quality.personal import PERSONAL
from workbench.curation.quality.phrases import Hit, boilerplate, refusal
from workbench.curation.quality.secrets import SECRETS
from workbench.curation.quality.views import View, view_of
from workbench.curation.quality.waterfall import Decided, Filter
from workbench.nouns import Many, Noun

if TYPE_CHECKING:
    from workbench.curation.quality.label_errors import Probabilities

Drop = Literal[
    "exact", "near", "semantic", "empty", "refusals", "boilerplate", "secrets", "personal", "label-errors"
]  # fmt: skip
LOOKED_FOR: tuple[Drop, ...] = ("exact", "near", "empty", "refusals", "boilerplate", "secrets", "personal")
"""What a dataset is looked through for unasked: all that needs no model."""
Mask = Literal["secrets", "personal"]
KINDS: dict[Mask, tuple[Kind, ...]] = {"secrets": SECRETS, "personal": PERSONAL}
Classify = Callable[[Sequence[str], Sequence[str], Sequence[str]], "tuple[tuple[str, ...], Probabilities]"]
"""Texts, labels and families → the labels' names and out-of-sample probabilities."""
Said = tuple[str, str, str]


class Wanted(Noun):
    """What rows are put through: what is certain first, then languages and lengths, labels, balance, and masks last."""

    drop: Many[Drop] = ()
    """What is dropped."""
    keep: Keep = "labels"
    """Which of duplicates is kept."""
    by: By = "row"
    """What of duplicates must be alike."""
    threshold: float = Field(THRESHOLD, gt=0, le=1)
    """Jaccard similarity of near-duplicates."""
    cosine: float = Field(COSINE, gt=0, le=1)
    """Cosine of semantic duplicates."""
    numbers: bool = True
    """Whether a different number makes rows different."""
    languages: Many[str] = ()
    """Languages that stay; empty: all."""
    min_words: int = Field(0, ge=0)
    """Words that an answer needs."""
    max_tokens: int = Field(0, ge=0)
    """Tokens that a whole row may have; 0: any number."""
    label: str = ""
    """Tag whose values are checked for label errors; `good` for a conversation's thumb."""
    balance: str = ""
    """Tag that is evened."""
    at_most: int = Field(0, ge=0)
    """Rows of each value of that tag; 0: as many as the rarest has."""
    mask: Many[Mask] = ()
    """What is masked in the rows that are left."""
    seed: int = 0
    """Seed of lots and folds."""


@dataclass(frozen=True)
class Tools:
    """What the filters call beyond their own arithmetic; given to them."""

    identify: Identify
    count: Count
    tokenizer: str
    """How `count` counts, in words."""
    embed: Embed
    classify: Classify


def filters_of(wanted: Wanted, tools: Tools) -> list[Filter]:
    """Return the filters that are wanted, in the order in which they are run: the cheap and certain first."""
    kept = f"of each cluster stays {KEEP[wanted.keep]}"
    like = "row" if wanted.by == "row" else "prompt"
    numbers = ", the same numbers" if wanted.numbers else ""

    def near(rows: Sequence[View]) -> list[Twin]:
        return duplicates.near(rows, wanted.keep, wanted.by, wanted.threshold, wanted.numbers)

    def semantic(rows: Sequence[View]) -> list[Twin]:
        return duplicates.semantic(rows, tools.embed, wanted.keep, wanted.by, wanted.cosine, wanted.numbers)

    def exact(rows: Sequence[View]) -> list[Twin]:
        return duplicates.exact(rows, wanted.keep, wanted.by)

    dropping: dict[Drop, Filter] = {
        "exact": _twins("exact", f"the same {like}, character by character; {kept}", exact),
        "near": _twins("near", f"{like}: Jaccard of word triples ≥ {wanted.threshold:g}{numbers}; {kept}", near),
        "semantic": _twins("semantic", f"{like}: cosine of embeddings ≥ {wanted.cosine:g}{numbers}; {kept}", semantic),
        "empty": _each("empty", "every answer is empty", _empty),
        "refusals": _each("refusals", "an answer begins with a phrase of phrases.yaml", _phrase(refusal)),
        "boilerplate": _each("boilerplate", "an answer holds a phrase of phrases.yaml", _phrase(boilerplate)),
        "secrets": _each("secrets", "a text holds a secret", _holds(SECRETS)),
        "personal": _each("personal", "a text holds personal data", _holds(PERSONAL)),
        "label-errors": label_filter(wanted.label, tools.classify),
    }
    chosen = [one for name, one in dropping.items() if name in wanted.drop]
    return list(_ordered(chosen, wanted, tools))


def _ordered(chosen: Sequence[Filter], wanted: Wanted, tools: Tools) -> Iterator[Filter]:
    yield from (one for one in chosen if one.name != "label-errors")
    if wanted.languages:
        yield language_filter(wanted.languages, tools.identify)
    if wanted.min_words or wanted.max_tokens:
        yield length_filter(wanted, tools)
    yield from (one for one in chosen if one.name == "label-errors")
    if wanted.balance:
        yield balance_filter(wanted)
    if wanted.mask:
        yield mask_filter(wanted.mask)


def language_filter(languages: Sequence[str], identify: Identify) -> Filter:
    """Return the filter that lets languages through; what nobody can tell, or has no language, passes."""

    def decide(row: View) -> Said | None:
        text = "\n".join(t.text for t in row.answers()) or row.part("prompt")
        found = language_of(text, identify)
        return None if found in (*languages, "und", "zxx") else (found, f"looks like {found}", text)

    return _each("language", f"the answers are not in {', '.join(languages)}", decide)


def length_filter(wanted: Wanted, tools: Tools) -> Filter:
    """Return the filter of too short answers and too long rows."""

    def decide(rows: Sequence[View]) -> Decided:
        dropped: dict[int, Said] = {}
        tokens = tools.count(["\n".join(t.text for t in row.texts) for row in rows]) if wanted.max_tokens else []
        for place, row in enumerate(rows):
            words = min((n_words(t.text) for t in row.answers()), default=wanted.min_words)
            if words < wanted.min_words:
                dropped[place] = ("short", f"{words} words", row.told())
            elif wanted.max_tokens and tokens[place] > wanted.max_tokens:
                dropped[place] = ("long", f"{tokens[place]} tokens", row.told())
        return Decided(dropped)

    longest = f"; row over {wanted.max_tokens} tokens ({tools.tokenizer})" if wanted.max_tokens else ""
    return Filter("length", f"answer under {wanted.min_words} words{longest}", decide)


def label_filter(tag: str, classify: Classify) -> Filter:
    """Return the filter of labels that are suspected to be wrong; rows without the label pass."""

    def decide(rows: Sequence[View]) -> Decided:
        given = [label_of(row, tag) for row in rows]
        counts = {name: given.count(name) for name in set(given)}
        places = [p for p, name in enumerate(given) if name and counts[name] >= label_errors.LEAST]
        labels = [given[p] for p in places]
        if len(set(labels)) < 2:
            return Decided({})
        names, chances = classify([rows[p].told() for p in places], labels, [rows[p].family for p in places])
        dropped: dict[int, Said] = {}
        for one in label_errors.suspected(labels, names, chances):
            why = f"given {one.given} ({100 * one.probability:.0f} %), likely {one.likely}"
            dropped[places[one.place]] = (f"{one.given} → {one.likely}", why, rows[places[one.place]].told())
        return Decided(dropped)

    return Filter("label-errors", f"{tag}: confident learning holds another value for right", decide)


def balance_filter(wanted: Wanted) -> Filter:
    """Return the filter that evens a tag."""

    def decide(rows: Sequence[View]) -> Decided:
        counts: dict[str, int] = {}
        for row in rows:
            if wanted.balance in row.tags:
                counts[row.tags[wanted.balance]] = counts.get(row.tags[wanted.balance], 0) + 1
        at_most = wanted.at_most or min(counts.values(), default=0)
        over = surplus(rows, wanted.balance, at_most, wanted.seed)
        return Decided({p: (value, f"beyond {at_most} of {value}", rows[p].told()) for p, value in over.items()})

    most = f"{wanted.at_most}" if wanted.at_most else "as many as the rarest has"
    return Filter("balance", f"at most {most} of each {wanted.balance}, by lot of seed {wanted.seed}", decide)


def mask_filter(masks: Sequence[Mask]) -> Filter:
    """Return the filter that puts placeholders for what is personal or secret."""
    kinds = [kind for mask in KINDS if mask in masks for kind in KINDS[mask]]

    def decide(rows: Sequence[View]) -> Decided:
        changed: dict[int, tuple[View, str, str, str]] = {}
        for place, row in enumerate(rows):
            masked, counts = masked_row(row.row, kinds)
            if counts:
                view = view_of(masked, row.n_labels)
                changed[place] = (view, ", ".join(sorted(counts)), _counted(counts), around(view, counts))
        return Decided({}, changed)

    return Filter("mask", f"{' and '.join(masks)} become placeholders such as <email:1>", decide)


def label_of(row: View, tag: str) -> str:
    """Return a row's label: a tag's value or, for `good`, a conversation's thumb; empty where it has none."""
    if tag == "good" and (thumb := getattr(row.row, "good", None)) is not None:
        return "good" if thumb else "bad"
    return row.tags.get(tag, "")


def around(row: View, counts: dict[str, int]) -> str:
    """Return a masked row's text around its first placeholder."""
    marks = [f"<{kind}:" for kind in counts]
    for text in row.texts:
        places = [place for mark in marks if (place := text.text.find(mark)) >= 0]
        if places:
            start = max(0, min(places) - 60)
            return ("…" if start else "") + text.text[start : start + 200]
    return row.told()


def _twins(name: str, rule: str, find: Callable[[Sequence[View]], list[Twin]]) -> Filter:
    def decide(rows: Sequence[View]) -> Decided:
        twins = find(rows)
        said = {t.dropped: (name, f"like {rows[t.kept].id} ({t.likeness:.2f})", rows[t.dropped].told()) for t in twins}
        return Decided(said, twins=twins)

    return Filter(name, rule, decide)


def _each(name: str, rule: str, decide: Callable[[View], Said | None]) -> Filter:
    def every(rows: Sequence[View]) -> Decided:
        return Decided({place: said for place, row in enumerate(rows) if (said := decide(row)) is not None})

    return Filter(name, rule, every)


def _empty(row: View) -> Said | None:
    answers = [t for t in row.texts if t.part == "answer"]
    return ("empty", "no answer has text", row.told()) if answers and not any(t.text.strip() for t in answers) else None


def _phrase(find: Callable[[str], Hit | None]) -> Callable[[View], Said | None]:
    def decide(row: View) -> Said | None:
        for text in row.answers():
            if hit := find(text.text):
                return hit.language, f'"{hit.phrase}"', text.text
        return None

    return decide


def _holds(kinds: Sequence[Kind]) -> Callable[[View], Said | None]:
    def decide(row: View) -> Said | None:
        masked, counts = masked_row(row.row, kinds)
        return (", ".join(sorted(counts)), _counted(counts), around(view_of(masked), counts)) if counts else None

    return decide


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items()))
