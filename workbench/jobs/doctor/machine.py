"""What this machine brings: Python, packages, disk, and what some tests want."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from workbench.jobs.doctor.check import Check

ROOM = 2**30
"""Bytes below which a disk is nearly full: a run of 100,000 samples with its journal takes some hundred MB."""
PYTHON = (3, 11)
OFF = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
"""Variables by which the libraries that have telemetry are told to leave it."""
TOOLS = {
    "chromium": ("chromium", "the browser tests are skipped without it: apt-get install chromium"),
    "postgresql": ("pg_ctl", "the tests on PostgreSQL are skipped without it: apt-get install postgresql"),
}
PLACES = "/usr/lib/postgresql/*/bin"
"""Where Debian keeps PostgreSQL's programs, off the path."""


def packages() -> Iterator[Check]:
    """Check Python, what the core needs, and each extra: whole, not installed, or in part."""
    version = platform.python_version()
    old = sys.version_info < PYTHON
    yield Check(
        name="python", state="fault" if old else "ok", found=version, fix="use Python 3.11 or newer" if old else ""
    )
    needed = [Requirement(text) for text in metadata.requires("workbench") or ()]
    core = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [told for r in core if (told := _wrong(r))]
    fix = "install it again: pip install -c constraints.txt -e . (or: make setup)" if wrong else ""
    found = "; ".join(wrong) or f"{len(core)} packages at the versions that are needed"
    yield Check(name="packages", state="fault" if wrong else "ok", found=found, fix=fix)
    for extra in sorted(metadata.metadata("workbench").get_all("Provides-Extra") or ()):
        own = [r for r in needed if r not in core and r.marker is not None and r.marker.evaluate({"extra": extra})]
        if extra != "all" and own:
            yield _extra(extra, own)


def _extra(extra: str, own: list[Requirement]) -> Check:
    name = f"extra {extra}"
    absent = [r.name for r in own if _version(r.name) is None]
    wrong = [told for r in own if r.name not in absent and (told := _wrong(r))]
    install = f"pip install 'workbench[{extra}]'"
    if wrong:
        return Check(name=name, state="fault", found="; ".join(wrong), fix=install)
    if len(absent) == len(own):
        return Check(name=name, state="skipped", found="not installed", fix=f"if you need it: {install}")
    if absent:
        return Check(name=name, state="note", found=f"lacks {', '.join(absent)}", fix=f"if you need it: {install}")
    return Check(name=name, state="ok", found=", ".join(f"{r.name} {_version(r.name)}" for r in own))


def _wrong(requirement: Requirement) -> str:
    """Return what is wrong with an installed package, empty when it is as it must be."""
    version = _version(requirement.name)
    if version is None:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} {version} is not {requirement.specifier}"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def disk(home: Path) -> Check:
    """Check that the home, or the folder in which it will be made, can be written to and has room."""
    place = next(folder for folder in (home.absolute(), *home.absolute().parents) if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        fix = "check who may write there, or set `home` in workbench.yaml"
        return Check(name="home", state="fault", found=f"{place} cannot be written to", fix=fix)
    free = shutil.disk_usage(place).free
    found = f"{home}: {free / 2**30:.1f} GiB free"
    if free < ROOM:
        return Check(name="home", state="fault", found=found, fix="free some space, or set `home` in workbench.yaml")
    return Check(name="home", state="ok", found=found)


def telemetry() -> Check:
    """Say whether the libraries' own telemetry is off; the workbench itself sends nothing."""
    missing = [f"{name}={value}" for name, value in OFF.items() if os.environ.get(name) != value]
    if not missing:
        return Check(name="telemetry", state="ok", found="off; the workbench itself has none")
    found = "the workbench has none and switches it off in what it starts; other programs here are not told to"
    return Check(name="telemetry", state="note", found=found, fix=f"export {' '.join(missing)}")


def tools() -> Iterator[Check]:
    """Say whether the programs are there that some tests want."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, Path("/").glob(PLACES.lstrip("/")))])
    for name, (program, why) in TOOLS.items():
        where = shutil.which(program, path=path)
        yield Check(name=name, state="ok" if where else "skipped", found=where or "not found", fix="" if where else why)
