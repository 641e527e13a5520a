"""The firewall of a home: which gate sets it has, and that nothing which is learnt from can be recognised in them.

Whoever builds something to learn from asks `refuse_leaks` first: pairs, conversations, imports of use train, training,
a judge's examples and its calibration labels. `workbench.jobs.firewall.guard` asks it for a project.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import orjson

from workbench.curation.guarded_texts import Learnt, Passages, cut_out, family_name, learnt_texts, sources_of
from workbench.curation.known_marks import Known, known_marks, known_vectors, marked
from workbench.curation.leaks import COSINE, Guarded, How, Leak, leaks, marks_of, without
from workbench.curation.stored_datasets import datasets_in
from workbench.datasets import Sample
from workbench.errors import LeakageError, Problem
from workbench.reading.stored import StoredDataset, open_dataset
from workbench.store.home import RUN_ID, Home

if TYPE_CHECKING:
    from workbench.curation.leaks import Vectors

ROWS_AT_ONCE = 5000
"""Rows that are held while they are compared."""
FIX = "leave these rows out: nothing is learnt from what a gate asks; it may give the idea of a new record, never a row"
TOLD: dict[How, str] = {
    "source": "was made from",
    "family": "is of one family with",
    "words": "has the same words as",
    "run": "shares 13 words in a row with",
    "triples": "is nearly",
    "meaning": "means nearly the same as",
}
STRONGEST = tuple(TOLD)
REPEAT = re.compile(r"#[0-9]+$")
"""What names one of several answers to a sample."""


@dataclass(frozen=True)
class Meaning:
    """An embedding model by which paraphrases are seen besides."""

    embed: Callable[[Sequence[str]], Vectors]
    """Returns a row of length 1 for each text."""
    fingerprint: str
    """Content hash of the model, under which vectors of gate sets are kept."""
    cosine: float = COSINE
    """Likeness from which two texts are kin."""


class Hit(NamedTuple):
    """A row that is to be learnt from and is known to a gate set."""

    gate: str
    """The gate set, as `<name>-gate@<fingerprint>`."""
    leak: Leak
    """What is recognised, and by which sign."""

    def told(self) -> str:
        """Return it as a sentence."""
        learnt, guarded, how, likeness = self.leak
        degree = f" ({likeness:.2f})" if how in ("triples", "meaning") else ""
        return f"'{learnt.id}' {TOLD[how]}{degree} '{guarded.id}' of the gate set {self.gate}"


class Checked(NamedTuple):
    """What was held against which gate sets, and found clean."""

    n: int
    """Rows."""
    gates: tuple[str, ...]
    """Gate sets, as `<name>-gate@<fingerprint>`."""

    def rule(self) -> dict[str, str]:
        """Return it as a manifest's rule tells it."""
        return {"firewall": f"{self.n} rows held against {', '.join(self.gates) or 'no gate set: there is none'}"}


def gate_sets(home: Home, current: Iterable[StoredDataset] = ()) -> list[StoredDataset]:
    """Return the gate sets of a home: `current`, and the newest version of every other stored set of use gate."""
    found = {stored.path.parent.name: stored for stored in current if stored.manifest.use == "gate"}
    for listed in datasets_in(home.root):
        if listed.manifest.use == "gate" and listed.manifest.kind == "samples" and listed.label not in found:
            found[listed.label] = open_dataset(listed.path)
    return [found[label] for label in sorted(found) if found[label].manifest.n]


def refuse_leaks(
    rows: Iterable[Learnt], gates: Sequence[StoredDataset], home: Home, *, what: str, meaning: Meaning | None = None
) -> Checked:
    """Return what was checked, or raise `LeakageError` listing every row that a gate set knows.

    `rows` are to be learnt from and are read once, `ROWS_AT_ONCE` held at a time; `what` names their file or dataset.
    `gates` are those of `gate_sets`.
    """
    n = 0

    def counted() -> Iterator[Learnt]:
        nonlocal n
        for row in rows:
            n += 1
            yield row

    found = list(find_leaks(counted(), gates, home, meaning))
    if found:
        raise LeakageError(
            Problem("LEAK", hit.told(), what, got=hit.leak.learnt.text or None, fix=FIX) for hit in found
        )
    return Checked(n, tuple(map(named, gates)))


