"""Whole commands, measured from start to exit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}, "COLUMNS": "160"}
"""What commands see. They may write bytecode, as an installed package has it; else each start would compile anew."""


@dataclass(frozen=True)
class Took:
    """What one command took."""

    wall: float
    """Seconds from start to exit."""
    cpu: float
    """Seconds of user and system time, its children's too."""
    peak_mb: float
    """Most resident memory, in MB of 2**20 bytes."""


def take(command: Sequence[str], log: Path) -> Took:
    """Run a command to its end. Raises `RuntimeError` with its last words when it fails: a failed run has no figure."""
    launcher = [sys.executable, "-I", "-S", str(ROOT / "benchmarks" / "launch.py"), str(log)]
    done = subprocess.run([*launcher, *command], capture_output=True, text=True, check=True, cwd=ROOT, env=ENVIRONMENT)
    told = json.loads(done.stdout)
    if told.pop("code") != 0:
        raise RuntimeError(f"{' '.join(command)}\n{log.read_text(errors='replace')[-2000:]}")
    return Took(**told)
