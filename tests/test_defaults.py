"""Fingerprints leave defaults out, so that a field that is added later changes none: then no default may ever change.

python -m tests.test_defaults        # writes down the defaults of new fields
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from workbench.curation.synth.recipes import SynthRecipe
from workbench.failures.taxonomy import Taxonomy
from workbench.gate.policy import Policy
from workbench.labelling.templates import Template
from workbench.models import ModelSpec
from workbench.scoring.specs import ScorerSpec
from workbench.training.spec import TrainSpec

KNOWN = Path(__file__).with_name("defaults.json")
ROOTS = (ModelSpec, ScorerSpec, Policy, TrainSpec, SynthRecipe, Template, Taxonomy)


def nouns_in(kind: Any) -> set[type[BaseModel]]:
    """Return all nouns that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        kind.model_rebuild()
        return {kind}.union(*(nouns_in(field.annotation) for field in kind.model_fields.values()))
    return set().union(*(nouns_in(part) for part in get_args(kind)))


def defaults() -> dict[str, Any]:
    """Return the default of every field that has one, by noun and field."""
    found = {}
    for noun in set().union(*map(nouns_in, ROOTS)):
        for name, field in noun.model_fields.items():
            if not field.is_required():
                told = field.get_default(call_default_factory=True)
                plain = noun.__pydantic_serializer__.to_python(noun.model_construct(**{name: told}), mode="json")[name]
                found[f"{noun.__module__}.{noun.__qualname__}.{name}"] = plain
    return found


def test_no_default_of_a_setting_has_changed() -> None:
    """A new field adds a line here. A default that must change gets a new field or a new version of its scorer."""
    now = defaults()
    then = json.loads(KNOWN.read_text())
    assert {name: now.get(name, "gone") for name in then} == then
    assert now.keys() == then.keys(), "write the new ones down: python -m tests.test_defaults"


if __name__ == "__main__":
    KNOWN.write_text(json.dumps(defaults(), indent=1, sort_keys=True) + "\n")
