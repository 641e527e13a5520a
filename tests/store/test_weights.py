from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from workbench.errors import ModelError
from workbench.store.weights import MODEL_FILES, hash_model_folder, model_files

WriteModel = Callable[..., Path]


def test_a_copy_in_another_place_has_the_same_hash(new_model: WriteModel, tmp_path: Path) -> None:
    model = new_model("here")
    shutil.copytree(model, tmp_path / "there")
    assert hash_model_folder(model) == hash_model_folder(tmp_path / "there")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"])
def test_every_file_that_can_change_an_answer_changes_the_hash(new_model: WriteModel, name: str) -> None:
    model = new_model("m")
    before = hash_model_folder(model)
    with (model / name).open("ab") as file:
        file.write(b" ")
    assert hash_model_folder(model) != before


def test_files_that_cannot_change_an_answer_do_not_count(new_model: WriteModel) -> None:
    model = new_model("m")
    before = hash_model_folder(model)
    (model / "README.md").write_text("hello")
    (model / "training_args.bin").write_bytes(b"pickle")
    (model / "modeling_evil.py").write_text("boom()")
    assert hash_model_folder(model) == before


def test_a_renamed_file_changes_the_hash(new_model: WriteModel) -> None:
    model = new_model("m")
    before = hash_model_folder(model)
    (model / "model.safetensors").rename(model / "weights.safetensors")
    assert hash_model_folder(model) != before


def test_the_cache_spares_reading_and_notices_a_change(
    new_model: WriteModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, cache = new_model("m"), tmp_path / "cache" / "weights.json"
    first = hash_model_folder(model, cache)
    with monkeypatch.context() as patch:
        patch.setattr("workbench.store.weights.sha256_of", lambda file: pytest.fail(f"{file} was read again"))
        assert hash_model_folder(model, cache) == first
    stat = (model / "config.json").stat()
    (model / "config.json").write_bytes((model / "config.json").read_bytes().replace(b"256", b"512"))
    os.utime(model / "config.json", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert hash_model_folder(model, cache) == hash_model_folder(model) != first


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"a": 1}'])
def test_a_damaged_cache_is_forgotten(new_model: WriteModel, tmp_path: Path, damage: bytes) -> None:
    model, cache = new_model("m"), tmp_path / "weights.json"
    cache.write_bytes(damage)
    assert hash_model_folder(model, cache) == hash_model_folder(model)
    assert len(orjson.loads(cache.read_bytes())) == len(model_files(model))


def test_a_link_that_leaves_the_folder_is_refused(new_model: WriteModel, tmp_path: Path) -> None:
    model = new_model("m")
    (model / "model.safetensors").rename(tmp_path / "outside.safetensors")
    (model / "model.safetensors").symlink_to(tmp_path / "outside.safetensors")
    with pytest.raises(
        ModelError, match=r"model.safetensors is a link to .*outside.safetensors, outside of its folder"
    ):
        hash_model_folder(model)


def test_the_links_of_the_hubs_own_cache_are_followed(new_model: WriteModel, tmp_path: Path) -> None:
    model = new_model("m")
    blobs, snapshot = tmp_path / "models--a--b" / "blobs", tmp_path / "models--a--b" / "snapshots" / "f00"
    shutil.copytree(model, blobs)
    snapshot.mkdir(parents=True)
    for file in blobs.iterdir():
        (snapshot / file.name).symlink_to(file)
    assert hash_model_folder(snapshot) == hash_model_folder(model)


def test_a_missing_or_empty_folder_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        hash_model_folder(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="holds no model"):
        hash_model_folder(tmp_path)


def test_no_pickle_and_no_code_is_among_the_files_of_a_model() -> None:
    assert not [pattern for pattern in MODEL_FILES if pattern.endswith((".bin", ".pt", ".pkl", ".py"))]
