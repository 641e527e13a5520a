"""What `workbench data import` and `validate` do and print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import ValidationError

from workbench.cli.progress import say, watching
from workbench.config.workbench_yaml import Workbench
from workbench.curation.importing import Check, Imported, Wish
from workbench.datasets import USES, Split, Use
from workbench.errors import ConfigError, Problem
from workbench.evaluation.engine import Progress
from workbench.jobs.firewall import gates_of, guard_stored
from workbench.jobs.importing import ImportedRecords, import_file
from workbench.reading.stored import StoredDataset

NOTES = {
    "BLANK_LINE": "blank lines",
    "HIDDEN_CHARACTER": "rows with zero-width or direction-changing characters",
    "LONE_SURROGATE": "rows with half a character, kept as its escape",
    "ROLE_RENAMED": "messages whose role is told under its new name (developer, function)",
    "LATER_TURNS": "rows whose later questions are left out: they need an answer to the first",
    "LATER_REFERENCES": "rows of which only the first reference is kept",
    "STATUS_UNKNOWN": "answers of which the export does not say whether they were submitted",
    "NOT_SUBMITTED": "drafts and discarded answers, left out",
    "OTHER_SPANS": "spans that are no call of a model",
    "TIME_OF_FILE": "labels without a time, which have the file's",
}
DROPPED = {
    "TIE": "ties",
    "SAME_SIDES": "pairs of two equal answers",
    "NO_CALLS": "rows without a call of a model",
    "DUPLICATES": "equal rows",
}
SHOWN = 5


@dataclass(frozen=True)
class Asked:
    """What was typed."""

    path: Path
    name: str
    use: Use | None
    split: str | None
    salt: str | None
    format: str | None
    quarantine_share: float
    new_ids: bool
    synthetic: bool
    corpus: Path | None
    told: Mapping[str, str]

    def wish(self) -> Wish:
        """Return it as a wish. Raises `ConfigError` unless it has either a use or a split."""
        if (self.use is None) == (self.split is None):
            what = "say what the dataset is for: --use train, dev or gate; or deal it out with --split"
            raise ConfigError(Problem("USAGE", what, fix="see workbench data import --help"))
        split = None if self.split is None else split_from(self.split, self.salt or self.name)
        return Wish(
            self.path, self.name, self.use, split, self.format, self.quarantine_share, self.new_ids, self.synthetic,
            self.corpus, self.told,
        )  # fmt: skip


def split_from(text: str, salt: str) -> Split:
    """Return the split that `train=0.8,dev=0.1,gate=0.1` says. Raises `ConfigError`."""
    fix = "write for example train=0.8,dev=0.1,gate=0.1"
    try:
        shares = {name.strip(): float(share) for name, share in (part.split("=") for part in text.split(","))}
        if not shares.keys() <= set(USES):
            raise ValueError(f"the uses are {', '.join(USES)}")
        return Split.model_validate({"salt": salt, **shares})
    except ValidationError as exc:
        what = str(exc.errors()[0]["msg"]).removeprefix("Value error, ")
        raise ConfigError(Problem("USAGE", f"this is no split: {what}", "", None, "--split", text, fix)) from exc
    except ValueError as exc:
        raise ConfigError(Problem("USAGE", f"this is no split: {exc}", "", None, "--split", text, fix)) from exc


def bring_in(bench: Workbench, asked: Asked, *, store: bool, as_json: bool, quiet: bool) -> None:
    """Import or validate, and say what came of it."""
    wish = asked.wish()
    with watching(f"reading {asked.path.name}, MB", quiet) as show:

        def watch(done: int, total: int) -> None:
            show(Progress(done=done >> 20, total=max(total, done) >> 20, failed=0, cost=0.0))

        def look(rows: StoredDataset) -> dict[str, str]:
            return guard_stored(rows, bench, what=asked.path.name).rule()

        check = Check(look, reads=store or bool(gates_of(bench)))
        found = import_file(wish, bench.home, datetime.now(UTC), watch, store=store, check=check)
    imported = found.imported if isinstance(found, ImportedRecords) else found
    if as_json:
        click.echo(orjson.dumps(_plain(found, store), option=orjson.OPT_INDENT_2).decode())
        return
    _tell(imported)
    if isinstance(found, ImportedRecords):
        m = found.snapshot.manifest
        click.echo(f"{m.name}: {m.n_records:,} records, {m.n_labels:,} labels of {len(m.annotators):,} people")
        click.echo(str(found.snapshot.path) if store else "Nothing was stored.")
        return
    for manifest in imported.manifests:
        same = f", {manifest.n_duplicates:,} equal rows left out" if manifest.n_duplicates else ""
        label = f"{manifest.name} {manifest.use}" if store else manifest.kind
        click.echo(f"{label}: {manifest.n:,} {manifest.kind} in {manifest.n_groups:,} families{same}")
    click.echo("\n".join(str(one.path) for one in imported.stored) if store else "Nothing was stored.")


def _tell(imported: Imported) -> None:
    """Say what the source is, and what is unusual about it."""
    form = imported.format
    if imported.guessed:
        say(f"looks like {form.name}: {form.sign}; --format to overrule")
    say(f"{imported.n_rows:,} rows read, {imported.n_set_aside:,} set aside")
    for problem in imported.problems[:SHOWN]:
        say(f"  set aside: {problem}")
    for code, n in sorted(imported.notes.items()):
        column = code.removeprefix("LEFT_OUT ")
        told = NOTES.get(code, f"rows whose column '{column}' has no place and is left out" if column != code else code)
        say(f"  {n:,} {told}")
    for code, n in sorted(imported.dropped.items()):
        if n:
            say(f"  {n:,} {DROPPED.get(code, code)} left out")


def _plain(found: Imported | ImportedRecords, stored: bool) -> dict[str, Any]:
    imported = found.imported if isinstance(found, ImportedRecords) else found
    told: dict[str, Any] = {
        "format": imported.format.name, "guessed": imported.guessed, "kind": imported.format.kind,
        "n_rows": imported.n_rows, "n_set_aside": imported.n_set_aside, "notes": dict(imported.notes),
        "dropped": {code: n for code, n in imported.dropped.items() if n},
        "set_aside": [str(p) for p in imported.problems], "stored": stored,
        "datasets": [m.model_dump(mode="json") for m in imported.manifests],
    }  # fmt: skip
    if isinstance(found, ImportedRecords):
        told["records"] = found.snapshot.manifest.model_dump(mode="json", exclude={"form"})
    return told
