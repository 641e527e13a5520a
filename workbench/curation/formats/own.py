"""The workbench's own rows, every field of them: what `data export --format workbench` and `data show --json` write."""

from __future__ import annotations

import orjson
from pydantic import BaseModel

from workbench.curation.formats.format import Fields, Format, Kind, Notes
from workbench.datasets import Conversation, PreferencePair, Sample
from workbench.records import Record

NOUNS: dict[Kind, type[BaseModel]] = {
    "conversations": Conversation,
    "pairs": PreferencePair,
    "samples": Sample,
    "records": Record,
}
TEXTS = frozenset({"tags", "lineage", "shown", "labels"})


def _format(name: str, kind: Kind, sign: str, needed: frozenset[str], other: frozenset[str]) -> Format:
    fields = frozenset(NOUNS[kind].model_fields)

    def looks(row: Fields) -> bool:
        return needed <= row.keys() and row.keys() <= fields | {"labels"} and (not other or bool(other & row.keys()))

    return Format(name, kind, sign, looks, _as_it_is, fields | {"labels"}, _whole)


def _as_it_is(row: Fields, notes: Notes) -> Fields:
    # Parquet has no column for what differs in kind from row to row: there it is JSON text, and a reference a list.
    found = {k: orjson.loads(v) if k in TEXTS and isinstance(v, str) else v for k, v in row.items()}
    if isinstance(found.get("reference"), list):
        found["reference"] = next(iter(found["reference"]), None)
    return found


def _whole(fields: Fields) -> Fields:
    return dict(fields)


CONVERSATIONS = _format(
    "workbench-conversations", "conversations", "a `Conversation`",
    frozenset({"id", "messages", "lineage"}), frozenset(),
)  # fmt: skip
PAIRS = _format(
    "workbench-pairs", "pairs", "a `PreferencePair`", frozenset({"id", "prompt", "chosen", "rejected", "lineage"}),
    frozenset(),
)  # fmt: skip
SAMPLES = _format(
    "workbench-samples", "samples", "a `Sample`", frozenset({"id", "messages"}),
    frozenset({"references", "gold_contexts"}),
)  # fmt: skip
RECORDS = _format("workbench-records", "records", "a `Record`", frozenset({"id", "messages"}), frozenset({"outputs"}))
