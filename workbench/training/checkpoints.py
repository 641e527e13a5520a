"""Checkpoints that count only when complete: a list of their files' hashes, written last, makes one so."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import orjson

from workbench.store.files import flush, sha256_of, write_atomic

COMPLETE = "complete.json"
NAME = re.compile(r"checkpoint-([1-9][0-9]*)")
PICKLED = ("training_args.bin",)
"""Pickles that the trainer writes and nobody here reads."""


def seal(folder: Path) -> None:
    """Make a checkpoint count: every file on the disk, then, atomically, the list of their hashes."""
    for name in PICKLED:
        (folder / name).unlink(missing_ok=True)
    files = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != COMPLETE):
        flush(path)
        files[path.relative_to(folder).as_posix()] = sha256_of(path)
    for inner in (p for p in folder.rglob("*") if p.is_dir()):
        flush(inner)
    flush(folder)
    flush(folder.parent)
    write_atomic(folder / COMPLETE, orjson.dumps(files, option=orjson.OPT_INDENT_2))


def fault_of(folder: Path) -> str:
    """Return why a checkpoint does not count; nothing where it does. Every file is read: pickles come after this."""
    try:
        files = orjson.loads((folder / COMPLETE).read_bytes())
    except FileNotFoundError:
        return "it was not saved to its end"
    except (OSError, orjson.JSONDecodeError) as exc:
        return f"its {COMPLETE} cannot be read: {exc}"
    if not isinstance(files, dict) or not files:
        return f"its {COMPLETE} lists nothing"
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {COMPLETE}
    if extra := sorted(there - files.keys()):
        return f"{extra[0]} is not in its list of files"
    for name, digest in sorted(files.items()):
        if name not in there:
            return f"{name} is missing"
        if sha256_of(folder / name) != digest:
            return f"{name} is not what was saved"
    return ""


def last_complete(checkpoints: Path) -> tuple[Path | None, list[str]]:
    """Return the newest checkpoint that counts, if any, and what was passed over, in words."""
    passed: list[str] = []
    for path in reversed(_in_order(checkpoints)):
        fault = fault_of(path)
        if not fault:
            return path, passed
        passed.append(f"{path.name}: {fault}")
    return None, passed


def step_of(checkpoint: Path) -> int:
    """Return the optimizer step that a checkpoint was saved at."""
    match = NAME.fullmatch(checkpoint.name)
    return int(match[1]) if match else 0


def clear_after(checkpoints: Path, last: Path | None) -> None:
    """Remove every checkpoint that is newer than `last`, or all without one: they do not count."""
    for path in _in_order(checkpoints):
        if last is None or step_of(path) > step_of(last):
            shutil.rmtree(path)


def rotate(checkpoints: Path, keep: int) -> None:
    """Remove the oldest complete checkpoints but `keep`. The newest one must have been sealed before."""
    sealed = [path for path in _in_order(checkpoints) if (path / COMPLETE).exists()]
    for path in sealed[:-keep]:
        (path / COMPLETE).unlink()  # first, so that half a folder never counts
        shutil.rmtree(path)


def _in_order(checkpoints: Path) -> list[Path]:
    found = [p for p in checkpoints.iterdir() if p.is_dir() and NAME.fullmatch(p.name)] if checkpoints.is_dir() else []
    return sorted(found, key=step_of)
