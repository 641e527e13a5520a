"""A source → stored datasets: every row read once, dealt to its side of the firewall, and what repeats left out.

Memory stays flat: a row leaves 64 bytes of hashes behind, pairs 8 more.
"""

from __future__ import annotations

import itertools
import shutil
import uuid
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from workbench.curation.formats.format import Fields, Format, Kind
from workbench.curation.formats.reading import Recipe
from workbench.curation.formats.table import LOOKED_AT, format_named, guessed
from workbench.curation.intake import batches
from workbench.curation.repeats import Columns, repeats
from workbench.curation.row_batches import Batch
from workbench.datasets import Manifest, Split, Use, split_of
from workbench.errors import DataError, Problem
from workbench.nouns import canonical_bytes
from workbench.reading.faults import gravity
from workbench.reading.folders import Given, open_given
from workbench.reading.hashes import distinct, fingerprint_of
from workbench.reading.stored import RowsWriter, StoredDataset, open_dataset
from workbench.reading.stored import batches as row_batches
from workbench.reading.storing import NAME, remember, settle
from workbench.store.files import replacing, write_atomic

MAX_PROBLEMS = 10_000
"""Problems that are kept to be told; all of them are in the quarantine file."""


SEARCHED = 1000
"""Rows among which those are looked for that can be read at all."""


@dataclass(frozen=True)
class Wish:
    """What is to be imported, and as what."""

    path: Path
    name: str
    """Name of the datasets."""
    use: Use | None = None
    """What it is for; `None` with a split."""
    split: Split | None = None
    """Deals the families into several datasets."""
    format: str | None = None
    """Name of the format; `None`: it is guessed."""
    quarantine_share: float = 0.0
    """Share of the rows that may be set aside."""
    new_ids: bool = False
    synthetic: bool = False
    corpus: Path | None = None
    """Documents that questions name."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What the importer knows of the data, such as its licence."""

    def uses(self) -> tuple[Use, ...]:
        """Return the uses to store."""
        return self.split.uses() if self.split else (self.use or "train",)


@dataclass(frozen=True)
class Imported:
    """What came of an import."""

    format: Format
    guessed: bool
    given: Given
    n_rows: int
    """Rows of the source, blank lines not counted."""
    n_set_aside: int
    notes: Counter[str]
    dropped: Counter[str]
    """Rows that teach nothing, by reason."""
    problems: tuple[Problem, ...]
    manifests: tuple[Manifest, ...]
    """What is, or with a mere validation would be, stored."""
    stored: tuple[StoredDataset, ...] = ()


Watch = Callable[[int, int], None]
"""Told how many bytes of how many are read."""


class Prepared(NamedTuple):
    """A source that was looked at."""

    given: Given
    recipe: Recipe
    guessed: bool
    """Whether its format was guessed."""


@dataclass(frozen=True)
class Check:
    """What looks at rows of use train before they are stored."""

    look: Callable[[StoredDataset], dict[str, str]]
    """Refuses rows, or says for the manifest's rule that they may be learnt from."""
    reads: bool = True
    """Whether it reads rows. Where nobody does, a mere validation need not write them."""


def prepare(wish: Wish) -> Prepared:
    """Find out how a source is to be read. Raises `DataError` for what nobody can read, and for an unclear format."""
    if not NAME.fullmatch(wish.name):
        fix = "use letters, digits, dot, dash and underscore, at most 80"
        raise DataError(Problem("DATASET_NAME", "a dataset cannot have this name", got=repr(wish.name), fix=fix))
    given = open_given(wish.path)
    chosen = guessed(_first(given), str(given.path)) if wish.format is None else format_named(wish.format)
    corpus = None if wish.corpus is None else _corpus(wish.corpus)
    recipe = Recipe(chosen, wish.new_ids, wish.synthetic, corpus, given.tables)
    return Prepared(given, recipe, wish.format is None)


def _first(given: Given) -> list[Fields]:
    """Return some of the first rows. Raises `DataError` with what is wrong where none of them can be read."""
    seen = [row.data for row in itertools.islice(given.rows(), SEARCHED)]
    rows = [data for data in seen if not isinstance(data, Problem)][:LOOKED_AT]
    problems = [p for p in seen if isinstance(p, Problem) and gravity(p) != "note"]
    if problems and not rows:
        raise DataError(problems)
    return rows


