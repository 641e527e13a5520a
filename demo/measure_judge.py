"""Measure the demo judge against gold labels on the dev families.

    python -m demo.measure_judge [--judge demo/models/judge] [--candidate demo/models/base]

Two kinds of answers are judged: what the base model really said (labelled right when it says the gold words, in any
format), and answers written for the purpose, half of them wrong, some by one word only.
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
    right = _words(text) == _words(sample.references[0])
    return Judged(right, None if isinstance(verdict, ScoreFailure) else verdict.value == 1.0)


def _words(text: str) -> list[str]:
    """Return the words that decide: without format, case, commas and the "and" of a list."""
    return [word for word in core(text).casefold().replace(",", " ").split() if word != "and"]


def written(samples: list[Sample], seed: int) -> list[tuple[Sample, str]]:
    """Write an answer for each sample: the gold one half of the time, else one that is wrong."""
    rng = random.Random(seed)
    return [(each, each.references[0] if rng.random() < 0.5 else _wrong(rng, each, samples)) for each in samples]


def _wrong(rng: random.Random, sample: Sample, samples: list[Sample]) -> str:
    """Return another question's answer, one with a single word of it put into the gold answer, or an abstention."""
    gold = sample.references[0]
    wrong = [each for each in samples if _words(each.references[0]) != _words(gold)]
    alike = [each for each in wrong if each.tags["kind"] == sample.tags["kind"]] or wrong
    other = rng.choice(alike).references[0]
    draw = rng.random()
    if draw < 0.1 and gold != ABSTENTION:
        return ABSTENTION
    ours, theirs = core(gold).split(), core(other).split()
    if draw < 0.5 and len(ours) == len(theirs) and gold != ABSTENTION:
        spot = rng.choice([place for place, word in enumerate(ours) if word != theirs[place]])
        return gold.replace(ours[spot], theirs[spot], 1)
    return other


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
