"""Which runs and looks are of one series: one model on the same samples, and a few more, fewer, or other ones.

Whoever enlarges an evalset and gates again, or copies it under another name, looks at the same model again. Looks are
counted over the series: docs/decisions/0007-a-series-of-looks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.gate.records import Look, Start

Alike = Callable[[str, Sequence[str]], bool]
"""Whether runs of an evalset, by its name and theirs, were asked any of the samples that are to be judged now."""


@dataclass(frozen=True)
class Book:
    """What is known of runs and looks, oldest first."""

    starts: Sequence[Start] = ()
    looks: Sequence[Look] = ()

    def known(self, run: str, parent: str | None) -> bool:
        """Return whether a run, and what it was rescored from, began here: ten made elsewhere may bring their best."""
        begun = {start.run for start in self.starts}
        return run in begun and (parent is None or parent in begun)

    def name_of(self, run: str, model: str) -> str:
        """Return the series' name of a run's model; that of a run that did not begin here is the model's."""
        return next((start.series for start in self.starts if start.run == run), model)

    def of(self, name: str, model: str, alike: Alike) -> Book:
        """Return what belongs to a series: runs and looks of the model on samples like those to be judged."""
        mine = [s for s in self.starts if s.series == name]
        begun = {s.run for s in mine}
        looks = [x for x in self.looks if x.inputs.get("model") == model or begun & set(x.runs)]
        return Book(
            starts=[s for s in mine if alike(s.evalset, [s.run])],
            looks=[x for x in looks if alike(x.evalset, x.runs)],
        )
