"""`python -m benchmarks [NAME ...]`: measure, print a table, write a JSON file."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cached import cached
from benchmarks.dashboards import dashboards
from benchmarks.duplicates import duplicates
from benchmarks.figures import Figure
from benchmarks.importing import importing
from benchmarks.judging import judging
from benchmarks.labelling import labelling
from benchmarks.memory import memory
from benchmarks.rag import rag
from benchmarks.ragas import ragas
from benchmarks.results import columns, default_file, newest, told, write, write_page
from benchmarks.resume import resume
from benchmarks.setting import FULL, QUICK, Setting
from benchmarks.start import start
from benchmarks.tables import tables
from benchmarks.training import training

BENCHMARKS: dict[str, Callable[[Setting], list[Figure]]] = {
    "start": start,
    "judging": judging,
    "cached": cached,
    "resume": resume,
    "tables": tables,
    "memory": memory,
    "labelling": labelling,
    "importing": importing,
    "duplicates": duplicates,
    "training": training,
    "rag": rag,
    "ragas": ragas,
    "dashboards": dashboards,
}


def main(words: Sequence[str] | None = None) -> None:
    """Measure what is asked for, or write the newest result into the page."""
    asked = _parser().parse_args(words)
    if asked.write_docs:
        write_page(asked.json or newest())
        return
    unknown = set(asked.names) - BENCHMARKS.keys()
    if unknown:
        sys.exit(f"no benchmark is called {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}")
    figures = measure(asked.names or list(BENCHMARKS), asked.runs, asked.quick)
    file = asked.json or default_file()
    write(told(figures, asked.runs, asked.quick), file)
    print(columns(figures))
    print(f"Written to {file}")


def measure(names: Sequence[str], rounds: int, quick: bool) -> list[Figure]:
    """Run benchmarks one after the other, each in a folder of its own that is removed afterwards."""
    figures: list[Figure] = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix=f"benchmark-{name}-") as folder:
            setting = Setting(QUICK if quick else FULL, rounds, Path(folder), _saying(name))
            figures += BENCHMARKS[name](setting)
    return figures


def _saying(name: str) -> Callable[[str], None]:
    return lambda what: print(f"{name}: {what}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all when none is named")
    parser.add_argument("--runs", type=int, default=5, help="rounds, whose median counts (default 5)")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that everything runs, says nothing of speed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="result to write, or with --write-docs to read")
    parser.add_argument(
        "--write-docs", action="store_true", help="only fill docs/benchmarks.md from a result, the newest"
    )
    return parser


if __name__ == "__main__":
    main()
