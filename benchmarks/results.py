"""Results: a table for people, a JSON file for machines, and the section of docs/benchmarks.md that is made from it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, from_plain
from benchmarks.process import ROOT

FOLDER = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results: written by python -m benchmarks --write-docs -->", "<!-- end of results -->"
HEADER = ("figure", "median", "lowest to highest", "goal", "")
PACKAGES = ("aiohttp", "openai", "pydantic", "duckdb", "pyarrow")


def told(figures: Sequence[Figure], rounds: int, quick: bool) -> dict[str, Any]:
    """Return a result as JSON data: what was measured, when and on what."""
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": rounds,
        "quick": quick,
        "machine": machine(),
        "figures": [figure.plain() for figure in figures],
    }


def machine() -> dict[str, str]:
    """Return what absolute figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = {name: metadata.version(name) for name in PACKAGES}
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "load when it ended": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **packages,
    }


def default_file() -> Path:
    """Return the file of a result that ends now."""
    return FOLDER / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}.json"


def newest() -> Path:
    """Return the newest result. Raises `FileNotFoundError`."""
    found = sorted(FOLDER.glob("*.json"))
    if not found:
        raise FileNotFoundError(f"no result in {FOLDER}; make one with: python -m benchmarks")
    return found[-1]


def write(result: dict[str, Any], file: Path) -> None:
    """Write a result as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result, indent=2) + "\n")


def columns(figures: Iterable[Figure]) -> str:
    """Return a table for a terminal."""
    lines = [HEADER, *(_cells(figure) for figure in figures)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def write_page(file: Path, page: Path = PAGE) -> None:
    """Put a result into the page, in place of what stood between its marks. Refuses a quick run: it says nothing."""
    result = json.loads(file.read_text())
    if result["quick"]:
        raise ValueError(f"{file} is of a quick run, whose figures say nothing")
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{_section(result)}\n{END}{after}")


def _section(result: dict[str, Any]) -> str:
    figures = [from_plain(plain) for plain in result["figures"]]
    on = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    lines = ["", f"Measured {result['measured'][:10]}, medians of {result['rounds']}: {on}.", ""]
    lines += [f"| {' | '.join(HEADER)} |", "|" + "---|" * len(HEADER)]
    lines += [f"| {' | '.join(_cells(figure))} |" for figure in figures]
    return "\n".join([*lines, ""])


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = {None: "", True: "met", False: "missed"}[figure.met]
    low, high = min(figure.values), max(figure.values)
    unit = f" {figure.unit}" if figure.unit else ""
    return (
        f"{figure.benchmark}: {figure.name}",
        f"{_number(figure.value)}{unit}",
        f"{_number(low)} to {_number(high)}",
        str(figure.goal or ""),
        verdict,
    )


def _number(value: float) -> str:
    """Return three significant digits, and never an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"
