"""`workbench init`: a first workbench.yaml and a first evalset that run at once."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

CONFIG = """\
# All settings: docs/configuration.md of the workbench. Put your own model in by changing a few lines:
#
#   models:
#     candidate:
#       kind: endpoint                       # any OpenAI-compatible server: a vendor, vLLM, Ollama, …
#       base_url: https://api.example.com/v1
#       model: name-and-date-of-your-model
#       api_key_env: EXAMPLE_API_KEY         # the name of the variable; never the key itself
models:
  candidate:
    kind: scripted                           # the shipped test double: it repeats the question
    replies:
      capital-1: Paris
candidate: candidate
"""
EVALSET = """\
name: first
version: "1"
description: A first evalset. Replace samples.jsonl with your own questions and accepted answers.
use: dev
scorers:
  - kind: exact_match
  - kind: token_f1
"""
SAMPLES = """\
{"id": "capital-1", "group": "capital-france", \
"messages": [{"role": "user", "content": "What is the capital of France?"}], \
"references": ["Paris"], "tags": {"topic": "capitals"}}
{"id": "capital-2", "group": "capital-peru", \
"messages": [{"role": "user", "content": "What is the capital of Peru?"}], \
"references": ["Lima"], "tags": {"topic": "capitals"}}
{"id": "sum-1", "group": "sum", \
"messages": [{"role": "user", "content": "What is 2 + 2?"}], \
"references": ["4", "four"], "tags": {"topic": "sums"}}
"""


@click.command("init", epilog="Example: workbench init my-project")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
def init(folder: Path) -> None:
    """Write a first workbench.yaml and a first evalset into FOLDER. Existing files are never overwritten."""
    from workbench.errors import ConfigError, Problem
    from workbench.store.files import write_atomic

    files = {
        folder / "workbench.yaml": CONFIG,
        folder / "evalsets" / "first" / "evalset.yaml": EVALSET,
        folder / "evalsets" / "first" / "samples.jsonl": SAMPLES,
        folder / ".gitignore": "# runs, datasets and caches\n.workbench/\n",
    }
    for path in files:
        if path.exists():
            fix = "choose another folder, or remove it"
            raise ConfigError(Problem("FILE_EXISTS", "exists already and is left as it is", file=str(path), fix=fix))
    for path, text in files.items():
        write_atomic(path, text.encode())
        click.echo(f"wrote {path}")
    where = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    click.echo(f"\nNow run: {where}workbench eval run")
