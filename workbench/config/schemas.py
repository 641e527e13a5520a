"""Write the JSON Schemas that editors check YAML files with: `python -m workbench.config.schemas [folder]`."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from workbench.config.evalset_yaml import EvalsetSpec
from workbench.config.workbench_yaml import WorkbenchConfig
from workbench.nouns import Noun

NOUNS: dict[str, type[Noun]] = {"workbench": WorkbenchConfig, "evalset": EvalsetSpec}


def schema_texts() -> dict[str, bytes]:
    """Return the content of each schema file by its name."""
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
