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
SAID = frozenset({"labels", "resolved"})
"""What may stand beside a record's fields."""
TEXTS = frozenset({"tags", "lineage", "shown", "labels"})


def _format(name: str, kind: Kind, sign: str, needed: frozenset[str], other: frozenset[str]) -> Format:
    fields = frozenset(NOUNS[kind].model_fields) | (SAID if kind == "records" else {"labels"})

    def looks(row: Fields) -> bool:
        return needed <= row.keys() and row.keys() <= fields and (not other or bool(other & row.keys()))

    return Format(name, kind, sign, looks, _record if kind == "records" else _as_it_is, fields, _whole)


def _as_it_is(row: Fields, notes: Notes) -> Fields:
    # Parquet has no column for what differs in kind from row to row: there it is JSON text, and a reference a list.
    found = {k: orjson.loads(v) if k in TEXTS and isinstance(v, str) else v for k, v in row.items()}
    if isinstance(found.get("reference"), list):
        found["reference"] = next(iter(found["reference"]), None)
    return found


def _record(row: Fields, notes: Notes) -> Fields:
    # Of several answers one can be made again, by rules that the row does not tell.
    if row.get("resolved"):
        notes["LEFT_OUT resolved"] += 1
    return _as_it_is({name: value for name, value in row.items() if name != "resolved"}, notes)


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
