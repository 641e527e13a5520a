"""From a samples file to a stored dataset: checked, split by the firewall, content-addressed, immutable.

Memory stays flat: a row leaves 8 bytes (a hash of its id) and, if it is kept, 32 (its digest) behind.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import unicodedata
import uuid
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from workbench.datasets import Manifest, Sample, Split, Use, split_of
from workbench.errors import DataError, Problem
from workbench.nouns import Noun, canonical_bytes, fingerprint
from workbench.reading.faults import gravity, told
from workbench.reading.flat_samples import unflattened
from workbench.reading.hashes import distinct, equal_hashes, fingerprint_of, short_hash
from workbench.reading.rows import rows_in
from workbench.reading.source import Source, open_source
from workbench.reading.stored import StoredDataset, open_dataset, write_rows
from workbench.reading.storing import settle
from workbench.store.files import write_atomic

READER = "2"
"""Bumped when the same file would be read to other rows."""
MAX_PROBLEMS = 10_000
"""Problems after which reading stops, so that a hostile file cannot fill the memory."""
HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Zero-width and bidirectional control characters."""


def store_dataset(
    source: Path, *, name: str, use: Use, split: Split | None, home: Path, quarantine_share: float = 0.0
) -> StoredDataset:
    """Store the samples of a file that lie on the `use` side of `split` (all, without a split), or find them stored.

    Rows that cannot be used are set aside and counted; above `quarantine_share` of all rows, or at any fault that
    concerns the whole file, a `DataError` lists every fault and nothing is stored. A side may have 0 rows.
    """
    taken = open_source(source)
    folder = home / "datasets" / f"{name}-{use}"
    rule = {"source": source.name, "split": "" if split is None else split.model_dump_json()}
    index = (
        home / "cache" / "sources" / fingerprint([READER, taken.sha256, taken.kind, name, use, rule, quarantine_share])
    )
    if (known := _known(index)) and (folder / known.manifest.fingerprint / "manifest.json").exists():
        return open_dataset(folder / known.manifest.fingerprint, known.manifest, known.notes)
    work = home / "datasets" / f".new-{uuid.uuid4().hex}"
    work.mkdir(parents=True)
    try:
        intake = _take_in(taken, work, use, split)
        intake.judge(quarantine_share)
        manifest = intake.manifest(name, rule)
        write_atomic(work / "manifest.json", manifest.json_bytes())
        settle(work, folder / manifest.fingerprint)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    write_atomic(index, _Known(manifest=manifest, notes=dict(intake.notes)).json_bytes())
    return open_dataset(folder / manifest.fingerprint, manifest, dict(intake.notes))


class _Known(Noun):
    """What a source was read to."""

    manifest: Manifest
    """The dataset it became."""
    notes: dict[str, int]
    """Unusual but accepted things, counted by code."""


