"""What becomes of ties, conflicts and doubt when judgements are made into rows that are learnt from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.nouns import Noun


class PairPolicy(Noun):
    """The rules of `pairs build`; the manifest keeps them. The defaults drop whatever is in doubt."""

    conflicts: Literal["adjudicated", "majority", "unanimous"] = "adjudicated"
    """How several people's votes become one: what an adjudicator decided (`label pull --resolve adjudicated`), else
    more than half of the votes · more than half · all."""
    ties: Literal["against", "ignored"] = "against"
    """Whether a vote for neither counts against both answers, or not at all."""
    min_votes: int = Field(1, ge=1)
    """Votes that a comparison needs."""
    min_margin: float = Field(0.0, ge=0)
    """Least difference of ratings or scores, in their unit; smaller ones are ties."""
    both_bad: Literal["drop", "keep"] = "drop"
    """Whether the better of two bad answers may be chosen; known where answers are rated or scored."""
    bad_rating: float | None = None
    """Ratings up to this are bad; `null`: below the middle of the scale."""
    good_rating: float | None = None
    """Ratings from this on are good enough to be learnt from as conversations; `null`: three quarters up the scale."""
    certainty: float = Field(0.75, ge=0.5, le=1)
    """Least certainty of a model's verdict: its own, or the share of a judge's votes for pass or for fail."""
    rankings: Literal["all", "neighbours", "ends"] = "all"
    """Pairs of a ranking: every two answers of different rank · of neighbouring ranks · first over last."""
    per_prompt: int | None = Field(6, ge=1)
    """Most pairs of one prompt, so that none outweighs the rest: 6 are all pairs of four answers; `null`: no limit."""
    guideline: str = ""
    """The guideline version whose labels count, such as `preference/2`; needed where there are several."""
    tuned: str = ""
    """The model that is to be tuned: pairs whose both sides it wrote are on-policy."""
    on_policy_only: bool = False
    """Whether all other pairs are dropped."""
    leaks: Literal["refuse", "drop"] = "refuse"
    """Whether rows that a gate set knows stop the build, or are set aside."""
    bad_conversations: bool = False
    """Whether bad answers become conversations too, marked `good: false`, as KTO learns from them."""

    def told(self) -> dict[str, str]:
        """Return what differs from the defaults, and the rule for conflicts, for a manifest."""
        own = {"conflicts": self.conflicts, **self.model_dump(mode="json", exclude_defaults=True)}
        return {f"policy.{name}": str(value) for name, value in own.items()}
