"""Rows of a source, a batch at a time. Lines of JSONL are read block by block.

Blocks are independent of each other, so those of a large file are read in processes beside this one, which hashes the
file and writes. They come back in order: what is stored does not depend on who read it.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

from workbench.curation.formats.reading import Recipe
from workbench.curation.formats.stencils import Stencils
from workbench.curation.formats.table import BY_NAME
from workbench.curation.row_batches import Batch, read_block, read_rows
from workbench.reading.folders import Given
from workbench.reading.json_rows import lines_in
from workbench.reading.source import Source

AT_ONCE = 512
"""Rows of a batch of a table."""
LARGE = 16 * 2**20
"""Bytes of a JSONL file from which on other processes read it; starting them takes half a second."""
MOST = 4
"""Processes that this one can keep busy."""
AHEAD = 3
"""Blocks a process, read and on their way or being read by it."""


def batches(given: Given, recipe: Recipe, keep: bool = True) -> Iterator[Batch]:
    """Yield a source's rows in order; `keep` off: without their ids, families and JSON, of which hashes are left.

    Raises `DataError` for what makes the source unusable as a whole.
    """
    source = given.source
    if source is None or source.kind != "jsonl":
        rows, stencils = given.rows(), Stencils(recipe)
        while some := list(itertools.islice(rows, AT_ONCE)):
            yield read_rows(some, recipe, stencils, str(given.path))
    elif recipe.corpus is None and (n := _helpers(source.size)):
        yield from _in_processes(source, recipe, n, keep)
    else:
        number, stencils = 0, Stencils(recipe)
        for block in source.blocks():
            yield read_block(block, str(source), number, recipe, stencils)
            number += lines_in(block)


def _helpers(size: int) -> int:
    """Return how many processes are to read a file of this many bytes; 0: this one alone."""
    return min(MOST, _processors()) if size >= LARGE and _processors() > 1 else 0


def _in_processes(source: Source, recipe: Recipe, n: int, keep: bool) -> Iterator[Batch]:
    """Yield the batches of a JSONL file's blocks in order. `recipe` has no corpus. Raises `DataError`."""
    plain = (recipe.format.name, recipe.new_ids, recipe.synthetic)
    file, number = str(source), 0
    with ProcessPoolExecutor(n, get_context("spawn"), _quiet) as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for block in source.blocks():
                if number == 0:  # here, because its first row may show that the file is no JSONL
                    yield _read(block, file, 0, plain, keep)
                else:
                    waiting.append(pool.submit(_read, block, file, number, plain, keep))
                number += lines_in(block)
                if len(waiting) >= AHEAD * n:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _quiet() -> None:
    """Leave Ctrl-C to the process that asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _read(block: bytes, file: str, before: int, plain: tuple[str, bool, bool], keep: bool) -> Batch:
    batch = read_block(block, file, before, *_recipe(*plain))
    if not keep:
        batch.groups, batch.contents = [], []
    return batch


@cache
def _recipe(name: str, new_ids: bool, synthetic: bool) -> tuple[Recipe, Stencils]:
    """Return a recipe with the stencils that were made so far in this process."""
    recipe = Recipe(BY_NAME[name], new_ids, synthetic)
    return recipe, Stencils(recipe)