def _known(index: Path) -> _Known | None:
    """Return what an unchanged source was read to; a damaged entry is as good as none."""
    try:
        return _Known.model_validate_json(index.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


@dataclass
class _Intake:
    """What one pass over a source found."""

    source: Source
    use: Use
    split: Split | None
    drop: frozenset[int] = frozenset()
    """Rows, by their number among the valid rows from 0, that repeat an earlier one."""
    ids: array[int] = field(default_factory=lambda: array("Q"))
    """64-bit hash of the id of each valid row, of whatever use."""
    digests: bytearray = field(default_factory=bytearray)
    """SHA-256 of each kept row."""
    families: array[int] = field(default_factory=lambda: array("Q"))
    """64-bit hash of the family of each kept row."""
    notes: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    n_set_aside: int = 0
    n_duplicates: int = 0

    @property
    def n_rows(self) -> int:
        return len(self.ids) + self.n_set_aside

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield id, family and canonical JSON of each row to keep; everything else is counted here."""
        for number, (_, sample) in enumerate(self.samples()):
            family = sample.family()
            if self.split is not None and split_of(family, self.split) != self.use:
                continue
            if number in self.drop:
                self.n_duplicates += 1
                continue
            content = canonical_bytes(sample.model_dump(mode="json"))
            text = content.decode()
            if not text.isascii() and HIDDEN.search(text):
                self.notes["HIDDEN_CHARACTER"] += 1
            self.digests += hashlib.sha256(content).digest()
            self.families.append(short_hash(family))
            yield sample.id, family, text

    def samples(self) -> Iterator[tuple[int, Sample]]:
        """Yield line and sample of each valid row; what is wrong with the others is noted."""
        flat = self.source.kind in ("csv", "tsv")
        for row in rows_in(self.source):
            if isinstance(row.data, Problem):
                self.refuse([row.data])
                continue
            if row.note:
                self.notes[row.note] += 1
            try:
                sample = Sample.model_validate(unflattened(row.data) if flat else row.data)
            except ValidationError as exc:
                self.refuse(told(exc, Sample, str(self.source), row.line))
                continue
            self.ids.append(short_hash(unicodedata.normalize("NFC", sample.id)))
            yield row.line, sample

    def refuse(self, problems: list[Problem]) -> None:
        """Count a row that is no sample."""
        if gravity(problems[0]) == "note":
            self.notes[problems[0].code] += 1
            return
        self.n_set_aside += 1
        self.problems += problems
        if len(self.problems) >= MAX_PROBLEMS:
            stopped = Problem(
                "TOO_MANY_FAULTS", "reading stopped: too many faults", str(self.source), fix="mend these first"
            )
            raise DataError([stopped, *self.problems])

    def judge(self, allowed: float) -> None:
        """Raise `DataError`, with every fault, where the file as a whole cannot be used."""
        found = list(self.problems)
        if self.n_set_aside > allowed * self.n_rows and self.n_rows > 1:
            what = f"{self.n_set_aside:,} of {self.n_rows:,} rows cannot be used; allowed share: {allowed:g}"
            found.insert(
                0, Problem("ROWS_SET_ASIDE", what, str(self.source), fix="mend them, or raise quarantine_share")
            )
        if self.n_set_aside > allowed * self.n_rows or any(gravity(p) == "reject" for p in found):
            raise DataError(found)

    def manifest(self, name: str, rule: dict[str, str]) -> Manifest:
        """Return what is stored."""
        return Manifest(
            name=name, kind="samples", use=self.use, fingerprint=fingerprint_of(self.digests),
            n=len(self.digests) // 32, n_groups=distinct(self.families), rule={k: v for k, v in rule.items() if v},
            n_duplicates=self.n_duplicates, n_quarantined=self.n_set_aside,
        )  # fmt: skip


def _take_in(source: Source, work: Path, use: Use, split: Split | None) -> _Intake:
    """Read a source into `work`. Where two ids look equal it is read again, to tell which rows only repeat."""
    intake = _Intake(source, use, split)
    write_rows(work, intake.rows())
    twins = equal_hashes(intake.ids)
    if twins:
        repeated, clashes = _settle(source, twins)
        if repeated and not clashes:
            intake = _Intake(source, use, split, repeated)
            write_rows(work, intake.rows())
        intake.problems += clashes
    if intake.problems:
        lines = [canonical_bytes({"line": p.line, "code": p.code, "problem": str(p)}) for p in intake.problems]
        write_atomic(work / "quarantine.jsonl", b"\n".join(lines) + b"\n")
    return intake


def _settle(source: Source, twins: frozenset[int]) -> tuple[frozenset[int], list[Problem]]:
    """Return the numbers of rows that repeat an earlier one, and the ids that stand for two different rows."""
    first: dict[str, tuple[str, int, bytes]] = {}
    repeated: set[int] = set()
    clashes: list[Problem] = []
    for number, (line, sample) in enumerate(_Intake(source, "train", None).samples()):
        key = unicodedata.normalize("NFC", sample.id)
        if short_hash(key) not in twins:
            continue
        earlier = first.setdefault(key, (sample.id, line, sample.digest()))
        if earlier[1] == line:
            continue
        if earlier[0] != sample.id:
            what = f"two ids differ only in how Unicode composes a letter; the other is on line {earlier[1]}"
            fix = "normalise ids to NFC"
            clashes.append(Problem("ID_LOOKALIKE", what, str(source), line, "id", ascii(sample.id), fix))
        elif earlier[2] != sample.digest():
            what = f"this id already stands on line {earlier[1]} with other content"
            clashes.append(
                Problem("DUPLICATE_ID", what, str(source), line, "id", repr(sample.id), "give each row its own id")
            )
        else:
            repeated.add(number)
    return frozenset(repeated), clashes
