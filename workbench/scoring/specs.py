"""Every kind of scorer that an evalset can name: the union is the registry."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workbench.scoring.abstaining import Abstention
from workbench.scoring.assertions import Assertions
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
