"""What gate sets are recognised by, kept beside them: `<home>/cache/firewall/<key>.npz`, safe to delete.

A run of words that stands in many families of one set, or in the passages it gives, is its template or its corpus and
says nothing of one sample. Such runs are left out, as Brown and others 2020 (appendix C) leave out those seen often.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workbench.curation.guarded_texts import guarded_texts
from workbench.curation.leaks import RUN, Guarded, Marks, marks_of, without
from workbench.curation.shingles import Shingles, shingle_sets
from workbench.datasets import Sample
from workbench.nouns import fingerprint
from workbench.reading.stored import StoredDataset
from workbench.store.files import replacing
from workbench.store.home import Home

if TYPE_CHECKING:
    from workbench.curation.leaks import Vectors
    from workbench.curation.shingles import Hashes, Offsets

METHOD = "2"
"""Bumped when the same samples would be marked otherwise."""
TEMPLATE, TEMPLATE_SHARE = 5, 0.02
"""Families of one set, and the share of all, from which on a run of words that they have in common is its template."""


class Known(NamedTuple):
    """The texts of one gate set and what they are recognised by."""

    texts: tuple[Guarded, ...]
    marks: Marks
    runs: Hashes
    """Runs of 13 words that say nothing: of the template and of passages."""
    triples: Hashes
    """Triples of the template."""
    passages: tuple[str, ...]
    """Passages that its prompts give."""


def known_marks(gate: StoredDataset, home: Home) -> Known:
    """Return what a gate set of samples is recognised by, from the cache where it was asked before."""
    place = _place(gate, home)
    return _kept(place) or _made(gate, place)


def known_vectors(
    known: Known, gate: StoredDataset, home: Home, embed: Callable[[Sequence[str]], Vectors], model: str
) -> Vectors:
    """Return the embeddings of a gate set's texts; `model` is the content hash of what embeds."""
    import numpy as np

    place = _place(gate, home).with_suffix(f".{model[:16]}.npy")
    try:
        kept: Vectors = np.load(place, allow_pickle=False)
        if len(kept) == len(known.texts):
            return kept
    except (OSError, ValueError, EOFError):
        pass  # not there, or cut off: as good as never made
    vectors = embed([text.text for text in known.texts])
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as temporary, temporary.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)
    return vectors


def marked(samples: Sequence[Sample]) -> Known:
    """Return what samples are recognised by."""
    passages = dict.fromkeys(passage.text for sample in samples for passage in sample.contexts)
    return marked_texts([text for sample in samples for text in guarded_texts(sample)], tuple(passages))


def marked_texts(texts: Sequence[Guarded], passages: tuple[str, ...] = ()) -> Known:
    """Return what texts are recognised by, apart from their template and the passages."""
    import numpy as np

    marks = marks_of(texts)
    families = np.unique([text.group for text in texts], return_inverse=True)[1].astype(np.int64)
    runs = np.union1d(_often(marks.runs, families), shingle_sets(_long_enough(passages), RUN).hashes)
    triples = _often(marks.triples, families)
    return Known(tuple(texts), without(marks, runs, triples), runs, triples, passages)


def _long_enough(passages: Sequence[str]) -> list[str]:
    """Return the passages of at least a run: a shorter one would be a run of fewer words."""
    return [text for text in passages if len(text.split()) >= RUN]


def _often(shingles: Shingles, families: Offsets) -> Hashes:
    """Return the shingles of texts of so many families that they are a template, ascending."""
    import numpy as np

    family = np.repeat(families, shingles.sizes())
    order = np.lexsort((family, shingles.hashes))
    hashes, family = shingles.hashes[order], family[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (family[1:] != family[:-1])
    values, counts = np.unique(hashes[new], return_counts=True)
    found: Hashes = values[counts >= max(TEMPLATE, TEMPLATE_SHARE * len(np.unique(families)))]
    return found


def _place(gate: StoredDataset, home: Home) -> Path:
    return home.cache / "firewall" / f"{fingerprint([METHOD, gate.manifest.fingerprint])}.npz"


def _made(gate: StoredDataset, place: Path) -> Known:
    import numpy as np

    known = marked([row for row in gate.iter_values() if isinstance(row, Sample)])
    told = json.dumps([known.texts, known.marks.words, known.passages]).encode("ascii")
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as temporary, temporary.open("wb") as file:
        np.savez(
            file, told=np.frombuffer(told, np.uint8), runs=known.runs, triples=known.triples,
            run_hashes=known.marks.runs.hashes, run_starts=known.marks.runs.starts,
            triple_hashes=known.marks.triples.hashes, triple_starts=known.marks.triples.starts,
        )  # fmt: skip
    return known


def _kept(place: Path) -> Known | None:
    """Return what was kept; a damaged file is as good as none."""
    import numpy as np

    try:
        with place.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            texts, words, passages = json.loads(kept["told"].tobytes())
            marks = Marks(
                tuple(words),
                Shingles(kept["run_hashes"], kept["run_starts"]),
                Shingles(kept["triple_hashes"], kept["triple_starts"]),
            )
            guarded = tuple(Guarded(*text) for text in texts)
            return Known(guarded, marks, kept["runs"], kept["triples"], tuple(passages))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
