from __future__ import annotations

import pytest

from workbench.runs import ScoreFailure

ANSWER = "The cat sat on the mat."
REFERENCES = ("A dog stood outside.", "The cats sat on a mat.")


@pytest.mark.parametrize("type", ["rouge1", "rouge2", "rougeL"])
@pytest.mark.parametrize("stemmer", [False, True])
def test_rouge_is_the_packages_own_f_measure_against_the_best_reference(spec, score, type, stemmer) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    direct = RougeScorer([type], use_stemmer=stemmer)
    expected = max(direct.score(r, ANSWER)[type].fmeasure for r in REFERENCES)
    assert 0 < expected < 1
    assert score(spec("rouge", type=type, stemmer=stemmer), ANSWER, *REFERENCES).value == expected


def test_rouge_does_not_apply_where_it_cannot_read_the_reference(spec, score) -> None:
    got = score(spec("rouge"), "Страна", "Страна")
    assert isinstance(got, ScoreFailure)
    assert got.kind == "not_applicable"
    assert score(spec("rouge"), "Страна", "Straße").value == 0


@pytest.mark.parametrize("lowercase", [False, True])
def test_bleu_is_sacrebleus_own_over_all_references_with_its_signature(spec, score, lowercase) -> None:
    import sacrebleu

    expected = sacrebleu.sentence_bleu(ANSWER.upper(), list(REFERENCES), lowercase=lowercase, use_effective_order=True)
    got = score(spec("bleu", lowercase=lowercase), ANSWER.upper(), *REFERENCES)
    assert got.value == pytest.approx(expected.score, abs=1e-12)
    case = "lc" if lowercase else "mixed"
    assert got.reason.startswith(f"nrefs:2|case:{case}|eff:yes|tok:13a|smooth:exp|version:")


@pytest.mark.parametrize("word_order", [0, 2])
def test_chrf_is_sacrebleus_own_with_its_signature(spec, score, word_order) -> None:
    import sacrebleu

    expected = sacrebleu.sentence_chrf(ANSWER, list(REFERENCES), word_order=word_order).score
    got = score(spec("chrf", word_order=word_order), ANSWER, *REFERENCES)
    assert got.value == pytest.approx(expected, abs=1e-12)
    assert f"nw:{word_order}" in got.reason


@pytest.mark.parametrize("kind", ["bleu", "chrf"])
def test_scores_lie_within_the_declared_range_at_both_ends(spec, score, kind) -> None:
    info = spec(kind).info()
    assert (info.low, info.high) == (0, 100)
    assert "+sacrebleu 2" in info.version
    assert score(spec(kind), "the cat sat", "the cat sat").value == 100
    assert score(spec(kind), "", "the cat sat").value == 0
    assert 0 <= score(spec(kind), "a\ud800b", "a\ud800b").value <= 100


@pytest.mark.parametrize("kind", ["rouge", "bleu", "chrf"])
@pytest.mark.parametrize("references", [(), ("", " ")])
def test_without_a_reference_with_text_overlap_does_not_apply(spec, score, kind, references) -> None:
    assert score(spec(kind), "x", *references).kind == "not_applicable"
