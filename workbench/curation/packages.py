"""Where a dataset goes: which format its kind has there, and the files that belong to it beside the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from workbench.curation.formats.format import Kind as Rows
from workbench.datasets import Manifest

FileKind = Literal["jsonl", "csv", "parquet"]


@dataclass(frozen=True)
class Package:
    """One destination."""

    name: str
    what: str
    formats: Mapping[Rows, str]
    """Format of each kind that it takes."""
    files: Callable[[Manifest, str], dict[str, str]] | None = None
    """Return the files beside the rows, by name; with them the export is a folder."""
    rows: str = "data.jsonl"
    """Name of the file of rows in such a folder."""


def axolotl(manifest: Manifest, format: str) -> dict[str, str]:
    """Return the part of Axolotl's configuration that is about data."""
    if manifest.kind == "pairs":
        how = [
            "type: chat_template.default",
            "field_messages: messages",
            "field_chosen: chosen",
            "field_rejected: rejected",
        ]
        head = "rl: dpo\n"
    else:
        how = ["type: chat_template", "field_messages: messages", "roles_to_train: [assistant]"]
        head = "train_on_inputs: false\n"
    rows = "\n".join(f"    {line}" for line in ["ds_type: json", *how])
    first = f"# {manifest.name} {manifest.use}, {manifest.n} {manifest.kind}, {manifest.fingerprint}\n"
    more = "# Add base_model, adapter and the rest: docs.axolotl.ai\n"
    return {"config.yaml": f"{first}{more}{head}datasets:\n  - path: data.jsonl\n{rows}\n"}


def llama_factory(manifest: Manifest, format: str) -> dict[str, str]:
    """Return LLaMA-Factory's dataset_info.json."""
    columns = {"messages": "conversations", "tools": "tools"}
    told: dict[str, object] = {"file_name": "data.jsonl", "formatting": "sharegpt"}
    if manifest.kind == "pairs":
        told["ranking"] = True
        columns |= {"chosen": "chosen", "rejected": "rejected"}
    elif format == "thumbs":
        columns["kto_tag"] = "label"
    info = {manifest.name: told | {"columns": columns}}
    return {"dataset_info.json": orjson.dumps(info, option=orjson.OPT_INDENT_2).decode() + "\n"}


def card(manifest: Manifest, format: str) -> dict[str, str]:
    """Return a dataset card as the Hub reads it: YAML above, then counts, origin and lineage in words."""
    front = {
        "license": manifest.rule.get("licence") or "unknown",
        "pretty_name": manifest.name,
        "size_categories": [_size(manifest.n)],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train.parquet"}]}],
        "tags": ["workbench", manifest.kind],
    }
    lines = [f"{key}: {orjson.dumps(value).decode()}" for key, value in front.items()]  # JSON is YAML
    made = [f"| {_cell(key)} | {_cell(value)} |" for key, value in manifest.rule.items() if key != "licence"]
    origin = manifest.rule.get("origin") or "not told"
    text = f"""# {manifest.name}

{manifest.n:,} {manifest.kind} in {manifest.n_groups:,} prompt families, in the format `{format}`.
For `{manifest.use}` only.

| | |
|---|---|
| fingerprint | {manifest.fingerprint} |
| licence | {_cell(manifest.rule.get("licence") or "not told")} |
| source | {_cell(origin)} |
| parents | {", ".join(manifest.parents) or "none"} |
| equal rows left out | {manifest.n_duplicates:,} |
| rows set aside | {manifest.n_quarantined:,} |

## How it was made

| | |
|---|---|
{chr(10).join(made) or "| rule | not told |"}

The column `workbench` holds, as JSON, what the format has no place for: id, family, tags and lineage.
"""
    return {"README.md": "---\n" + "\n".join(lines) + "\n---\n\n" + text}


def _size(n: int) -> str:
    bounds = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    return next((name for bound, name in bounds if n < bound), "n>1M")


def _cell(text: str) -> str:
    """Return text for a cell of a Markdown table: no line end, no bar, no markup."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return line.replace("[", "\\[").replace("`", "\\`").replace("*", "\\*").replace("![", "!\\[")


PACKAGES: tuple[Package, ...] = (
    Package("trl-sft", "TRL's SFTTrainer", {"conversations": "messages"}),
    Package("trl-prompt-completion", "TRL's SFTTrainer, the last answer only", {"conversations": "prompt-completion"}),
    Package("trl-dpo", "TRL's DPOTrainer", {"pairs": "preference"}),
    Package("trl-kto", "TRL's KTOTrainer", {"conversations": "kto"}),
    Package("openai", "OpenAI's fine-tuning", {"conversations": "openai", "pairs": "openai-preference"}),
    Package(
        "axolotl", "Axolotl: rows and config.yaml",
        {"conversations": "messages", "pairs": "axolotl-pairs"}, axolotl,
    ),
    Package(
        "llama-factory", "LLaMA-Factory: rows and dataset_info.json",
        {"conversations": "sharegpt", "pairs": "sharegpt-pairs"}, llama_factory,
    ),
    Package(
        "hub", "Parquet with a dataset card",
        {"conversations": "messages", "pairs": "preference", "samples": "questions"}, card, "data/train.parquet",
    ),
    Package(
        "workbench", "every field, as it is",
        {"conversations": "workbench-conversations", "pairs": "workbench-pairs", "samples": "workbench-samples",
         "records": "workbench-records"},
    ),
)  # fmt: skip
