"""Make `evalsets/general`: what the base model can do before it learns about Fernhall, in two small tasks of lm-eval.

`python -m demo.build_general` writes the same bytes on every machine. It can read: three statements about things that
there are not, one asked for. Tuning a model must not cost it that.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.language import INSTRUCTIONS, asked, joined, prompted, stated
from demo.lessons import all_words
from demo.practice import Words, practice_facts

TARGET = Path("evalsets/general/data")
EACH = 150
"""Documents of a task."""
PASSAGES = 3


def documents(chance: random.Random, words: Words) -> Iterator[dict[str, Any]]:
    """Yield passages with a question, the values that they state, and which of them is asked for."""
    for _ in range(EACH):
        facts = practice_facts(chance, words, PASSAGES)
        right = chance.randrange(PASSAGES)
        texts = [stated(fact, chance.randrange(2)) for fact in facts]
        values = [joined(fact.value) if fact.kind == "list" else fact.value for fact in facts]
        question = prompted(texts, asked(facts[right], chance.randrange(4)), INSTRUCTIONS["short"])
        yield {"question": question, "values": values, "right": right, "answer": values[right]}


def main() -> None:
    """Write the data of both tasks: other statements for each."""
    TARGET.mkdir(parents=True, exist_ok=True)
    words = all_words()
    for name in ("choosing", "answering"):
        lines = [json.dumps(doc, ensure_ascii=False) for doc in documents(random.Random(f"general {name}"), words)]
        (TARGET / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
