"""A ladder of models: one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from workbench.config.yaml_source import load_yaml
from workbench.datasets import Use
from workbench.nouns import Many, Noun

RUNG = r"^[A-Za-z0-9][A-Za-z0-9 _.,:()+/-]{0,39}$"
RungName = Annotated[str, StringConstraints(pattern=RUNG)]


class LadderSpec(Noun):
    """Models, one above the other, that answer the same samples."""

    evalset: str = Field(min_length=1)
    """Evalset that all rungs are asked."""
    use: Use = "dev"
    """Side of the firewall. `gate` is refused unless --on-gate says so, too."""
    rungs: dict[RungName, str] = Field(min_length=2)
    """From the first upwards, by a name of your choice: a model of workbench.yaml, `train:RUN`, `MODEL+shots:3`,
    `MODEL+rag:PIPELINE`."""
    metric: str = ""
    """The metric that says what is better; left out, the evalset's first scorer."""
    limit: int | None = Field(None, ge=1)
    """Only so many samples, chosen by a stable hash."""
    repeats: int = Field(1, ge=1, le=1000)
    """Answers per sample."""
    keeps: Many[str] = ()
    """Evalsets, by their dev side, that show what is forgotten: every rung's model by itself is asked them, too."""


def load_ladder(path: Path, environment: Mapping[str, str] | None = None) -> LadderSpec:
    """Return a ladder. Raises `ConfigError` with every fault, each with file and line."""
    return load_yaml(path, LadderSpec, environment)
