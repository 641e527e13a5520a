"""ragas' own `evaluate` over recorded answers: `python -m benchmarks.ragas_alone URL PROJECT IN_FLIGHT`.

Its faithfulness, by its own OpenAI client, with as many workers as requests may be under way.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

from benchmarks.stand_in import MODEL


def main(base_url: str, project: Path, in_flight: int) -> None:
    """Score every sample; fail unless each has a score."""
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"
    warnings.simplefilter("ignore", DeprecationWarning)  # `evaluate` is on its way out
    from openai import AsyncOpenAI
    from ragas import EvaluationDataset, evaluate
    from ragas.llms import llm_factory
    from ragas.metrics import Faithfulness
    from ragas.run_config import RunConfig

    llm = llm_factory(MODEL, client=AsyncOpenAI(base_url=base_url, api_key="none"))
    rows = EvaluationDataset.from_list(_rows(project))
    config = RunConfig(max_workers=in_flight)
    found = evaluate(rows, metrics=[Faithfulness()], llm=llm, run_config=config, show_progress=False)
    scores = found["faithfulness"]
    if len(scores) != len(rows) or any(score != 1.0 for score in scores):
        raise RuntimeError(f"{sum(score == 1.0 for score in scores)} of {len(rows)} samples have their score")


def _rows(project: Path) -> list[dict[str, object]]:
    samples = map(json.loads, (project / "evalsets" / "pumps" / "samples.jsonl").open(encoding="utf-8"))
    answers = map(json.loads, (project / "answers.jsonl").open(encoding="utf-8"))
    return [
        {
            "user_input": sample["messages"][-1]["content"],
            "response": answer["output"],
            "retrieved_contexts": [passage["text"] for passage in sample["contexts"]],
        }
        for sample, answer in zip(samples, answers, strict=True)
    ]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
