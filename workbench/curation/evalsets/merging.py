"""New samples into a file that people edit: what stands there stays, byte for byte, unless replacing was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from workbench.curation.versions import Changed, field_changes
from workbench.datasets import Sample
from workbench.errors import DataError, Problem
from workbench.reading.faults import told
from workbench.reading.rows import rows_of


@dataclass
class Merged:
    """A samples file with what was added, changed and kept."""

    lines: list[bytes] = field(default_factory=list)
    """The file's lines without their ends."""
    samples: dict[str, Sample] = field(default_factory=dict)
    """The samples by id, in the file's order."""
    added: list[str] = field(default_factory=list)
    """Ids that are new."""
    changed: list[Changed] = field(default_factory=list)
    """Rows that were replaced."""
    kept: list[str] = field(default_factory=list)
    """Ids whose row differs from what was to be written, and stays as it was."""

    def content(self) -> bytes:
        """Return the file."""
        return b"".join(line + b"\n" for line in self.lines)


def merge(file: Path, new: Sequence[Sample], *, replace: bool) -> Merged:
    """Return the file with new samples behind what it has; a row of the same id is replaced only with `replace`.

    Raises `DataError` where a row of the file cannot be read: it is not touched before somebody has mended it.
    """
    merged, place = _read(file)
    for sample in new:
        line = sample.json_bytes()
        old = merged.samples.get(sample.id)
        if old is None:
            merged.lines.append(line)
            merged.added.append(sample.id)
        elif old == sample:
            continue
        elif not replace:
            merged.kept.append(sample.id)
            continue
        else:
            merged.lines[place[sample.id]] = line
            differing = tuple(field_changes(old.model_dump(mode="json"), sample.model_dump(mode="json")))
            merged.changed.append(Changed(id=sample.id, fields=differing))
        merged.samples[sample.id] = sample
    return merged


def _read(file: Path) -> tuple[Merged, dict[str, int]]:
    merged, place = Merged(), dict[str, int]()
    if not file.exists():
        return merged, place
    merged.lines = file.read_bytes().removesuffix(b"\n").split(b"\n")
    problems: list[Problem] = []
    for row in rows_of(file):
        if isinstance(row.data, Problem):
            problems += [row.data] if row.data.code != "BLANK_LINE" else []
            continue
        try:
            sample = Sample.model_validate(row.data)
        except ValidationError as exc:
            problems += told(exc, Sample, str(file), row.line)
            continue
        merged.samples[sample.id] = sample
        place[sample.id] = row.line - 1
    if problems:
        raise DataError(problems)
    return merged, place
