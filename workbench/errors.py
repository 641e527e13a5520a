"""The errors of the workbench.

```
WorkbenchError            exit code
├── ConfigError           2    workbench.yaml, evalset.yaml, a rubric, a command-line value
├── DataError             3    a file, a row, a label
│   └── LeakageError      3    training data and a gate set overlap
├── AdapterError          2    something outside: a package, a server
│   ├── ModelError        2    a model endpoint refused the whole run (401, unknown model, not an API)
│   ├── LabellingError    2    Argilla
│   └── MissingExtra      2    an optional package is not installed
├── TrainError            1
├── LockedError           5    another process owns the run
├── AccessRefused         2    somebody whose role does not reach, or nobody known
└── IncompleteRun         4    budget spent, disk full, or stopped half-way: resume it
```

Trouble with the whole run raises. Trouble with one sample is stored as an `OutputFailure` or a `ScoreFailure`.
Only the command line catches `WorkbenchError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

MAX_SHOWN = 20
FOLDED = 3
"""Rows that share a fault from which on it is told once."""
LINES_NAMED = 5
"""Further rows of a shared fault that are named."""


@dataclass(frozen=True)
class Problem:
    """One fault of an input, told so that it can be mended: `where: problem (got …); fix [CODE]`."""

    code: str
    """Stable upper-case name of the fault, such as `JSON_SYNTAX`; documented in docs/errors.md."""
    message: str
    """What is wrong."""
    file: str = ""
    line: int | None = None
    """1-based line; for Parquet the 1-based row."""
    field: str = ""
    got: str | None = None
    """The offending value, shortened; never a secret."""
    fix: str = ""
    """What to do."""

    def __str__(self) -> str:
        where = ":".join(part for part in (self.file, str(self.line or ""), self.field) if part)
        got = "" if self.got is None else f" (got {_shorten(self.got)})"
        fix = f"; {self.fix}" if self.fix else ""
        return f"{where + ': ' if where else ''}{self.message}{got}{fix} [{self.code}]"


def _shorten(text: str, limit: int = 120) -> str:
    """Cut a value for a message and escape what a terminal would obey."""
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class WorkbenchError(Exception):
    """Base of every error that a user can act on."""

    exit_code: ClassVar[int] = 1


class ProblemsError(WorkbenchError):
    """An error made of one or more `Problem`s: all are reported at once, at most 20 lines shown and all counted.

    A fault that many rows share is one line: the first row in full, and the numbers of the next, or what they hold.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        folded = _folded(self.problems)
        lines = [_together(same) for same in folded[:MAX_SHOWN]]
        if len(folded) > MAX_SHOWN:
            hidden = sum(len(same) for same in folded[MAX_SHOWN:])
            lines.append(f"… and {hidden:,} more ({len(self.problems):,} problems in all)")
        elif len(self.problems) > len(folded):
            lines.append(f"({len(self.problems):,} problems in all)")
        super().__init__("\n".join(lines))


def _folded(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Return the problems in order, those together that `FOLDED` rows or more share."""
    alike: dict[tuple[str, ...], list[Problem]] = {}
    for p in problems:
        alike.setdefault((p.code, p.file, p.field, p.message), []).append(p)
    folded: list[list[Problem]] = []
    for p in problems:
        same = alike[p.code, p.file, p.field, p.message]
        if (p.line is None and p.got is None) or len(same) < FOLDED:
            folded.append([p])
        elif p is same[0]:
            folded.append(same)
    return folded


def _together(same: Sequence[Problem]) -> str:
    if len(same) == 1:
        return str(same[0])
    lines = [_shorten(p.got or "") if p.line is None else f"{p.line}" for p in same[1 : LINES_NAMED + 1]]
    more = "" if len(same) <= LINES_NAMED + 1 else ", …"
    return f"{same[0]}, and {len(same) - 1:,} more like it: {', '.join(lines)}{more}"


class ConfigError(ProblemsError):
    """A configuration that cannot be used."""

    exit_code = 2


class DataError(ProblemsError):
    """A file or row that cannot be used."""

    exit_code = 3


class LeakageError(DataError):
    """Training data overlaps a gate set."""


class AdapterError(WorkbenchError):
    """Something outside the project failed for the whole run."""

    exit_code = 2


class ModelError(AdapterError):
    """A model refused every request: wrong key, wrong address, unknown model, not an API."""


class LabellingError(AdapterError):
    """Argilla refused or is not there."""


class MissingExtra(AdapterError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'workbench[{extra}]'")


class TrainError(WorkbenchError):
    """Training stopped because its numbers or its inputs are unusable."""


class LockedError(WorkbenchError):
    """Another living process owns the run."""

    exit_code = 5


class AccessRefused(ProblemsError):
    """Somebody on the pages asked for what their role does not allow, or has none."""

    exit_code = 2


class IncompleteRun(WorkbenchError):
    """The run stopped early but safely; what was acknowledged is on disk and it can be resumed."""

    exit_code = 4
