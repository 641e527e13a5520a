"""Where things lie: one folder, `<home>`, that can be copied, backed up and read by anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workbench.errors import DataError, Problem
from workbench.nouns import fingerprint
from workbench.runs import RunSpec

RUN_ID = re.compile(r"[0-9]{8}-[0-9]{9}-[a-z0-9][a-z0-9_.-]{0,120}")


@dataclass(frozen=True)
class Home:
    """Paths of a home folder; nothing is created until it is written to."""

    root: Path

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def run(self, run_id: str, finished: bool = True) -> RunFolder:
        """Return the folder of an existing run. `run_id` may be a unique beginning or ending, or `latest`.

        `latest` is the latest finished run, or, with `finished` off, the latest that is not.
        """
        names = self.run_ids()
        if run_id == "latest":
            names = [n for n in names if RunFolder(self.runs / n).summary.exists() == finished]
        found = names[-1:] if run_id == "latest" else [n for n in names if n == run_id]
        found = found or [n for n in names if run_id and (n.startswith(run_id) or n.endswith(run_id))]
        if len(found) == 1:
            return RunFolder(self.runs / found[0])
        what = "no run has this id" if not found else f"{len(found)} runs match this id"
        if run_id == "latest":
            what = f"there is no {'finished' if finished else 'unfinished'} run"
        fix = "see `workbench eval ls`" if self.run_ids() else "start one with `workbench eval run`"
        raise DataError(Problem("UNKNOWN_RUN", what, file=str(self.runs), got=run_id, fix=fix))

    def run_ids(self) -> list[str]:
        """Return the ids of all runs, oldest first."""
        if not self.runs.is_dir():
            return []
        return sorted(p.name for p in self.runs.iterdir() if RUN_ID.fullmatch(p.name) and (p / "spec.json").exists())

    def new_run(self, spec: RunSpec, now: datetime) -> RunFolder:
        """Return a fresh run folder's paths; the id says when, what and who."""
        stamp = now.astimezone(UTC).strftime("%Y%m%d-%H%M%S%f")[:-3]  # to the millisecond: ids sort by age
        tail = fingerprint([spec.model_dump(mode="json"), now.isoformat()])[:4]
        words = re.sub(r"[^a-z0-9_.-]+", "-", f"{spec.evalset}-{spec.use}-{spec.model_name}".lower()).strip("-")
        return RunFolder(self.runs / f"{stamp}-{words[:100]}-{tail}")


@dataclass(frozen=True)
class RunFolder:
    """Paths within one run."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def spec(self) -> Path:
        return self.path / "spec.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.sqlite"

    @property
    def charges(self) -> Path:
        return self.path / "charges.txt"

    @property
    def samples(self) -> Path:
        return self.path / "samples.parquet"

    @property
    def scores(self) -> Path:
        return self.path / "scores.parquet"

    @property
    def asked_again(self) -> Path:
        return self.path / "asked_again.json"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        return self.path / "report.md"

    @property
    def page(self) -> Path:
        return self.path / "report.html"
