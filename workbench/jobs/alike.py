"""Whether earlier runs were asked any of the samples that are to be judged now, whatever their evalset is called."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from workbench.curation.sides import overlaps
from workbench.evaluation.arms import Finished
from workbench.store.home import Home, RunFolder
from workbench.tables import connection


@dataclass(frozen=True)
class SameSamples:
    """Tells by an evalset's name and its runs whether their samples are those of `mine`."""

    home: Home
    evalset: str
    """The evalset to be judged."""
    together: Collection[str]
    """All evalsets that this release is decided on: each must pass, so that none is another try at one of them."""
    mine: Sequence[Finished]
    """The candidate's runs on it."""

    def __call__(self, evalset: str, runs: Sequence[str]) -> bool:
        """Return whether it is the same evalset, or one with a prompt or family in common.

        What a run was asked that is gone, or not finished, nobody can say; it is taken for the same.
        """
        if evalset == self.evalset:
            return True
        if evalset in self.together or not self.mine:
            return False
        folders = [RunFolder(self.home.runs / run) for run in runs]
        return any(not f.samples.exists() or _share(self.mine[0].folder, f) for f in folders)


def _share(now: RunFolder, then: RunFolder) -> bool:
    """Return whether two runs share a family, which equal prompts do, or prompts that are nearly the same."""
    with connection(mine=now.samples, theirs=then.samples) as db:
        if db.execute("SELECT count(*) FROM mine JOIN theirs USING (family)").fetchall()[0][0]:
            return True
        asked = {
            side: db.execute(f"SELECT sample_id, any_value(question) FROM {side} GROUP BY 1").fetchall()
            for side in ("mine", "theirs")
        }
    return bool(overlaps(asked))
