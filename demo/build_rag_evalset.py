"""Make `evalsets/helpcentre-rag`: the help centre's questions without passages, for a pipeline that finds them itself.

`python -m demo.build_rag_evalset` writes the same bytes on every machine. One article in eight is left out of the
index, so that the questions about it cannot be answered; a question's family and side of the split stay the same. The
gate's families are left out: what they ask stays unseen until a release.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.datasets import Split, split_of

SPLIT = Split(salt="helpcentre", train=0.5, dev=0.2, gate=0.3)
"""As in `evalsets/helpcentre/evalset.yaml`."""
SOURCE = Path("evalsets/helpcentre")
TARGET = Path("evalsets/helpcentre-rag")
LEFT_OUT = 8
NO_ANSWER = "Not in the documents."
FORMATS = ("short", "json")
"""Cited answers name a passage by its place, which depends on what is found; lists ask so alike that facts of two sides
of the split would be near-duplicates."""


def left_out(document: str) -> bool:
    """Tell whether an article is kept from the index."""
    return hashlib.sha256(document.encode()).digest()[0] % LEFT_OUT == 0


def samples() -> Iterator[dict[str, Any]]:
    """Yield the samples: a question and how to reply, its gold passages, and whether the index can answer it."""
    for line in (SOURCE / "samples.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["tags"]["format"] not in FORMATS or row["tags"]["answerable"] == "no":
            continue
        if split_of(row["group"], SPLIT) == "gate":
            continue
        *_, asked = row["messages"][-1]["content"].partition("\n\n")
        missing = any(left_out(gold.partition("#")[0]) for gold in row["gold_contexts"])
        yield {
            "id": row["id"],
            "group": row["group"],
            "messages": [{"role": "user", "content": asked}],
            "references": [NO_ANSWER] if missing else row["references"],
            "gold_contexts": [] if missing else row["gold_contexts"],
            "tags": {**row["tags"], "answerable": "no" if missing else "yes"},
        }


def skipped() -> list[str]:
    """Return the paths of the articles that are left out."""
    return [path.name for path in sorted((SOURCE / "documents").glob("*.md")) if left_out(path.stem)]


def main() -> None:
    """Write the samples, and say what workbench.yaml must leave out of the index."""
    TARGET.mkdir(parents=True, exist_ok=True)
    rows = list(samples())
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (TARGET / "samples.jsonl").write_text(text, encoding="utf-8")
    n = sum(row["tags"]["answerable"] == "no" for row in rows)
    print(f"{len(rows)} samples, {n} of them unanswerable; skip: {json.dumps(skipped())}")


if __name__ == "__main__":
    main()
