"""How many tokens a CPU second trains: the workbench, a plain script of TRL's and a bare PyTorch loop, in turn."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.figures import Figure, Goal, ratios
from benchmarks.setting import FULL, Setting

NAME = "training"
SIDES = ("loop", "trl", "ours", "trl-dpo", "ours-dpo", "ours-dpo-again")


def training(setting: Setting) -> list[Figure]:
    """Measure every side in every round; a ratio is within a round."""
    rows = 160 if setting.sizes == FULL else 16
    speeds: dict[str, list[float]] = {side: [] for side in SIDES}
    whole: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in setting.each_round():
        for side in SIDES:
            told = _side(side, setting, number, rows)
            speeds[side].append(told["tokens"] / told["cpu"])
            whole[side].append(told.get("whole", 0.0))
            setting.say(f"round {number}: {side} {speeds[side][-1]:,.0f} tokens a CPU second")
    figures = [Figure(NAME, f"{side}: tokens a CPU second", "1/s", tuple(values)) for side, values in speeds.items()]
    return [
        *figures,
        Figure(NAME, "SFT, ours against plain TRL", "×", ratios(speeds["ours"], speeds["trl"]), Goal(">=", 1.2)),
        Figure(NAME, "SFT, ours against a bare loop", "×", ratios(speeds["ours"], speeds["loop"])),
        Figure(NAME, "DPO, ours against TRL", "×", ratios(speeds["ours-dpo"], speeds["trl-dpo"]), Goal(">=", 1.2)),
        Figure(NAME, "DPO again, CPU of the first", "×", ratios(whole["ours-dpo-again"], whole["ours-dpo"])),
    ]  # fmt: skip


def _side(side: str, setting: Setting, number: int, rows: int) -> dict[str, Any]:
    folder = setting.folder / f"training-{number}{'-dpo' if 'dpo' in side else ''}"
    command = [sys.executable, "-m", "benchmarks.training_arms", side, str(folder), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
