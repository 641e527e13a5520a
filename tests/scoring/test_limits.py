from __future__ import annotations

import pytest
from pydantic import ValidationError

from workbench.models import Output, Usage
from workbench.runs import ScoreFailure


@pytest.mark.parametrize(
    ("kind", "limit", "used"), [("latency", "max_seconds", "latency"), ("cost", "max_cost", "cost")]
)
def test_a_limit_is_included_and_does_not_apply_to_the_unknown_or_cached(spec, score, kind, limit, used) -> None:
    scorer = spec(kind, **{limit: 2.0})
    assert score(scorer, Output(text="x", usage=Usage(**{used: 2.0}))).value == 1
    assert score(scorer, Output(text="x", usage=Usage(**{used: 2.001}))).value == 0
    for usage, word in ((Usage(), "unknown"), (Usage(**{used: 0.0}, cached=True), "cache")):
        got = score(scorer, Output(text="x", usage=usage))
        assert isinstance(got, ScoreFailure)
        assert got.kind == "not_applicable"
        assert word in got.message


@pytest.mark.parametrize("value", [0, -1.0, True, "3", float("inf"), float("nan")])
def test_a_limit_is_a_positive_finite_number(spec, value) -> None:
    with pytest.raises(ValidationError):
        spec("latency", max_seconds=value)
