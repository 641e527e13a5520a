"""Recorded answers: what production already said, looked up by sample and repeat without being held in memory."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from workbench.errors import DataError, Problem
from workbench.models import Output, RecordedSpec, Usage
from workbench.nouns import Many, Noun, canonical_bytes, fingerprint
from workbench.reading.csv_rows import plain_number
from workbench.reading.faults import gravity, told
from workbench.reading.hashes import fingerprint_of
from workbench.reading.rows import Columns, rows_in
from workbench.reading.source import Source, open_source
from workbench.records import Passage
from workbench.store.files import no_room, replacing, told_when_full

READER = "3"
"""Bumped when the same file would be read to other answers, or the index changes."""
NUMBERS = ("repeat", "latency", "input_tokens", "output_tokens", "cost")
MAX_PROBLEMS = 10_000


class RecordedRow(Noun):
    """One recorded answer. Other columns of a log are left alone."""

    id: str = Field(min_length=1)
    """The sample it answers."""
    repeat: int = Field(0, ge=0)
    """Which of several answers to the sample, from 0."""
    output: str
    """The answer; may be blank, which scorers treat as an empty answer."""
    contexts: Many[Passage] = ()
    """Passages that were retrieved for it."""
    model: str = ""
    """The model that answered."""
    latency: float | None = Field(None, ge=0)
    """Seconds it took."""
    input_tokens: int | None = Field(None, ge=0, lt=2**53)
    """Tokens of the prompt."""
    output_tokens: int | None = Field(None, ge=0, lt=2**53)
    """Tokens of the answer."""
    cost: float | None = Field(None, ge=0)
    """Money it cost."""

    def answer(self) -> Output:
        """Return it as a model's output; nothing is sent, so there are no attempts."""
        usage = Usage(
            input_tokens=self.input_tokens, output_tokens=self.output_tokens, cost=self.cost, latency=self.latency
        )
        return Output(text=self.output, contexts=self.contexts, model=self.model, usage=usage)


