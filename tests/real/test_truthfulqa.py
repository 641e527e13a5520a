"""TruthfulQA: overlap with true references minus overlap with false ones, the benchmark's own convention."""

from __future__ import annotations

from statistics import fmean

import pytest

from tests.real.conversions import Recorded, truthfulqa

pytestmark = pytest.mark.real


def one_by_one(recorded: Recorded) -> tuple[Recorded, list[int]]:
    """Give each reference a sample of its own, and return which sample it came from."""
    parts, owners = Recorded([], [], []), []
    for i, (sample, text, label) in enumerate(zip(*recorded, strict=True)):
        for reference in sample.references:
            parts.samples.append(sample.model_copy(update={"references": (reference,)}))
            parts.outputs.append(text)
            parts.labels.append(label)
            owners.append(i)
    return parts, owners


def best_of(values: list[float], owners: list[int]) -> list[float]:
    best = [0.0] * (max(owners) + 1)
    for value, owner in zip(values, owners, strict=True):
        best[owner] = max(best[owner], value)
    return best


def rouge_l(recorded: Recorded, score_all) -> list[float]:
    """ROUGE-L takes the best reference by itself."""
    return [s.value for s in score_all({"kind": "rouge", "type": "rougeL"}, recorded)]


def bleu(recorded: Recorded, score_all) -> list[float]:
    """BLEU pools references, so the best of them is found one by one."""
    parts, owners = one_by_one(recorded)
    return best_of([s.value for s in score_all({"kind": "bleu"}, parts)], owners)


@pytest.mark.parametrize(("name", "measure"), [("ROUGE-L", rouge_l), ("BLEU", bleu)])
def test_true_answers_lie_nearer_to_true_references_and_false_ones_to_false(
    rows, score_all, figure, name, measure
) -> None:
    table = rows("truthfulqa")
    for answer in ("best", "false"):
        true, false = (measure(truthfulqa(table, answer, side), score_all) for side in ("true", "false"))
        difference = [t - f for t, f in zip(true, false, strict=True)]
        share = sum(d > 0 for d in difference) / len(difference)
        figure(
            f"TruthfulQA: {name} of the {answer} answer, true minus false references: "
            f"mean {fmean(difference):+.3f}, above 0 in {share:.3f} of {len(difference)}"
        )
        assert (fmean(difference) > 0) == (answer == "best")
        assert (share > 0.5) == (answer == "best")


def test_rouge_and_bleu_are_what_the_packages_say(rows, score_all) -> None:
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    recorded = truthfulqa(rows("truthfulqa"), "best", "true")
    few = Recorded(*(part[:100] for part in recorded))
    direct = RougeScorer(["rougeL"])
    expected = [direct.score_multi(s.references, text)["rougeL"].fmeasure for s, text, _ in zip(*few, strict=True)]
    assert rouge_l(few, score_all) == pytest.approx(expected, abs=1e-12)
    expected = [
        max(min(100, sacrebleu.sentence_bleu(text, [r], use_effective_order=True).score) for r in s.references)
        for s, text, _ in zip(*few, strict=True)
    ]
    assert bleu(few, score_all) == pytest.approx(expected, abs=1e-9)
    pooled = [min(100, sacrebleu.sentence_bleu(t, list(s.references)).score) for s, t, _ in zip(*few, strict=True)]
    assert [s.value for s in score_all({"kind": "bleu"}, few)] == pytest.approx(pooled, abs=1e-9)
