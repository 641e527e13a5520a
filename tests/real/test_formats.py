"""Real files come in with the counts they have, go out in every format that can hold them, and come back equal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.real.conversions import ABSENT, data_folder
from workbench.curation.exporting import Export, export
from workbench.curation.formats.table import FORMATS
from workbench.curation.importing import Imported, Wish, import_datasets, prepare
from workbench.curation.packages import PACKAGES
from workbench.datasets import Row
from workbench.errors import DataError
from workbench.reading.stored import StoredDataset

pytestmark = pytest.mark.real
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXPECTED = {
    "fmt_dpo_demo": ("sharegpt-pairs", 200, 200, {}),
    "fmt_messages_thumbs": ("messages", 200, 200, {}),
    "fmt_sharegpt_identity": ("sharegpt", 350, 350, {}),
    "fmt_sharegpt_toolcall": ("sharegpt", 200, 200, {}),
    "sft_alpaca_demo_nc": ("alpaca", 780, 780, {}),
    "sft_permissive": ("alpaca", 1120, 1120, {}),
    "pandalm": ("comparison", 686, 610, {"TIE": 76}),
    "ragchecker_pairs": ("comparison", 200, 151, {"TIE": 49}),
    "mtbench_llmeval2_pairs": ("comparison", 271, 270, {"SAME_SIDES": 1}),
    "mtbench_questions": ("questions", 80, 80, {}),
    "squad_v2_qa": ("questions", 4156, 4156, {}),
}
"""Format, rows, rows stored, and what was left out by reason."""
NAMES = [*(p.name for p in PACKAGES), *(f.name for f in FORMATS if f.write is not None and f.kind != "records")]
WAYS = list(dict.fromkeys(NAMES))
TABLES = ("alpaca", "prompt-completion-text", "preference-text", "questions")

NAMED = ("prompt-completion-text", "preference-text")
"""Formats that are never guessed."""


def source(name: str) -> Path:
    folder = data_folder()
    if folder is None or not (folder / f"{name}.jsonl").is_file():
        pytest.skip(ABSENT)
    return folder / f"{name}.jsonl"


def bring_in(path: Path, home: Path, format: str | None = None) -> Imported:
    wish = Wish(path, "set", "train", format=format)
    return import_datasets(wish, prepare(wish), home, NOW, lambda *_: None)


def by_id(stored: StoredDataset) -> dict[str, Row]:
    return {row.id: row for row in stored.iter_values()}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_comes_in_with_the_counts_it_has(name: str, tmp_path: Path) -> None:
    format, n_rows, n, dropped = EXPECTED[name]
    found = bring_in(source(name), tmp_path)
    assert (found.format.name, found.guessed, found.n_rows, found.n_set_aside) == (format, True, n_rows, 0)
    assert (found.manifests[0].n, dict(found.dropped)) == (n, dropped)
    assert len(by_id(found.stored[0])) == n


@pytest.mark.long
@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_comes_in_whole_and_back_from_every_format_that_can_hold_it(
    name: str, tmp_path: Path, figure
) -> None:
    format, n_rows, n, dropped = EXPECTED[name]
    found = bring_in(source(name), tmp_path / "home")
    assert (found.format.name, found.guessed, found.n_rows, found.n_set_aside) == (format, True, n_rows, 0)
    assert (found.manifests[0].n, dict(found.dropped)) == (n, dropped)
    stored = found.stored[0]
    rows, held, refused = by_id(stored), [], []
    for way in WAYS:
        for ending in (".jsonl", ".parquet", ".csv"):
            if ending == ".csv" and way not in TABLES:
                continue
            package = next((p for p in PACKAGES if p.name == way), None)
            folder = package is not None and package.files is not None
            if folder and ending != ".jsonl":
                continue
            out = tmp_path / f"{way}{'' if folder else ending}"
            try:
                done = export(stored, Export(way, out))
            except DataError as exc:
                assert exc.problems[0].code in ("CANNOT_HOLD", "OPENAI_RULE"), str(exc)
                assert not out.exists()
                refused.append(way)
                continue
            if way.startswith("openai"):
                assert done.n == n
                continue  # it takes nothing beside its own columns; what that costs is counted
            chosen = way if way in NAMED else None
            back = bring_in(out, tmp_path / f"home-{way}{ending}", chosen)
            assert by_id(back.stored[0]) == rows, f"{name} comes back changed from {way}{ending}"
            held.append(f"{way}{ending}")
    assert len(held) >= 4, f"held by {held} only"
    figure(f"{name}: {n} {stored.manifest.kind}; back equal from {', '.join(held)}")


def test_questions_find_the_passages_that_they_were_written_against(tmp_path: Path) -> None:
    wish = Wish(source("squad_v2_qa"), "squad", "dev", corpus=source("squad_v2_docs"))
    found = import_datasets(wish, prepare(wish), tmp_path, NOW, lambda *_: None)
    rows = list(found.stored[0].iter_values())
    assert len(rows) == 4156
    assert all(row.contexts[0].id == row.gold_contexts[0] for row in rows)
    assert len({row.contexts[0].text for row in rows}) <= 447
