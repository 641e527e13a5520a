"""A sweep over ranks and learning rates: one YAML file beside the recipe that it varies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from workbench.config.training_yaml import load_recipe
from workbench.config.yaml_source import load_yaml
from workbench.nouns import Many, Noun
from workbench.training.spec import Full, TrainSpec

Rate = Annotated[float, Field(gt=0, le=1)]
Rank = Annotated[int, Field(ge=1, le=1024)]


class SweepSpec(Noun):
    """Trials of one recipe, told apart by an evalset's dev side and confirmed on samples that chose nothing."""

    recipe: str = Field(min_length=1)
    """The recipe that is varied, a file beside this one. It is the first trial itself."""
    ranks: Many[Rank] = ()
    """Ranks to try; left out, the recipe's."""
    learning_rates: Many[Rate] = ()
    """Peak rates to try; left out, the recipe's."""
    evalset: str = Field(min_length=1)
    """Evalset on whose dev side the trials are told apart."""
    metric: str = ""
    """The metric that tells; left out, the evalset's first scorer."""
    confirm: str | None = None
    """Evalset on whose dev side the winner is confirmed; left out, half of the first one's families are kept for it."""

    @model_validator(mode="after")
    def _varies(self) -> SweepSpec:
        if not self.ranks and not self.learning_rates:
            raise ValueError("give `ranks`, `learning_rates`, or both: else there is nothing to choose from")
        if self.confirm == self.evalset:
            raise ValueError("`confirm` names the evalset that chooses; leave it out to keep half of its families back")
        return self


def load_sweep(path: Path, environment: Mapping[str, str] | None = None) -> tuple[SweepSpec, TrainSpec]:
    """Return a sweep and the recipe that it varies. Raises `ConfigError` with every fault."""
    spec = load_yaml(path, SweepSpec, environment)
    return spec, load_recipe(path.parent / spec.recipe, environment)


def trials(spec: SweepSpec, recipe: TrainSpec) -> dict[str, TrainSpec]:
    """Return every trial by name: the recipe as it is, then each other pair of rank and rate."""
    own = None if isinstance(recipe.adapter, Full) else recipe.adapter.rank
    found = {recipe.name: recipe}
    for rank in spec.ranks or (own,):
        for rate in spec.learning_rates or (recipe.rate(),):
            if (rank, rate) != (own, recipe.rate()):
                varied = _varied(recipe, rank, rate)
                found[varied.name] = varied
    return found


def _varied(recipe: TrainSpec, rank: int | None, rate: float) -> TrainSpec:
    plain = recipe.model_dump(mode="json")
    words = f"r{rank}-lr{rate:g}" if rank is not None else f"lr{rate:g}"
    plain |= {"name": f"{recipe.name[:40]}-{words}", "learning_rate": rate}
    if rank is not None:
        plain["adapter"]["rank"] = rank
    return TrainSpec.model_validate(plain)
