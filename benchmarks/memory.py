"""Whether memory stays flat while the number of samples grows a hundredfold."""

from __future__ import annotations

import shutil

from benchmarks.figures import Figure, Goal, ratios
from benchmarks.process import Took, take
from benchmarks.project import COMPARED, write_project
from benchmarks.setting import Setting

NAME = "memory"
NOWHERE = "http://127.0.0.1:9/v1"
"""No judge is called here."""


def memory(setting: Setting) -> list[Figure]:
    """Measure peak memory of `workbench eval run` on few and on many recorded answers, read in from nothing."""
    few, many = setting.sizes.few_samples, setting.sizes.many_samples
    projects = {n: write_project(setting.folder / f"{NAME}-{n}", n, COMPARED, NOWHERE, 1) for n in (few, many)}
    took: dict[int, list[Took]] = {few: [], many: []}
    for number in setting.each_round():
        for n, project in projects.items():
            setting.say(f"round {number}, {n:,} samples")
            took[n].append(take(project.run(f"home-{number}"), setting.log()))
            project.check(f"home-{number}", n)
            shutil.rmtree(project.folder / f"home-{number}")
    peaks = {n: tuple(t.peak_mb for t in took[n]) for n in took}
    return [
        Figure(NAME, f"peak, {few:,} samples", "MB", peaks[few]),
        Figure(NAME, f"peak, {many:,} samples", "MB", peaks[many]),
        Figure(
            NAME, f"peak, {many:,} samples, × that of {few:,}", "×", ratios(peaks[many], peaks[few]), Goal("<=", 1.1)
        ),
        Figure(NAME, f"whole command, {few:,} samples", "s", tuple(t.wall for t in took[few])),
        Figure(NAME, f"whole command, {many:,} samples", "s", tuple(t.wall for t in took[many])),
    ]
