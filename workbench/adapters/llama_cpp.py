"""GGUF files, made by llama.cpp's own converter and quantiser, which are found rather than brought along."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from workbench.errors import ConfigError, ModelError, Problem

Direct = Literal["f32", "f16", "bf16", "q8_0"]
Quantised = Literal["q4_0", "q4_k_m", "q5_k_m", "q6_k"]
DIRECT: tuple[str, ...] = get_args(Direct)
"""Number formats that the converter writes itself."""
TYPES: tuple[str, ...] = (*DIRECT, *get_args(Quantised))
CONVERTER = "convert_hf_to_gguf.py"
QUANTISER = "llama-quantize"
FOLDER = "LLAMA_CPP"
"""Environment variable that names llama.cpp's folder."""
PLACES = ("", "bin", "build/bin")
LONGEST = 2000
"""Characters of the converter's own words that are shown."""


def find_tools(kind: str, given: Path | None) -> dict[str, Path]:
    """Return the programs that a number format needs, by name. Raises `ConfigError` naming the one that is missing.

    Looked for in `given`, in the folder that the variable LLAMA_CPP names, and on the PATH.
    """
    needed = [CONVERTER] if kind in DIRECT else [CONVERTER, QUANTISER]
    found = {name: _find(name, given) for name in needed}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        what = f"llama.cpp's {' and '.join(missing)} not found, without which no GGUF of type {kind} can be written"
        fix = f"name llama.cpp's folder with --llama-cpp or ${FOLDER}; or leave --gguf out: safetensors need neither"
        raise ConfigError(Problem("NO_CONVERTER", what, field="--gguf", got=kind, fix=fix))
    return {name: path for name, path in found.items() if path is not None}


def to_gguf(model: Path, target: Path, kind: str, tools: dict[str, Path]) -> None:
    """Write a model's folder as one GGUF file. Raises `ModelError` with the tools' own words."""
    whole = target if kind in DIRECT else target.with_name(f".{target.stem}.f16.gguf")
    outtype = kind if kind in DIRECT else "f16"
    try:
        _run([sys.executable, str(tools[CONVERTER]), str(model), "--outfile", str(whole), "--outtype", outtype])
        if kind not in DIRECT:
            _run([str(tools[QUANTISER]), str(whole), str(target), kind.upper()])
    finally:
        if whole != target:
            whole.unlink(missing_ok=True)
    if not target.is_file() or target.stat().st_size < 4:
        raise ModelError(f"llama.cpp wrote no {target}; is {tools[CONVERTER]} the converter?")


def _find(name: str, given: Path | None) -> Path | None:
    named = [given] if given is not None else []
    named += [Path(os.environ[FOLDER])] if os.environ.get(FOLDER) else []
    for place in (folder / inner / name for folder in named for inner in PLACES):
        if place.is_file():
            return place
    on_path = shutil.which(name)
    return None if on_path is None else Path(on_path)


def _run(command: Sequence[str]) -> None:
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=offline)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-LONGEST:]
        raise ModelError(f"{Path(command[0]).name} {Path(command[1]).name} ended with {done.returncode}:\n{said}")