def import_datasets(
    wish: Wish, prepared: Prepared, home: Path, now: datetime, watch: Watch, *, store: bool = True,
    check: Check | None = None,
) -> Imported:  # fmt: skip
    """Store a source's rows as datasets, all of them or none. `store` off: only find out what would come of it.

    `check` looks at what is to be learnt from before it is stored, and tells the manifest's rule what it found.
    Raises `DataError` with every fault, above all where more rows are set aside than the wish allows.
    """
    given, recipe, guess = prepared
    work = home / "datasets" / f".new-{uuid.uuid4().hex}"
    try:
        keep = store or wish.split is not None or (check is not None and check.reads)
        intake = _Intake(wish, given, recipe.format.kind, work, keep)
        intake.take(batches(given, recipe, keep), watch)
        intake.settle()
        rule = _rule(wish, given, recipe.format, intake)
        made = [(shelf, intake.manifest(shelf, rule)) for shelf in intake.shelves.values()]
        if check is not None:
            made = [(shelf, _checked(shelf, manifest, check)) for shelf, manifest in made]
        found = tuple(_store(shelf, m, intake, home, now) for shelf, m in made if m.n) if store else ()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Imported(
        recipe.format, guess, given, intake.n_rows, intake.n_set_aside, intake.notes, intake.dropped,
        tuple(intake.problems), tuple(m for _, m in made), found,
    )  # fmt: skip


def _checked(shelf: Shelf, manifest: Manifest, check: Check) -> Manifest:
    if manifest.use != "train" or not manifest.n:
        return manifest
    return manifest.model_copy(update={"rule": manifest.rule | check.look(StoredDataset(shelf.folder, manifest))})


def _rule(wish: Wish, given: Given, format: Format, intake: _Intake) -> dict[str, str]:
    """Return how the dataset was made, in words."""
    dropped = ", ".join(f"{code} {n}" for code, n in sorted(intake.dropped.items()))
    rule = {"source": given.path.name, "sha256": given.sha256, "format": format.name, "dropped": dropped}
    return rule | {"split": wish.split.model_dump_json() if wish.split else "", **wish.told}


def _corpus(path: Path) -> dict[str, str]:
    """Return the text of each document by its id."""
    texts: dict[str, str] = {}
    for row in open_given(path).rows():
        if isinstance(row.data, Problem):
            if gravity(row.data) != "note":
                raise DataError(row.data)
            continue
        id, text = row.data.get("id"), row.data.get("text")
        if not isinstance(id, str) or not isinstance(text, str):
            fix = 'write {"id": "…", "text": "…"}'
            raise DataError(Problem("FIELD_TYPE", "a document has an id and a text", str(path), row.line, fix=fix))
        if texts.setdefault(id, text) != text:
            raise DataError(Problem("DUPLICATE_ID", "two documents have this id", str(path), row.line, "id", repr(id)))
    return texts


@dataclass
class Shelf:
    """The rows that one dataset will have."""

    use: Use
    folder: Path
    writer: RowsWriter
    ids: array[int] = field(default_factory=lambda: array("Q"))
    lines: array[int] = field(default_factory=lambda: array("Q"))
    families: array[int] = field(default_factory=lambda: array("Q"))
    contests: array[int] = field(default_factory=lambda: array("Q"))
    digests: bytearray = field(default_factory=bytearray)
    n_duplicates: int = 0