@dataclass(frozen=True)
class RecordedAnswers:
    """An indexed file of answers."""

    connection: sqlite3.Connection
    fingerprint: str
    """Content hash of the answers; their order has no meaning."""
    n: int
    """Number of answers."""

    @classmethod
    def open(cls, path: Path, spec: RecordedSpec, home: Path, quarantine_share: float = 0.0) -> RecordedAnswers:
        """Index a JSONL, CSV or Parquet file, or find it indexed. Raises `DataError` with every fault."""
        source = open_source(path)
        key = fingerprint([READER, source.sha256, source.kind, spec.id_field, spec.output_field, quarantine_share])
        index = home / "cache" / "recorded" / f"{key}.sqlite"
        if not index.exists():
            _build(index, source, spec, quarantine_share)
        connection = sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        try:
            connection.execute("PRAGMA cache_size = -256")  # KiB: the system keeps the pages anyway
            mark, n = connection.execute("SELECT fingerprint, n FROM about").fetchone()
        except (sqlite3.DatabaseError, TypeError) as exc:
            connection.close()
            raise DataError(_damaged(index, exc)) from exc
        return cls(connection, mark, n)

    def get(self, sample_id: str, repeat: int = 0) -> Output | None:
        """Return the answer to a sample; `None` if there is none."""
        found = self.find([(sample_id, repeat)])
        return Output.model_validate_json(found[sample_id, repeat]) if found else None

    def find(self, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        """Return the answers that there are to pairs of sample and repeat, as JSON of an `Output`; some thousands."""
        pairs = ",".join(["(?, ?)"] * len(wanted))
        query = f"SELECT id, repeat, output FROM answers WHERE (id, repeat) IN (VALUES {pairs})"
        rows = self.connection.execute(query, list(itertools.chain.from_iterable(wanted)))
        return {(sample_id, repeat): output for sample_id, repeat, output in rows}

    def close(self) -> None:
        """Close the index."""
        self.connection.close()


def _build(index: Path, source: Source, spec: RecordedSpec, quarantine_share: float) -> None:
    """Write the index beside its place and move it there when it is complete."""
    try:
        with told_when_full(index), replacing(index) as temporary, closing(sqlite3.connect(temporary)) as connection:
            _fill(connection, source, spec, quarantine_share)
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        raise no_room(index) from exc


def _fill(connection: sqlite3.Connection, source: Source, spec: RecordedSpec, quarantine_share: float) -> None:
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")  # the finished file is flushed before it gets its name
    connection.execute(
        "CREATE TABLE answers (folded TEXT, repeat INTEGER, id TEXT, line INTEGER, digest BLOB, output BLOB,"
        " PRIMARY KEY (folded, repeat)) WITHOUT ROWID"
    )
    intake = _Intake(connection, source, spec)
    intake.run()
    intake.judge(quarantine_share)
    connection.execute("CREATE INDEX by_id ON answers (id, repeat)")
    connection.execute("CREATE TABLE about (fingerprint TEXT, n INTEGER)")
    about = (fingerprint_of(intake.digests), len(intake.digests) // 32)
    connection.execute("INSERT INTO about VALUES (?, ?)", about)
    connection.commit()


@dataclass
class _Intake:
    """What one pass over a file of answers found."""

    connection: sqlite3.Connection
    source: Source
    spec: RecordedSpec
    digests: bytearray = field(default_factory=bytearray)
    problems: list[Problem] = field(default_factory=list)
    n_rows: int = 0
    n_set_aside: int = 0

    def run(self) -> None:
        for line, row in self.rows():
            digest = hashlib.sha256(canonical_bytes(row.model_dump(mode="json"))).digest()
            folded = unicodedata.normalize("NFC", row.id)
            values = (folded, row.repeat, row.id, line, digest, row.answer().model_dump_json().encode())
            if self.connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?)", values).rowcount:
                self.digests += digest
            else:
                self.clash(folded, row, line, digest)

    def rows(self) -> Iterator[tuple[int, RecordedRow]]:
        """Yield line and answer of each valid row."""
        file = str(self.source)
        for raw in rows_in(self.source, self.columns()):
            row = raw.data if isinstance(raw.data, Problem) else self.renamed(raw.data, raw.line)
            if isinstance(row, Problem):
                self.refuse([row])
                continue
            try:
                answer = RecordedRow.model_validate(row)
            except ValidationError as exc:
                found = told(exc, RecordedRow, file, raw.line)
                self.refuse([replace(p, field=self.names().get(p.field, p.field)) for p in found])
                continue
            self.n_rows += 1
            yield raw.line, answer

    def names(self) -> dict[str, str]:
        """Return the log's column names by this project's."""
        ours = {name: name for name in RecordedRow.model_fields}
        return ours | {"id": self.spec.id_field, "output": self.spec.output_field}

    def columns(self) -> Columns:
        """Return what is read of a log; everything else in it is its owner's business."""
        needed = {
            self.spec.id_field: "name the column of sample ids as the model's `id_field`",
            self.spec.output_field: "name the column of answers as the model's `output_field`",
        }
        return Columns(frozenset(self.names().values()), needed)

    def renamed(self, row: dict[str, Any], line: int) -> dict[str, Any] | Problem:
        """Return the row under this project's names, without the log's other columns; CSV numbers become numbers."""
        found = {name: row[theirs] for name, theirs in self.names().items() if theirs in row}
        if self.source.kind in ("csv", "tsv"):
            found.setdefault("output", "")  # an empty cell is an empty answer
            for name in found.keys() & set(NUMBERS):
                number = plain_number(found[name])
                if number is None:
                    fix = "write plain ASCII digits with a decimal point"
                    what = "this is no plain number"
                    return Problem("NUMBER_FORMAT", what, str(self.source), line, name, repr(found[name]), fix)
                found[name] = number
        return found

    def refuse(self, problems: list[Problem]) -> None:
        if gravity(problems[0]) == "note":
            return
        self.n_rows += 1
        self.n_set_aside += 1
        self.problems += problems
        if len(self.problems) >= MAX_PROBLEMS:
            what = "reading stopped: too many faults"
            raise DataError([Problem("TOO_MANY_FAULTS", what, str(self.source), fix="mend these"), *self.problems])

    def clash(self, folded: str, row: RecordedRow, line: int, digest: bytes) -> None:
        """Tell a repeated row, which is dropped, from two answers to one sample."""
        query = "SELECT id, line, digest FROM answers WHERE folded = ? AND repeat = ?"
        other, before, known = self.connection.execute(query, (folded, row.repeat)).fetchone()
        if other == row.id and known == digest:
            return
        what = f"line {before} holds another answer to this sample"
        code, fix = "DUPLICATE_ID", "give answers to one sample different `repeat` numbers"
        if other != row.id:
            what, code = (
                f"two ids differ only in how Unicode composes a letter; the other is on line {before}",
                "ID_LOOKALIKE",
            )
            fix = "normalise ids to NFC"
        self.problems.append(Problem(code, what, str(self.source), line, self.spec.id_field, ascii(row.id), fix))

    def judge(self, allowed: float) -> None:
        """Raise `DataError`, with every fault, where the file as a whole cannot be used."""
        found = list(self.problems)
        too_many = self.n_set_aside > allowed * self.n_rows
        if too_many and self.n_rows > 1:
            what = f"{self.n_set_aside:,} of {self.n_rows:,} rows cannot be used; allowed share: {allowed:g}"
            found.insert(0, Problem("ROWS_SET_ASIDE", what, str(self.source), fix="mend them"))
        if too_many or any(gravity(p) == "reject" for p in found):
            raise DataError(found)


def _damaged(index: Path, exc: Exception) -> Problem:
    fix = "remove the file; the next command makes it again"
    return Problem("INDEX_DAMAGED", f"the index of recorded answers is damaged: {exc}", str(index), fix=fix)
