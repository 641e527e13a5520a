"""Measure the demo judge against gold labels on the dev families.

    python -m demo.measure_judge [--judge demo/models/judge] [--candidate demo/models/base]

Two kinds of answers are judged: what the base model really said (labelled right when it says the gold words, in any
format), and answers written for the purpose, half of them spoilt with the answer to another question.
"""

import argparse
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaForCausalLM

from demo.judging import core, read_rubric
from demo.language import ABSTENTION
from demo.measure import answer, samples_of
from workbench.datasets import Sample
from workbench.runs import ScoreFailure
from workbench.scoring.judge import judge_messages
from workbench.scoring.verdicts import parse_verdict


@dataclass(frozen=True)
class Judged:
    """One answer with its gold label and the judge's: None when the reply could not be used."""

    right: bool
    verdict: bool | None


def judged(judge: Any, tokenizer: Any, sample: Sample, text: str) -> Judged:
    """Put one answer to the judge exactly as the workbench does."""
    rubric = read_rubric()
    messages = judge_messages(rubric.body, rubric.scale, sample, text, ())
    reply = answer(judge, tokenizer, [{"role": turn.role, "content": turn.content} for turn in messages], most=96)
    verdict = parse_verdict(reply, rubric.scale, text)
    right = core(text).casefold() == core(sample.references[0]).casefold()
    return Judged(right, None if isinstance(verdict, ScoreFailure) else verdict.value == 1.0)


def written(samples: list[Sample], seed: int) -> list[tuple[Sample, str]]:
    """Write an answer for each sample: the gold one, or by turns another question's or an abstention."""
    rng = random.Random(seed)
    pairs = []
    for sample in samples:
        others = [each.references[0] for each in samples if each.tags["kind"] == sample.tags["kind"]]
        wrong = rng.choice([text for text in others if core(text) != core(sample.references[0])])
        if rng.random() < 0.1 and sample.references[0] != ABSTENTION:
            wrong = ABSTENTION
        pairs.append((sample, sample.references[0] if rng.random() < 0.5 else wrong))
    return pairs


def line(name: str, rows: list[Judged]) -> str:
    """Return TPR, TNR, accuracy and unusable replies in one line; an unusable reply is neither right nor wrong."""
    usable = [row for row in rows if row.verdict is not None]
    passes, fails = [row for row in usable if row.right], [row for row in usable if not row.right]
    tpr = sum(row.verdict is True for row in passes) / max(1, len(passes))
    tnr = sum(row.verdict is False for row in fails) / max(1, len(fails))
    accuracy = sum(row.verdict == row.right for row in usable) / max(1, len(usable))
    return (
        f"{name}: n {len(rows)}, unusable {len(rows) - len(usable)}, TPR {tpr:.1%} of {len(passes)}, "
        f"TNR {tnr:.1%} of {len(fails)}, accuracy {accuracy:.1%}"
    )


def main() -> int:
    """Judge both kinds of answers and print the agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", type=Path, default=Path("demo/models/judge"), help="folder of the judge")
    parser.add_argument("--candidate", type=Path, default=Path("demo/models/base"), help="folder of the judged model")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(args.judge)
    judge: Any = LlamaForCausalLM.from_pretrained(args.judge)
    candidate: Any = LlamaForCausalLM.from_pretrained(args.candidate)
    judge.eval()
    candidate.eval()
    dev = samples_of("dev")
    said = [
        (s, answer(candidate, tokenizer, [{"role": turn.role, "content": turn.content} for turn in s.messages]))
        for s in dev
    ]
    print(line("answers of the base model", [judged(judge, tokenizer, *pair) for pair in said if pair[1].strip()]))
    print(line("answers written for the purpose", [judged(judge, tokenizer, *pair) for pair in written(dev, 0)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
