"""Turn rows of real, human-labelled extracts into samples and recorded outputs.

The extracts are not part of the project. They are looked for in the folder that WORKBENCH_REAL_DATA names, else in
`../shared/data` beside the repository.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from workbench.datasets import Sample
from workbench.records import Message, Passage

ABSENT = "no real data: put the extracts into ../shared/data or name their folder in WORKBENCH_REAL_DATA"
GSM8K_MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


class Recorded(NamedTuple):
    """An evalset with the answers that were given to it, in the same order."""

    samples: list[Sample]
    """What was asked."""
    outputs: list[str]
    """What was answered."""
    labels: list[Any]
    """What people, or the publishers, said of each answer."""


def data_folder() -> Path | None:
    """Return the folder of the extracts, or `None` where there is none."""
    named = os.environ.get("WORKBENCH_REAL_DATA")
    folder = Path(named) if named else Path(__file__).parents[3] / "shared" / "data"
    return folder if folder.is_dir() else None


def read_rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of one extract, such as `squad_v2_qa`."""
    return [orjson.loads(line) for line in (folder / f"{name}.jsonl").read_bytes().split(b"\n") if line]


def squad(rows: list[dict[str, Any]]) -> Recorded:
    """The second annotator's answer against the other annotators'; unanswerable questions get the article's name.

    The label says whether the question is answerable. A question with one annotator only is left out.
    """
    taken = Recorded([], [], [])
    for row in rows:
        answers = [a["text"] for a in row["answers"]]
        if row["answerable"] and len(answers) < 2:
            continue
        references = [a for i, a in enumerate(answers) if i != 1] if row["answerable"] else [""]
        tags = {"answerable": str(row["answerable"]).lower()}
        taken.samples.append(_sample(row["id"], row["question"], references, group=row["article"], tags=tags))
        taken.outputs.append(answers[1] if row["answerable"] else row["article"])
        taken.labels.append(row["answerable"])
    return taken


def gsm8k(rows: list[dict[str, Any]], model: str) -> Recorded:
    """One model's solutions against the number after `A:` in the ground truth; the label is the published verdict."""
    solutions = [row["solutions"][model] for row in rows]
    samples = [
        _sample(row["id"], row["question"], [row["ground_truth"].rpartition("A:")[2].strip()], group=row["id"])
        for row in rows
    ]
    return Recorded(samples, [s["solution"] for s in solutions], [s["is_correct"] for s in solutions])


def faithbench(rows: list[dict[str, Any]]) -> Recorded:
    """Summaries with their source as the gold passage; the label is the annotators' worst verdict being `Unwanted`."""
    samples = [
        _sample(
            row["id"],
            "Summarise the passage.",
            [],
            group=row["group_id"],
            contexts=(Passage(id=row["group_id"], text=row["source"]),),
            gold_contexts=(row["group_id"],),
            tags={"generator": row["generator"]},
        )
        for row in rows
    ]
    return Recorded(samples, [row["response"] for row in rows], [row["hallucinated"] for row in rows])


def truthfulqa(
    rows: list[dict[str, Any]], answer: Literal["best", "false"], against: Literal["true", "false"]
) -> Recorded:
    """The best answer, or the first false one, against the true or the false references, itself left out.

    The label says whether the answer is true. Rows in which no reference is left are left out of all four variants.
    """
    taken = Recorded([], [], [])
    for row in rows:
        best, false = row["best_answer"], row["incorrect_answers"][0]
        sides = {
            "true": [a for a in row["correct_answers"] if a != best],
            "false": [a for a in row["incorrect_answers"] if a != false],
        }
        if not sides["true"] or not sides["false"]:
            continue
        tags = {"category": row["category"]}
        taken.samples.append(_sample(row["id"], row["question"], sides[against], group=row["id"], tags=tags))
        taken.outputs.append(best if answer == "best" else false)
        taken.labels.append(answer == "best")
    return taken


def write_samples(recorded: Recorded, path: Path) -> None:
    """Write `samples.jsonl` for an evalset."""
    path.write_bytes(b"".join(sample.json_bytes() + b"\n" for sample in recorded.samples))


def write_outputs(recorded: Recorded, path: Path) -> None:
    """Write the recorded outputs as JSONL rows of `id` and `output`, as a model of kind `recorded` reads them."""
    pairs = zip(recorded.samples, recorded.outputs, strict=True)
    path.write_bytes(b"".join(orjson.dumps({"id": s.id, "output": text}) + b"\n" for s, text in pairs))


def _sample(
    id: str,
    question: str,
    references: list[str],
    group: str,
    contexts: tuple[Passage, ...] = (),
    gold_contexts: tuple[str, ...] = (),
    tags: dict[str, str] | None = None,
) -> Sample:
    """Return a sample of one user turn."""
    return Sample(
        id=id,
        group=group,
        messages=(Message(role="user", content=question),),
        references=tuple(references),
        contexts=contexts,
        gold_contexts=gold_contexts,
        tags=tags or {},
    )
