from __future__ import annotations

import pytest
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("assertion", "good", "bad"),
    [
        ({"kind": "contains", "text": "Pro Plan"}, "the pro\nplan", "the plan"),
        ({"kind": "contains", "text": "Pro", "ignore_case": False}, "Pro", "pro"),
        ({"kind": "not_contains", "text": "sorry"}, "gladly", "SORRY"),
        ({"kind": "starts_with", "text": "Yes"}, " yes, it does", "oh yes"),
        ({"kind": "ends_with", "text": "."}, "Done. ", "Done"),
        ({"kind": "ends_with", "text": "OK", "ignore_case": False}, "is OK", "is ok"),
        ({"kind": "regex", "pattern": r"\[\d+\]"}, "see [1]", "see 1"),
        ({"kind": "not_regex", "pattern": r"(?i)as an ai"}, "hello", "As an AI"),
        ({"kind": "max_words", "n": 2}, "two words", "it is three"),
        ({"kind": "min_words", "n": 2}, "two words", "one"),
        ({"kind": "max_characters", "n": 2}, "ab", "abc"),
        ({"kind": "min_characters", "n": 2}, "ab", "a"),
        ({"kind": "max_lines", "n": 1}, "one line\n", "two\nlines"),
        ({"kind": "is_json"}, '{"a": 1}', '{"a": NaN}'),
        ({"kind": "is_json"}, "[]", '{"a": 1, "a": 2}'),
    ],
)
def test_each_assertion_holds_and_fails(spec, score, assertion, good, bad) -> None:
    scorer = spec("assertions", assertions=[{"name": "it", **assertion}])
    assert (score(scorer, good).value, score(scorer, good).label) == (1, "all pass")
    assert (score(scorer, bad).value, score(scorer, bad).label) == (0, "failed: it")


def test_the_value_is_the_share_that_holds_and_the_label_names_the_rest(spec, score) -> None:
    scorer = spec(
        "assertions",
        assertions=[
            {"name": "names the plan", "kind": "contains", "text": "Pro"},
            {"name": "short", "kind": "max_words", "n": 3},
            {"name": "polite", "kind": "starts_with", "text": "Thank"},
            {"name": "not json", "kind": "not_regex", "pattern": "^{"},
        ],
    )
    got = score(scorer, "The Pro plan is the one")
    assert (got.value, got.label) == (0.5, "failed: short, polite")
    assert not scorer.info().binary


@pytest.mark.parametrize(
    "assertions",
    [
        [],
        [{"name": "a", "kind": "contains"}],
        [{"name": "a", "kind": "regex", "pattern": "("}],
        [{"name": "a", "kind": "is_json"}, {"name": "a", "kind": "is_json"}],
        [{"name": "", "kind": "is_json"}],
        [{"name": "a", "kind": "sounds_nice"}],
        [{"name": "a", "kind": "max_words", "n": "3"}],
    ],
)
def test_a_faulty_list_is_refused_when_it_is_loaded(spec, assertions) -> None:
    with pytest.raises(ValidationError):
        spec("assertions", assertions=assertions)
