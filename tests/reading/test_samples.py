"""What is stored is what was written; the fingerprint is of the rows alone; an unchanged source is not read twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.datasets import Sample, Split, split_of
from workbench.errors import DataError
from workbench.nouns import fingerprint_set
from workbench.reading import samples
from workbench.reading.samples import store_dataset
from workbench.reading.stored import StoredDataset, open_dataset

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": TEXT}),
    max_size=2,
).map(lambda found: [*found, {"role": "user", "content": "why?"}])
PASSAGE = st.fixed_dictionaries({"id": NAME, "text": TEXT}, optional={"score": st.floats(-1e300, 1e300)})
SAMPLE = st.fixed_dictionaries(
    {"id": st.integers(0, 10**9).map(str), "messages": MESSAGES},
    optional={
        "group": TEXT,
        "references": st.lists(TEXT, max_size=2),
        "contexts": st.lists(PASSAGE, max_size=2),
        "tags": st.dictionaries(TEXT, TEXT, max_size=2),
    },
)
ROWS = st.lists(SAMPLE, min_size=1, max_size=8, unique_by=lambda row: row["id"])


def stored(rows: list[dict[str, Any]], folder: Path, ascii_only: bool = False, **how: Any) -> StoredDataset:
    source = folder / "s.jsonl"
    source.write_text(
        "".join(json.dumps(r, ensure_ascii=ascii_only) + "\n" for r in rows), encoding="utf-8", newline=""
    )
    return store_dataset(source, **{"name": "set", "use": "dev", "split": None, "home": folder / "home", **how})


def read(dataset: StoredDataset, batch: int = 256) -> list[tuple[int, Sample]]:
    return [pair for pairs in dataset.iter_samples(batch) for pair in pairs]


def plain(n: int) -> list[dict[str, Any]]:
    return [
        {"id": f"s{i}", "group": f"g{i % 40}", "messages": [{"role": "user", "content": f"{i}?"}]} for i in range(n)
    ]


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, ascii_only=st.booleans(), batch=st.integers(1, 5))
def test_what_is_written_is_what_is_read_back(rows: list[dict[str, Any]], ascii_only: bool, batch: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = read(stored(rows, Path(folder), ascii_only), batch)
    assert found == list(enumerate(Sample.model_validate(row) for row in rows))


@settings(max_examples=12, deadline=None)
@given(rows=ROWS, data=st.data())
def test_the_order_of_rows_does_not_change_the_fingerprint(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(rows))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first, second = stored(rows, Path(one)).manifest, stored(mixed, Path(two)).manifest
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint == fingerprint_set(Sample.model_validate(row).digest() for row in rows)


def test_any_changed_row_changes_the_fingerprint(tmp_path: Path) -> None:
    rows = plain(3)
    before = stored(rows, tmp_path).manifest.fingerprint
    rows[1]["references"] = ["1"]
    assert stored(rows, tmp_path).manifest.fingerprint != before


def test_the_hash_seed_of_python_does_not_change_the_fingerprint(tmp_path: Path) -> None:
    expected = stored(plain(50), tmp_path).manifest.fingerprint
    program = (
        "import sys; from pathlib import Path; from workbench.reading.samples import store_dataset\n"
        "d = store_dataset(Path(sys.argv[1]), name='set', use='dev', split=None, home=Path(sys.argv[2]))\n"
        "print(d.manifest.fingerprint)"
    )
    for seed in ("1", "4242"):
        command = [sys.executable, "-c", program, str(tmp_path / "s.jsonl"), str(tmp_path / f"home{seed}")]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        assert done.stdout.strip() == expected


def test_a_split_keeps_families_together_and_loses_no_row(tmp_path: Path) -> None:
    split = Split(salt="x", train=0.5, dev=0.25, gate=0.25)
    parts = {use: read(stored(plain(200), tmp_path, use=use, split=split)) for use in split.uses()}
    for use, pairs in parts.items():
        assert {split_of(s.family(), split) for _, s in pairs} == {use}
        assert [p for p, _ in pairs] == list(range(len(pairs)))
    assert sorted(s.id for pairs in parts.values() for _, s in pairs) == sorted(r["id"] for r in plain(200))


def test_an_id_that_stands_twice_is_found_across_the_split(tmp_path: Path) -> None:
    split = Split(salt="x", dev=0.5, gate=0.5)
    rows = plain(40)
    sides = {use: next(r for r in rows if split_of(r["group"], split) == use) for use in split.uses()}
    rows.append({**sides["gate"], "id": sides["dev"]["id"]})
    with pytest.raises(DataError, match=r"s\.jsonl:41:id: this id already stands on line \d+ .* \[DUPLICATE_ID\]"):
        stored(rows, tmp_path, use="dev", split=split)


def test_a_side_without_rows_is_a_dataset_of_none(tmp_path: Path) -> None:
    split = Split(salt="x", dev=0.5, gate=0.5)
    empty = next(use for use in split.uses() if use != split_of("g0", split))
    for _ in range(2):  # read, and found stored
        found = stored(plain(1), tmp_path, use=empty, split=split)
        assert (found.manifest.n, found.manifest.n_groups, read(found)) == (0, 0, [])
    assert open_dataset(found.path).manifest == found.manifest


def test_an_unchanged_source_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stored([*plain(3), plain(3)[0]], tmp_path)
    monkeypatch.setattr(samples, "rows_in", lambda source: pytest.fail("the source was read again"))
    second = stored([*plain(3), plain(3)[0]], tmp_path)
    assert (second.manifest, second.path, second.notes) == (first.manifest, first.path, first.notes)
    assert second.manifest.n_duplicates == 1


def test_the_same_rows_from_two_sources_are_stored_once_but_counted_apart(tmp_path: Path) -> None:
    clean = stored(plain(3), tmp_path)
    noisy = stored([*plain(3), plain(3)[0]], tmp_path)
    assert clean.path == noisy.path
    assert (clean.manifest.n_duplicates, noisy.manifest.n_duplicates) == (0, 1)
    assert len(list((tmp_path / "home" / "datasets" / "set-dev").iterdir())) == 1


def test_a_lost_or_damaged_index_entry_only_costs_time(tmp_path: Path) -> None:
    first = stored(plain(3), tmp_path)
    for entry in (tmp_path / "home" / "cache" / "sources").iterdir():
        entry.write_bytes(b"{half")
    assert stored(plain(3), tmp_path).manifest == first.manifest


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("rows.parquet", lambda b: b[:50] + b"?" + b[51:]),
        ("rows.parquet", lambda b: b[:-10]),
        ("rows.sha256", lambda b: b""),
        ("manifest.json", lambda b: b[:-1]),
        ("manifest.json", lambda b: b.replace(b'"fingerprint":"', b'"fingerprint":"0')),
    ],
)
def test_a_damaged_dataset_is_refused_by_name(tmp_path: Path, name: str, damage: Any) -> None:
    dataset = stored(plain(3), tmp_path)
    (dataset.path / name).write_bytes(damage((dataset.path / name).read_bytes()))
    with pytest.raises(
        DataError, match=r"the stored dataset is damaged: .*remove the dataset's folder.*DATASET_DAMAGED"
    ) as caught:
        open_dataset(dataset.path)
    assert dataset.path.name in str(caught.value)


def test_a_dataset_opens_from_its_folder_alone(tmp_path: Path) -> None:
    dataset = stored(plain(1500), tmp_path)
    opened = open_dataset(dataset.path)
    assert opened.manifest == dataset.manifest
    assert [p for p, _ in read(opened)] == list(range(1500))
    assert [len(batch) for batch in opened.iter_samples(400)] == [400, 400, 200, 400, 100]


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from workbench.reading.samples import store_dataset\n"
        "d = store_dataset(Path(sys.argv[1]), name='set', use='dev', split=None, home=Path(sys.argv[2]))\n"
        "n = sum(len(batch) for batch in d.iter_samples())\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for n in (2_000, 12_000):
        source = tmp_path / f"{n}.jsonl"
        text = "word " * 100
        with source.open("w") as file:
            for i in range(n):
                row = {"id": f"s{i}", "messages": [{"role": "user", "content": f"{i} {text}"}]}
                file.write(json.dumps(row) + "\n")
        command = [sys.executable, "-c", program, str(source), str(tmp_path / f"home{n}")]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert int(found[0]) == n
        peaks.append(int(found[1]))
    assert peaks[1] < peaks[0] * 1.12, peaks
