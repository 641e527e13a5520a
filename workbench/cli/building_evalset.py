"""What `evalset build` and `evalset diff` do with their options."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from workbench.cli.progress import say
from workbench.cli.show import grid
from workbench.config.evalset_yaml import load_evalset
from workbench.config.workbench_yaml import Workbench
from workbench.curation.evalsets.changes import Signed
from workbench.curation.evalsets.choosing import Wanted, left_told
from workbench.curation.versions import Diff, diff
from workbench.errors import ConfigError, DataError, Problem
from workbench.jobs.building_evalsets import CHANGES, Built, build, since
from workbench.jobs.evalset_candidates import Sources, candidates
from workbench.jobs.evalset_sources import skeletons
from workbench.jobs.planning import select
from workbench.reports.escaping import one_line, visible
from workbench.store.files import write_atomic

SKELETONS = "skeletons.jsonl"


def build_and_show(
    bench: Workbench, name: str, sources: Sources, wanted: Wanted, signed: Signed,
    *, replace: bool, dry: bool, as_json: bool,
) -> None:  # fmt: skip
    """Build, and print what was taken, left out and written."""
    if not any((sources.labels, sources.failures, sources.datasets, sources.documents)):
        fix = "give --labels, --failures, --dataset or --documents"
        raise ConfigError(Problem("USAGE", "nothing is named that samples could come from", fix=fix))
    if sources.documents is not None:
        _write_skeletons(bench.evalsets / name / SKELETONS, sources.documents, dry=dry)
    if not sources.hold_samples():
        return
    found, left = candidates(bench, sources)
    now = datetime.now(UTC)
    built = build(bench, name, found, wanted, signed, now, left=left, replace=replace, dry=dry)
    _show(built, dry=dry, as_json=as_json)


def diff_of(bench: Workbench, name: str, number: int | None, against: Path | None) -> Diff:
    """Return what differs in an evalset from a folder, or from an entry of its CHANGES.md. Raises `DataError`."""
    [evalset] = select(bench, [name], "dev")
    if against is not None:
        other = load_evalset(against)
        sides = [[one.stored(use, bench.home) for use in one.uses()] for one in (other, evalset)]
        return diff(sides[0], sides[1])
    log = evalset.folder / CHANGES
    found = since(bench, evalset.folder, log.read_text("utf-8"), number) if log.exists() else None
    if found is None:
        fix = "name a folder with --against, or build a version first: workbench evalset build"
        what = "there is no such version to compare with"
        raise DataError(Problem("NO_VERSION", what, str(log), got=None if number is None else str(number), fix=fix))
    return found


def _write_skeletons(file: Path, documents: Path, *, dry: bool) -> None:
    """Write a record a passage beside the samples, which are no samples until people have written their questions."""
    records = list(skeletons(documents))
    if not dry:
        if file.exists():
            fix = "move it away: people may have edited it"
            raise ConfigError(Problem("FILE_EXISTS", "exists already and is left as it is", str(file), fix=fix))
        write_atomic(file, b"".join(record.json_bytes() + b"\n" for record in records))
    say(f"{len(records)} skeletons in {file}: workbench label push NAME --template sample_review --from {file}")


def _show(built: Built, *, dry: bool, as_json: bool) -> None:
    left = left_told(built.choice.left)
    if as_json:
        told = {
            "folder": str(built.folder), "written": bool(built.entry) and not dry, "n": len(built.merged.samples),
            "added": built.merged.added, "changed": [row.model_dump(mode="json") for row in built.merged.changed],
            "kept": built.merged.kept, "strata": [one._asdict() for one in built.choice.strata], "left": dict(left),
        }  # fmt: skip
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    if any(one.name for one in built.choice.strata):
        rows = [(one.name, str(one.available), str(one.taken)) for one in built.choice.strata]
        grid(("stratum", "candidates", "taken"), rows)
    for why, ids in left:
        click.echo(f"left out {len(ids):,}, {why}: {one_line(', '.join(ids[:5]), 200)}")
    if built.merged.kept:
        click.echo(f"kept as they stand {len(built.merged.kept):,}: {one_line(', '.join(built.merged.kept), 200)}")
    click.echo(visible(built.entry) if built.entry else "nothing to add")
    if built.entry:
        say(f"{'would write' if dry else 'wrote'} {built.folder}")
