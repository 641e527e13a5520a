"""Error analysis of a project: find failing answers, write down what is seen, keep the taxonomy."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from workbench.config.labelling_yaml import BUILT_IN
from workbench.config.workbench_yaml import Workbench
from workbench.config.yaml_source import load_yaml
from workbench.errors import ConfigError, DataError, LockedError, Problem
from workbench.evaluation.run import read_run
from workbench.failures.entries import AnswerId, Entry, Note, Pick, Signed, Standing, Undo, Version, book_of, standing
from workbench.failures.failing import facets, find, find_keys, read_failures
from workbench.failures.failure import Facets, Found, Key, Marks, Wanted
from workbench.failures.taxonomy import Mode, Taxonomy, as_yaml
from workbench.jobs.acting import legible
from workbench.jobs.human_verdicts import HumanVerdicts, human_verdicts
from workbench.store.files import write_atomic
from workbench.store.home import Home, RunFolder
from workbench.tables import connection, rows

PATIENCE = 30.0
"""Seconds to wait for somebody else who is writing into the book; a line takes some milliseconds."""
TAXONOMY = "taxonomy.yaml"


def find_failures(
    bench: Workbench, run_id: str, wanted: Wanted, start: int = 0, size: int = 50, marks: Marks | None = None
) -> Found:
    """Return a page of a finished run's failures. Raises `DataError`, `ConfigError`."""
    folder = bench.home.run(run_id)
    return find(read_run(folder), folder, wanted, marks or marks_of(bench, folder, wanted), start, size)


def all_keys(bench: Workbench, run_id: str, wanted: Wanted) -> list[Key]:
    """Return the keys of all of them, in the dataset's order."""
    folder = bench.home.run(run_id)
    return find_keys(read_run(folder), folder, wanted, marks_of(bench, folder, wanted))


def facets_of(bench: Workbench, run_id: str) -> Facets:
    """Return what the failures of a run can be filtered by, each with its count."""
    folder = bench.home.run(run_id)
    return facets(read_run(folder), folder)


def marks_of(bench: Workbench, folder: RunFolder, wanted: Wanted | None = None) -> Marks:
    """Return what people said of a run's answers, and which have a note."""
    coded = {(of.sample, of.repeat) for of in read_book(bench.home).current() if of.run == folder.id}
    return Marks(human=human_of(folder, human_verdicts(bench)), coded=coded)


def human_of(folder: RunFolder, human: HumanVerdicts) -> dict[Key, bool]:
    """Return people's verdicts on the answers of a run; a verdict on another answer to the same question is none."""
    said = {(name, outputs[0]): passed for (name, outputs), passed in human.passed.items() if len(outputs) == 1}
    names = sorted({name for name, _ in said} | {name.rpartition("#")[0] for name, _ in said if "#" in name})
    with connection(samples=folder.samples) as db:
        query = "SELECT sample_id, repeat, output FROM samples WHERE sample_id IN (SELECT unnest(?::VARCHAR[]))"
        found = rows(db, query, [names]) if names else []
    marks: dict[Key, bool] = {}
    for row in found:
        of = AnswerId(run=folder.id, sample=row["sample_id"], repeat=row["repeat"])
        if (passed := said.get((of.record(), row["output"]))) is not None:
            marks[of.sample, of.repeat] = passed
    return marks


# ---------------------------------------------------------------- the book


def read_book(home: Home) -> Standing:
    """Return what holds of a home's book. Raises `DataError` where somebody edited it."""
    return standing(book_of(home.root).records())


