"""How long a person waits for `workbench --help`."""

from __future__ import annotations

import sys

from benchmarks.figures import Figure, Goal
from benchmarks.process import take
from benchmarks.setting import Setting

NAME = "start"


def start(setting: Setting) -> list[Figure]:
    """Measure the whole command, beside an interpreter that does nothing."""
    nothing, ours = [sys.executable, "-c", "pass"], [sys.executable, "-m", "workbench", "--help"]
    take(ours, setting.log())  # compiled once, as after any installation
    floors, walls = [], []
    for number in setting.each_round():
        setting.say(f"round {number}")
        floors.append(take(nothing, setting.log()).wall)
        walls.append(take(ours, setting.log()).wall)
    return [
        Figure(NAME, "an interpreter that does nothing", "s", tuple(floors)),
        Figure(NAME, "workbench --help", "s", tuple(walls), Goal("<=", 0.3)),
    ]
