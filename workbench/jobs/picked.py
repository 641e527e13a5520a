"""Picked records as a file that a job can push."""

from __future__ import annotations

from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.jobs.labelling_next import Choice
from workbench.nouns import fingerprint
from workbench.store.files import write_atomic


def write_picks(bench: Workbench, found: Choice) -> str:
    """Write picked records below the home; return the path from the project's folder. The same picks have one file.

    Raises `ConfigError` where the home lies elsewhere: jobs name no path that leaves the project.
    """
    rows = [task.json_bytes() for task in found.tasks]
    name = fingerprint([row.decode("utf-8", "replace") for row in rows])[:16]
    path = bench.home.root.absolute() / "picks" / f"{name}.jsonl"
    folder = bench.file.parent.absolute()
    if not path.is_relative_to(folder):
        fix = "write them by hand: workbench label next -o next.jsonl; workbench label push --from next.jsonl"
        raise ConfigError(Problem("USAGE", "the home lies outside the project's folder", str(path), fix=fix))
    write_atomic(path, b"".join(row + b"\n" for row in rows))
    return str(path.relative_to(folder))
