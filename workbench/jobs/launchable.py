"""Which commands may be started from a page, and with which options: none that names a file to write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from workbench.errors import ConfigError, Problem

MAX_WORDS, MAX_WORD = 200, 500
QUALITY = ("--keep", "--by", "--threshold", "--cosine", "--ignore-numbers", "--embedding")
"""Options by which duplicates are found."""

LAUNCHABLE: dict[tuple[str, ...], tuple[str, ...]] = {
    ("eval", "run"): ("--use", "--model", "--limit", "--repeats", "--budget", "--new", "--resume", "--retry-failed"),
    ("eval", "rescore"): ("--retry-failed",),
    ("eval", "ladder"): ("--evalset", "--rung", "--use", "--metric", "--keeps", "--limit", "--repeats"),
    ("gate", "decide"): ("--run", "--baseline", "--run-missing", "--repeats"),
    ("judge", "calibrate"): ("--judge", "--test", "--every", "--seed"),
    ("train", "sft"): (),
    ("train", "dpo"): (),
    ("train", "resume"): (),
    ("rag", "index"): (),
    ("rag", "sweep"): ("--model", "--vary", "--use", "--limit"),
    ("synth", "run"): ("--retry-failed", "--budget"),
    ("label", "push"): (
        "--template", "--from", "--run", "--failed", "--judge", "--evalset", "--use",
        "--overlap", "--suggestions", "--seed",
    ),
    ("label", "pull"): ("--resolve", "--weight"),
    ("label", "adjudicate"): (),
    ("failures", "cluster"): (
        "--metric", "--below", "--slice", "--cause", "--error", "--human", "--text", "--coded", "--not-coded", "--by",
        "-k", "--name-with", "--budget",
    ),
    ("pairs", "build"): (
        "--labels", "--feedback", "--from", "--run", "--scorer", "--use", "--kind", "--policy", "--conflicts",
        "--rankings", "--min-votes", "--min-margin", "--per-prompt", "--guideline", "--tuned", "--drop-leaks",
    ),
    ("pairs", "lint"): ("--max-tokens", "--tokenizer", "--accept", "--strict"),
    ("evalset", "build"): (
        "--labels", "--failures", "--dataset", "--documents", "-n", "--strata", "--allocation", "--seed", "--by",
        "--why", "--reviewed-by", "--replace", "--dry-run",
    ),
    ("evalset", "audit"): ("--use", "--documents"),
    ("data", "stats"): ("--semantic", "--label", "--tokenizer", "--seed", "--records", *QUALITY),
    ("data", "dedupe"): ("--exact-only", "--semantic", "--as", "--dry-run", *QUALITY),
    ("data", "scan"): ("--against", "--field", "--limit"),
}  # fmt: skip
"""The commands, each with the options that it may be given besides `--json` and `--quiet`."""


def refuse_unknown(argv: Sequence[str]) -> None:
    """Raise `ConfigError` for a command, or an option of one, that may not be started from a page."""
    command = tuple(argv[:2])
    if command not in LAUNCHABLE:
        fix = "type it in a terminal"
        what = "this command is not started from a page"
        raise ConfigError(Problem("NO_SUCH_JOB", what, got=" ".join(command), fix=fix))
    allowed = {*LAUNCHABLE[command], "--json", "--quiet"}
    if len(argv) > MAX_WORDS:
        raise ConfigError(Problem("NO_SUCH_JOB", f"more than {MAX_WORDS} words", got=str(len(argv)), fix="name fewer"))
    for word in argv[2:]:
        option = word.partition("=")[0]
        if word.startswith("-") and option not in allowed and not _is_number(word):
            fix = "type it in a terminal"
            raise ConfigError(Problem("NO_SUCH_JOB", "this option is not given from a page", got=word, fix=fix))
        if len(word) > MAX_WORD or any(not c.isprintable() for c in word):
            fix = "mend the word"
            raise ConfigError(Problem("NO_SUCH_JOB", "a word that is too long or not printable", got=word, fix=fix))
        if _leaves(word.partition("=")[2] if word.startswith("-") else word):
            fix = "name what lies within the project"
            raise ConfigError(Problem("NO_SUCH_JOB", "a path that leaves the project's folder", got=word, fix=fix))


def _leaves(word: str) -> bool:
    """Return whether a word, taken for a path, leads out of the folder that the command runs in."""
    return PurePosixPath(word).is_absolute() or word.startswith("~") or ".." in PurePosixPath(word).parts


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
