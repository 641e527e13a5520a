"""Every kind of scorer that an evalset can name: the union is the registry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import Field

from workbench.scoring.abstaining import Abstention
from workbench.scoring.assertions import Assertions
from workbench.scoring.base import Scorer
from workbench.scoring.checklist import ChecklistJudge
from workbench.scoring.grounding import Citations, OverlapGroundedness
from workbench.scoring.judge import RubricJudge
from workbench.scoring.limits import CostLimit, LatencyLimit
from workbench.scoring.lm_eval import LmEval
from workbench.scoring.numeric import Numeric
from workbench.scoring.overlap import Bleu, Chrf, Rouge
from workbench.scoring.pairwise import PairwiseJudge
from workbench.scoring.panel import PanelJudge
from workbench.scoring.rag_cause import RagCause
from workbench.scoring.ragas import Ragas
from workbench.scoring.retrieval import ContextRelevance, Redundancy, Retrieval
from workbench.scoring.scorecard import ScorecardJudge
from workbench.scoring.similarity import EmbeddingSimilarity
from workbench.scoring.structure import JsonSchema
from workbench.scoring.text import Contains, ExactMatch, Length, Regex, TokenF1
from workbench.scoring.trulens import TruLens

ScorerSpec = Annotated[
    ExactMatch
    | TokenF1
    | Contains
    | Regex
    | Numeric
    | Length
    | Assertions
    | JsonSchema
    | Rouge
    | Bleu
    | Chrf
    | EmbeddingSimilarity
    | Retrieval
    | Redundancy
    | ContextRelevance
    | OverlapGroundedness
    | Citations
    | Abstention
    | RagCause
    | LatencyLimit
    | CostLimit
    | RubricJudge
    | ChecklistJudge
    | PanelJudge
    | PairwiseJudge
    | ScorecardJudge
    | Ragas
    | TruLens
    | LmEval,
    Field(discriminator="kind"),
]
"""Adding a scorer means adding its class here and its section in docs/scorers.md."""


def saved_scorer(spec: Mapping[str, Any]) -> Scorer:
    """Return the scorer that a run saved. Only its own kind's validator is made, which saves 50 ms at a start."""
    found: Scorer = _kinds()[spec["kind"]].model_validate(spec)
    return found


@cache
def _kinds() -> dict[str, Any]:
    every = get_args(get_args(ScorerSpec)[0])
    return {kind: one for one in every for kind in get_args(one.model_fields["kind"].annotation)}