def add(home: Home, entry: Entry) -> Entry:
    """Write a line down; when this returns it is on the disk. Two writers wait for each other, and both lines stay.

    Raises `LockedError` where another process holds the book for longer than `PATIENCE`.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            book_of(home.root).add(entry)
            return entry
        except LockedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def code(
    bench: Workbench, of: AnswerId, by: str, *, text: str = "", tags: Sequence[str] = (), correction: str = ""
) -> Note:
    """Write down what somebody saw in one answer. Raises `DataError` for an answer that the run has not."""
    refuse_unknown(bench.home, [of])
    words = tidy(tags)
    if not (text.strip() or words or correction.strip()):
        fix = "write what went wrong first, or give a tag"
        raise ConfigError(Problem("FIELD_VALUE", "a note without text, tag or correction says nothing", fix=fix))
    saved = read_book(bench.home).version()
    sign = signed(by)
    line = {"of": of, "text": legible(text).strip(), "tags": words, "correction": legible(correction)}
    try:
        note = Note.model_validate({**line, **sign._asdict(), "code": saved.fingerprint if saved else ""})
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(Problem("FIELD_VALUE", first["msg"], field=where, fix="shorten it")) from exc
    add(bench.home, note)
    return note


def pick(bench: Workbench, better: AnswerId, worse: AnswerId, by: str) -> Pick:
    """Write down that one answer is better than another to the same sample. Raises `DataError`."""
    if better == worse or better.sample != worse.sample:
        fix = "choose two answers to the same sample"
        raise DataError(Problem("PICK", "these are not two answers to one sample", got=better.source(), fix=fix))
    refuse_unknown(bench.home, [better, worse])
    sign = signed(by)
    line = Pick(id=sign.id, by=sign.by, at=sign.at, better=better, worse=worse)
    add(bench.home, line)
    return line


def undo(bench: Workbench, line_id: str, by: str, *, others: bool = False) -> Undo:
    """Take a note, pick or undo back by a further line. Raises `DataError` for what is not there or not one's own.

    What was sent somewhere stays there, so that an act cannot be undone. `others`: also what somebody else wrote.
    """
    entries = book_of(bench.home.root).records()
    found = next((e for e in entries if e.id == line_id), None)
    if found is None or found.kind in ("act", "taxonomy"):
        what = "the book has no such line" if found is None else "what was done cannot be taken back by a line"
        fix = (
            "see workbench failures log" if found is None else "undo it where it went; save the earlier taxonomy again"
        )
        raise DataError(Problem("UNDO", what, got=line_id, fix=fix))
    if found.by != by and not others:
        raise DataError(Problem("UNDO", f"this was written by {legible(found.by)}", got=line_id, fix="ask them"))
    sign = signed(by)
    line = Undo(id=sign.id, by=sign.by, at=sign.at, undoes=line_id)
    add(bench.home, line)
    return line


def refuse_unknown(home: Home, answers: Collection[AnswerId]) -> None:
    """Raise `DataError` for an answer that its run has not."""
    for run_id in sorted({of.run for of in answers}):
        folder = home.run(run_id)
        mine = [of for of in answers if of.run == run_id]
        with connection(samples=folder.samples) as db:
            query = "SELECT sample_id, repeat FROM samples WHERE sample_id IN (SELECT unnest(?::VARCHAR[]))"
            there = {(r["sample_id"], r["repeat"]) for r in rows(db, query, [[of.sample for of in mine]])}
        lost = next((of for of in mine if (of.sample, of.repeat) not in there or run_id != folder.id), None)
        if lost is not None:
            fix = f"see workbench failures find {run_id}"
            raise DataError(Problem("UNKNOWN_SAMPLE", "the run has no such answer", run_id, got=lost.record(), fix=fix))


def tidy(tags: Sequence[str]) -> tuple[str, ...]:
    """Return tags as they are kept: one line, printable, lower case, each once."""
    lines = (" ".join("".join(c if c.isprintable() else " " for c in legible(tag)).split()).casefold() for tag in tags)
    return tuple(dict.fromkeys(line for line in lines if line))


def signed(by: str) -> Signed:
    """Return what every line of the book has: a name of its own, who, when."""
    return Signed(uuid.uuid4().hex[:16], legible(by), datetime.now(UTC).isoformat(timespec="milliseconds"))


# ---------------------------------------------------------------- the taxonomy


def taxonomy_of(bench: Workbench, book: Standing | None = None) -> Taxonomy:
    """Return the taxonomy that holds: the one saved last, else that of workbench.yaml, else the built-in one."""
    saved = (book or read_book(bench.home)).version()
    if saved is not None:
        return saved.taxonomy
    return load_yaml(_file(bench, BUILT_IN / TAXONOMY), Taxonomy)


def save_taxonomy(bench: Workbench, taxonomy: Taxonomy, by: str, why: str, before: str | None = None) -> Version:
    """Save a version: a line in the book, and the YAML file that is committed and that labelling templates read.

    `before` is the fingerprint of what was edited; where somebody saved another one meanwhile, `DataError`. Nothing is
    written where nothing changed.
    """
    book = read_book(bench.home)
    now = taxonomy_of(bench, book)
    if before is not None and before != now.fingerprint():
        fix = "look at theirs, and make your change there"
        raise DataError(Problem("TAXONOMY", "somebody saved another taxonomy meanwhile", got=now.version, fix=fix))
    last = book.version()
    if last is not None and taxonomy.fingerprint() == now.fingerprint():
        return last
    if taxonomy.version == now.version and taxonomy.fingerprint() != now.fingerprint():
        taxonomy = taxonomy.model_copy(update={"version": next_version(now.version)})
    sign = signed(by)
    line = Version(
        id=sign.id, by=sign.by, at=sign.at, taxonomy=taxonomy, fingerprint=taxonomy.fingerprint(),
        replaces=now.fingerprint(), why=legible(why),
    )  # fmt: skip
    add(bench.home, line)
    write_atomic(exported(bench), as_yaml(taxonomy).encode())
    return line


def with_mode(taxonomy: Taxonomy, mode: Mode) -> Taxonomy:
    """Return the taxonomy with a mode added, or put in the place of the one with its code; its tags are taken from
    the modes that had them. Raises `ConfigError` for one that does not fit."""
    taken = {mode.value, *mode.includes}
    others = [
        m.model_copy(update={"includes": tuple(t for t in m.includes if t not in taken)})
        for m in taxonomy.modes
        if m.value != mode.value
    ]
    at = next((n for n, m in enumerate(taxonomy.modes) if m.value == mode.value), len(others))
    return checked(taxonomy.version, [*others[:at], mode, *others[at:]])


def checked(version: str, modes: Sequence[Mode]) -> Taxonomy:
    """Return a taxonomy of modes. Raises `ConfigError` where they do not hold together."""
    try:
        return Taxonomy(version=version, modes=tuple(modes))
    except ValidationError as exc:
        what = exc.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(Problem("TAXONOMY", what, fix="mend the codes, and save again")) from exc


def exported(bench: Workbench) -> Path:
    """Return the YAML file of the taxonomy."""
    return _file(bench, bench.file.parent / TAXONOMY)


def next_version(version: str) -> str:
    """Return the version after this one: its number plus one."""
    head = version.rstrip("0123456789")
    return f"{head}{int(version[len(head) :] or 1) + 1}"


def read_answers(bench: Workbench, of: Sequence[AnswerId]) -> Found:
    """Return answers by their names, as failures are told, whether they fail or not; all of one run."""
    folder = bench.home.run(of[0].run)
    run = read_run(folder)
    keys = [(one.sample, one.repeat) for one in of]
    found = read_failures(run, folder, keys, marks_of(bench, folder))
    return Found(n=len(found), n_answers=run.n_attempted, failures=found)


def _file(bench: Workbench, default: Path) -> Path:
    named = bench.config.labelling.taxonomy
    return default if named is None else bench.path(named)
