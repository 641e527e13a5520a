"""What samples say by themselves: repeats, thin slices, passages nobody asks for, answers without ground."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.curation.evalsets.finding import Example, Finding, finding, unknown
from workbench.curation.guarded_texts import guarded_texts
from workbench.curation.known_marks import marked_texts
from workbench.curation.leaks import LEAST_TRIPLES
from workbench.curation.near_duplicates import near_duplicates
from workbench.curation.shingles import Shingles, normalised
from workbench.datasets import Sample

REPEATED = 0.8
"""Jaccard similarity of word triples, apart from the template, from which two questions ask the same."""
THIN = 10
"""Samples below which a slice's figure says next to nothing: its interval is wider than half the scale."""
CITATION = re.compile(r"\[[0-9]+\]")
NO_ANSWER = ("no", "false", "unanswerable")
"""Values of a tag `answerable` by which a sample says that no passage holds its answer."""


def redundancy(samples: Sequence[Sample]) -> Finding:
    """Find samples that ask what another one asks, told by all words or by word triples apart from the template."""
    texts = [guarded_texts(sample)[0] for sample in samples]
    marks = marked_texts(texts).marks
    near = near_duplicates(_telling(marks.triples), REPEATED)
    first: dict[str, int] = {}
    concerned: dict[int, int] = {}
    for at, words in enumerate(marks.words):
        if words and first.setdefault(words, at) != at:
            concerned[at] = first[words]
    for one, other in zip(near.first.tolist(), near.second.tolist(), strict=True):
        concerned.setdefault(other, one)
    examples = [
        Example(id=samples[at].id, text=f"asks what '{samples[other].id}' asks: {_ending(texts[at].text)}")
        for at, other in sorted(concerned.items())
    ]
    told = f"{len(examples)} of {len(samples)} samples ask what an earlier one asks"
    do = "drop them, or keep them in one `group`, so that they count as one piece of evidence"
    return finding("redundancy", len(samples), examples, told, do)


def slices(samples: Sequence[Sample], named: Sequence[str] = ()) -> Finding:
    """Find slices, `tag=value`, that are too thin to tell anything; `named` are those that a policy has rules for."""
    counts = Counter(f"{tag}={value}" for sample in samples for tag, value in sample.tags.items())
    counts.update(dict.fromkeys(named, 0))
    thin = sorted(((n, name) for name, n in counts.items() if n < THIN), key=lambda one: (one[1] not in named, one))
    examples = [
        Example(id=name, text=f"{n} samples{', and the policy has a rule for it' if name in named else ''}")
        for n, name in thin
    ]
    told = f"{len(thin)} of {len(counts)} slices have fewer than {THIN} samples"
    return finding("slices", len(counts), examples, told, "add samples to them, or do not report them one by one")


def corpus(samples: Sequence[Sample], passages: Mapping[str, str]) -> Finding:
    """Find passages, by id, that no question has as its gold passage."""
    if not passages:
        do = "name the documents with --documents, or give samples `contexts`"
        return unknown("corpus", "no passages are known that questions could be about", do)
    asked = {gold for sample in samples for gold in sample.gold_contexts}
    silent = [Example(id=name, text=_cut(text)) for name, text in passages.items() if name not in asked]
    told = f"no question asks for {len(silent)} of {len(passages)} passages"
    return finding("corpus", len(passages), silent, told, "write questions for them: workbench synth run, then label")


def answerability(samples: Sequence[Sample], passages: Mapping[str, str]) -> Finding:
    """Find samples whose gold passages do not hold any of their accepted answers, or are not there."""
    known = dict(passages)
    concerned, looked = [], 0
    for sample in samples:
        known |= {passage.id: passage.text for passage in sample.contexts}
        if not sample.gold_contexts or not sample.references or sample.tags.get("answerable", "") in NO_ANSWER:
            continue
        looked += 1
        if missing := [name for name in sample.gold_contexts if name not in known]:
            concerned.append(Example(id=sample.id, text=f"its gold passage '{missing[0]}' is not there"))
        elif not _held(sample.references, " ".join(known[name] for name in sample.gold_contexts)):
            concerned.append(Example(id=sample.id, text=f"not in its gold passages: {_cut(sample.references[0])}"))
    if not looked:
        do = "name gold passages in `gold_contexts`"
        return unknown("answerability", "no sample has gold passages and an answer to look for", do)
    told = f"the gold passages of {len(concerned)} of {looked} samples do not hold the answer's words"
    do = "mend `gold_contexts` or `references`, or tag the sample answerable=no"
    return finding("answerability", looked, concerned, told, do)


def _telling(triples: Shingles) -> Shingles:
    """Return the sets without those of texts that have too few triples to be told by."""
    import numpy as np

    sizes = triples.sizes()
    kept = np.repeat(sizes >= LEAST_TRIPLES, sizes)
    return Shingles(triples.hashes[kept], np.concatenate([[0], np.where(sizes >= LEAST_TRIPLES, sizes, 0).cumsum()]))


def _held(references: Sequence[str], text: str) -> bool:
    """Return whether all words of some accepted answer stand in a text, apart from JSON and citations."""
    words = set(normalised(text).split())
    return any(set(normalised(" ".join(_said(reference))).split()) <= words for reference in references)


def _said(reference: str) -> Iterator[str]:
    """Yield what an answer says: of JSON its values, of text all but citations."""
    try:
        yield from _values(json.loads(reference))
    except ValueError:
        yield CITATION.sub(" ", reference)


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif value is not None:
        yield str(value)


def _cut(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _ending(text: str, limit: int = 160) -> str:
    """Return the end of a prompt, where its question stands."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"…{line[1 - limit :]}"
