"""The embedded Argilla, a program in an environment of its own: its pins clash with ours, so it is never imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.errors import LabellingError

VARIABLE = "WORKBENCH_ARGILLA_VENV"
FOLDER = ".venv-argilla"
PROGRAM = "argilla-embedded"
CHECKOUT = Path(__file__).parents[2]


def run(arguments: Sequence[str], home: Path, project: Path, *, quiet: bool = False) -> int:
    """Run `argilla-embedded` with `arguments` on the Argilla in `home`; return its exit code.

    It speaks on our output and error streams; `quiet`: on the error stream alone, and shows no password. Raises
    `LabellingError` when it is not installed.
    """
    program = find_program(project, os.environ)
    environment = {**os.environ, "ARGILLA_EMBEDDED_HOME": str(home)}
    out = subprocess.DEVNULL if quiet else None
    return subprocess.run([program, *arguments], env=environment, stdout=out, check=False).returncode


def find_program(project: Path, environment: Mapping[str, str]) -> Path:
    """Return the program of the environment that WORKBENCH_ARGILLA_VENV names, else of `.venv-argilla`.

    That is looked for beside the project, beside our own environment, and in the checkout. Raises `LabellingError`
    with the command that makes it.
    """
    named = environment.get(VARIABLE)
    places = [Path(named)] if named else [each / FOLDER for each in (project, Path(sys.prefix).parent, CHECKOUT)]
    for place in places:
        program = place.absolute() / "bin" / PROGRAM
        if program.exists():
            return program
    raise LabellingError(
        f"the embedded Argilla is not installed in {places[0]}; make it, once: `make setup-argilla` in the checkout of "
        f"the workbench, or python3 -m venv {FOLDER} && {FOLDER}/bin/pip install argilla-embedded; an environment "
        f"elsewhere is named by {VARIABLE}"
    )