class _Intake:
    """One pass over a source."""

    def __init__(self, wish: Wish, given: Given, kind: Kind, work: Path, keep: bool) -> None:
        self.wish, self.given, self.kind, self.work, self.keep = wish, given, kind, work, keep
        self.shelves: dict[Use, Shelf] = {}
        self.notes: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.n_set_aside = self.n_rows = 0
        work.mkdir(parents=True)
        self.quarantine = (work / "quarantine.jsonl").open("wb")

    def take(self, found: Iterator[Batch], watch: Watch) -> None:
        """Read everything. Raises `DataError` where too much is wrong to go on."""
        done = 0
        with ExitStack() as stack, self.quarantine:
            for use in self.wish.uses():
                folder = self.work / use
                folder.mkdir()
                self.shelves[use] = Shelf(use, folder, stack.enter_context(RowsWriter(folder)))
            for batch in found:
                self._note(batch)
                self._deal(batch)
                done += batch.size
                watch(done, self.given.size)

    def _note(self, batch: Batch) -> None:
        self.n_rows += len(batch.names) + batch.n_set_aside + batch.dropped.total()
        self.notes += batch.notes
        self.dropped += batch.dropped
        self.n_set_aside += batch.n_set_aside
        self.refuse(batch.problems)
        if len(self.problems) >= MAX_PROBLEMS and not self.wish.quarantine_share:
            what, fix = "reading stopped: too many faults", "mend these first"
            raise DataError([Problem("TOO_MANY_FAULTS", what, str(self.given.path), fix=fix), *self.problems])

    def refuse(self, problems: list[Problem]) -> None:
        """Write problems down, and keep some to be told."""
        for p in problems:
            line = canonical_bytes({"line": p.line, "code": p.code, "problem": str(p)})
            self.quarantine.write(line + b"\n")
        self.problems += problems[: max(0, MAX_PROBLEMS - len(self.problems))]

    def _deal(self, batch: Batch) -> None:
        """Put rows on their shelves."""
        split = self.wish.split
        if split is None:
            shelf, n = self.shelves[self.wish.uses()[0]], len(batch.names)
            # Of rows that nobody will read only the ids are written: they name those that stand for two rows.
            texts = (batch.groups, batch.contents) if self.keep else ([""] * n, [b""] * n)
            shelf.writer.add(batch.names, *texts)
            for name in ("ids", "lines", "families", "contests", "digests"):
                getattr(shelf, name).extend(getattr(batch, name))
            return
        sides = [split_of(family, split) for family in batch.groups]
        for use, shelf in self.shelves.items():
            mine = [at for at, side in enumerate(sides) if side == use]
            names, groups, contents = batch.names, batch.groups, batch.contents
            shelf.writer.add([names[at] for at in mine], [groups[at] for at in mine], [contents[at] for at in mine])
            for name in ("ids", "lines", "families", *(["contests"] if batch.contests else [])):
                values = getattr(batch, name)
                getattr(shelf, name).extend(values[at] for at in mine)
            shelf.digests += b"".join(batch.digests[32 * at : 32 * at + 32] for at in mine)

    def settle(self) -> None:
        """Leave out what repeats and what contradicts itself. Raises `DataError` where the source cannot be used."""
        found = repeats({use: _columns(shelf) for use, shelf in self.shelves.items()}, str(self.given.path))
        if found.problems:
            self.n_set_aside += sum(map(len, found.contradicting.values()))
            with (self.work / "quarantine.jsonl").open("ab") as self.quarantine:
                self.refuse(found.problems)
        self._judge()
        for use, shelf in self.shelves.items():
            shelf.n_duplicates = len(found.repeated[use])
            if drop := found.repeated[use] | found.contradicting[use]:
                if self.keep:
                    _rewrite(shelf, drop)
                _without(shelf, drop)
        if not any(len(shelf.ids) for shelf in self.shelves.values()):
            what = "no row is left to learn from" if self.n_rows else "no records in the source"
            raise DataError(
                [Problem("NO_RECORDS", what, str(self.given.path), fix="see what was left out"), *self.problems]
            )

    def _judge(self) -> None:
        """Raise `DataError`, with every fault, where the source as a whole cannot be used."""
        allowed, found = self.wish.quarantine_share, list(self.problems)
        too_many = self.n_set_aside > allowed * self.n_rows
        if too_many and self.n_rows > 1:
            what = f"{self.n_set_aside:,} of {self.n_rows:,} rows cannot be used; allowed share: {allowed:g}"
            fix = "mend them, or allow more with --quarantine-share"
            found.insert(0, Problem("ROWS_SET_ASIDE", what, str(self.given.path), fix=fix))
        if too_many or any(gravity(p) == "reject" for p in found):
            raise DataError(found)

    def manifest(self, shelf: Shelf, rule: dict[str, str]) -> Manifest:
        """Return what a shelf's dataset is."""
        assert self.kind != "records"
        return Manifest(
            name=self.wish.name, kind=self.kind, use=shelf.use, fingerprint=fingerprint_of(shelf.digests),
            n=len(shelf.ids), n_groups=distinct(shelf.families), rule={k: v for k, v in rule.items() if v},
            n_duplicates=shelf.n_duplicates, n_quarantined=self.n_set_aside,
        )  # fmt: skip


def _columns(shelf: Shelf) -> Columns:
    return Columns(shelf.folder / "rows.parquet", shelf.ids, shelf.lines, shelf.digests, shelf.contests)


def _rewrite(shelf: Shelf, drop: set[int]) -> None:
    """Write a shelf's rows anew without some of them."""
    import pyarrow.parquet as pq

    kept, number = shelf.folder / "kept", 0
    kept.mkdir()
    with RowsWriter(kept) as writer, pq.ParquetFile(shelf.folder / "rows.parquet", pre_buffer=False) as file:
        for part in row_batches(file, 1000, ["id", "family", "row"]):
            stay = [at for at in range(part.num_rows) if number + at not in drop]
            ids, families, texts = (column.to_pylist() for column in part.columns)
            writer.add([ids[at] for at in stay], [families[at] for at in stay], [texts[at].encode() for at in stay])
            number += part.num_rows
    for name in ("rows.parquet", "rows.sha256"):
        (kept / name).replace(shelf.folder / name)
    kept.rmdir()


def _without(shelf: Shelf, drop: set[int]) -> None:
    """Leave some rows out of what is known of a shelf's."""
    left = [at for at in range(len(shelf.ids)) if at not in drop]
    shelf.digests = bytearray(b"".join(shelf.digests[32 * at : 32 * at + 32] for at in left))
    shelf.ids, shelf.families = (array("Q", (v[at] for at in left)) for v in (shelf.ids, shelf.families))


def _store(shelf: Shelf, manifest: Manifest, intake: _Intake, home: Path, now: datetime) -> StoredDataset:
    folder = home / "datasets" / f"{manifest.name}-{manifest.use}"
    if intake.n_set_aside:
        with replacing(shelf.folder / "quarantine.jsonl") as path:
            shutil.copyfile(intake.work / "quarantine.jsonl", path)
    write_atomic(shelf.folder / "manifest.json", manifest.json_bytes())
    settle(shelf.folder, folder / manifest.fingerprint)
    remember(folder, manifest, now)
    return open_dataset(folder / manifest.fingerprint, manifest, dict(intake.notes))
