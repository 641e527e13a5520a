"""Write the JSON Schemas that editors check YAML files with: `python -m workbench.config.schemas [folder]`."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import orjson

from workbench.config.evalset_yaml import EvalsetSpec
from workbench.config.ladder_yaml import LadderSpec
from workbench.config.sweep_yaml import SweepSpec
from workbench.config.workbench_yaml import WorkbenchConfig
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.synth.recipes import SynthRecipe
from workbench.nouns import Noun
from workbench.training.spec import TrainSpec

NOUNS: dict[str, type[Noun]] = {
    "workbench": WorkbenchConfig,
    "evalset": EvalsetSpec,
    "training": TrainSpec,
    "synth": SynthRecipe,
    "pairs-policy": PairPolicy,
    "ladder": LadderSpec,
    "sweep": SweepSpec,
}


DESCRIBING = """
import sys
from workbench.nouns import Noun
Noun.model_config["use_attribute_docstrings"] = True
from workbench.config.schemas import plain_schemas
import orjson
sys.stdout.buffer.write(orjson.dumps({name: text.decode() for name, text in plain_schemas().items()}))
"""
"""Makes the schemas in a process of its own, where every noun takes the docstrings below its fields as descriptions."""


@cache
def schema_texts() -> dict[str, bytes]:
    """Return the content of each schema file by its name, with a description of every field."""
    done = subprocess.run([sys.executable, "-c", DESCRIBING], check=True, capture_output=True)
    return {name: text.encode() for name, text in orjson.loads(done.stdout).items()}


def plain_schemas() -> dict[str, bytes]:
    """Return the same from the nouns as they are in this process."""
    return {f"{name}.schema.json": _schema(name, noun) for name, noun in NOUNS.items()}


def write_schemas(folder: Path) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schema_texts().items():
        (folder / name).write_bytes(content)


def _schema(name: str, noun: type[Noun]) -> bytes:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **noun.model_json_schema()}
    schema["title"] = f"{name}.yaml"
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1] if len(sys.argv) > 1 else "schemas"))