def find_leaks(
    rows: Iterable[Learnt], gates: Sequence[StoredDataset], home: Home, meaning: Meaning | None = None
) -> Iterator[Hit]:
    """Yield, for each row and gate set that knows it, the strongest sign; clean rows yield nothing."""
    known = {named(gate): known_marks(gate, home) for gate in gates}
    theirs: Mapping[str, Vectors] = {}
    if meaning is not None:
        asked = [(named(gate), gate) for gate in gates]
        theirs = {
            name: known_vectors(known[name], gate, home, meaning.embed, meaning.fingerprint) for name, gate in asked
        }
    origins = _Origins(gates, known, home)
    reading = iter(rows)
    while some := list(islice(reading, ROWS_AT_ONCE)):
        made = list(origins.made_from(some))
        made += compared(some, known, theirs, meaning)
        for name in known:
            yield from by_row(name, (leak for of, leak in made if of == name))


def learnt_sets(home: Home) -> list[StoredDataset]:
    """Return the newest version of every stored dataset of use train."""
    return [open_dataset(one.path) for one in datasets_in(home.root) if one.manifest.use == "train" and one.manifest.n]


def learnt_before(samples: Sequence[Sample], sets: Sequence[StoredDataset]) -> Iterator[Hit]:
    """Yield the rows of train sets in which samples that are to guard are recognised; `Hit.gate` is the train set."""
    known = {"": marked(samples)}
    for stored in sets:
        reading = iter(stored.iter_values())
        while some := list(islice(reading, ROWS_AT_ONCE)):
            yield from by_row(named(stored), (leak for _, leak in compared(some, known, {})))


def named(stored: StoredDataset) -> str:
    """Return a stored dataset as messages and lineage name it."""
    return f"{stored.path.parent.name}@{stored.manifest.fingerprint[:12]}"


def compared(
    rows: Sequence[Learnt], known: Mapping[str, Known], theirs: Mapping[str, Vectors], meaning: Meaning | None = None
) -> Iterator[tuple[str, Leak]]:
    """Yield the texts of rows that are kin to a gate set's, its template and its passages left out on both sides."""
    passages = Passages(passage for gate in known.values() for passage in gate.passages)
    texts = cut_out([text for row in rows for text in learnt_texts(row)], passages)
    ours, marks = None if meaning is None else meaning.embed([text.text for text in texts]), marks_of(texts)
    for name, gate in known.items():
        both = (without(marks, gate.runs, gate.triples), gate.marks)
        vectors = None if ours is None else (ours, theirs[name])
        cosine = COSINE if meaning is None else meaning.cosine
        for leak in leaks(texts, gate.texts, marks=both, vectors=vectors, cosine=cosine):
            yield name, leak


def by_row(gate: str, found: Iterable[Leak]) -> Iterator[Hit]:
    """Yield one hit a row, with the strongest of its texts' signs."""
    best: dict[str, Leak] = {}
    for leak in found:
        before = best.get(leak.learnt.id)
        if before is None or STRONGEST.index(leak.how) < STRONGEST.index(before.how):
            best[leak.learnt.id] = leak
    yield from (Hit(gate, leak) for leak in best.values())


class _Origins:
    """The gate samples by the names under which lineage tells of them: `<dataset>/<id>`, `<run>/<id>`."""

    def __init__(self, gates: Sequence[StoredDataset], known: Mapping[str, Known], home: Home) -> None:
        self._runs = home.runs
        self._label_of: dict[str, str] = {}
        self._samples: dict[tuple[str, str], tuple[str, Guarded]] = {}
        for gate in gates:
            for text in known[named(gate)].texts:
                self._samples.setdefault((gate.path.parent.name, text.id), (named(gate), text))

    def made_from(self, rows: Iterable[Learnt]) -> Iterator[tuple[str, Leak]]:
        """Yield the rows that name a gate's sample as their source, with the gate."""
        for row in rows:
            for source in sources_of(row):
                where, _, name = source.removeprefix("evalset:").removeprefix("run:").partition("/")
                label = self._label(where.partition("@")[0])
                found = self._samples.get((label, name)) or self._samples.get((label, REPEAT.sub("", name)))
                if found is not None and not isinstance(row, Guarded):
                    yield found[0], Leak(Guarded(row.id, family_name(row), ""), found[1], "source", 1.0)

    def _label(self, where: str) -> str:
        """Return the dataset that a run ran on; anything but a run of this home is taken for a dataset."""
        if where not in self._label_of:
            self._label_of[where] = _ran_on(self._runs / where) if RUN_ID.fullmatch(where) else where
        return self._label_of[where]


def _ran_on(run: Path) -> str:
    try:
        dataset = orjson.loads((run / "spec.json").read_bytes())["dataset"]
        return f"{dataset['name']}-{dataset['use']}"
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return run.name
