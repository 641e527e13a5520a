from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import orjson
import pytest
from safetensors.numpy import load_file, save_file

from workbench.errors import ModelError
from workbench.store.model_folder import check_model_folder, context_window, read_header
from workbench.store.weights import hash_model_folder

WriteModel = Callable[..., Path]


def change_json(file: Path, **fields: Any) -> None:
    file.write_bytes(orjson.dumps(orjson.loads(file.read_bytes()) | fields))


def test_a_sound_model_and_adapter_pass(new_model: WriteModel, new_adapter: WriteModel) -> None:
    check_model_folder(new_model("base"), new_adapter("adapter"))


def test_the_header_names_tensors_with_their_shapes(new_model: WriteModel) -> None:
    shapes = {tensor.name: tensor.shape for tensor in read_header(new_model("m") / "model.safetensors")}
    assert shapes["model.embed_tokens.weight"] == (64, 32)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated_weights_are_refused(new_model: WriteModel, keep: int) -> None:
    model = new_model("m")
    file = model / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"model.safetensors is truncated: .* bytes .*; copy or download it again"):
        check_model_folder(model)


def test_a_header_that_is_no_json_is_refused(new_model: WriteModel) -> None:
    model = new_model("m")
    (model / "model.safetensors").write_bytes((20).to_bytes(8, "little") + b"<html>log in</html>!")
    with pytest.raises(ModelError, match="is no safetensors file"):
        check_model_folder(model)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("bad", [numpy.nan, numpy.inf, -numpy.inf])
def test_nan_and_infinite_weights_are_refused_by_tensor_name(new_model: WriteModel, kind: str, bad: float) -> None:
    model = new_model("m")
    tensors = {name: tensor.astype(kind) for name, tensor in load_file(model / "model.safetensors").items()}
    tensors["model.layers.1.mlp.up_proj.weight"][3, 5] = bad
    save_file(tensors, model / "model.safetensors")
    with pytest.raises(
        ModelError, match=r"tensor model.layers.1.mlp.up_proj.weight in model.safetensors has 1 of 2048"
    ):
        check_model_folder(model)


def test_nan_in_bfloat16_is_seen_and_its_largest_number_is_not_mistaken_for_it(tmp_path: Path) -> None:
    header = orjson.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}})
    start = len(header).to_bytes(8, "little") + header
    for bits, faulty in ((b"\x7f\x7f\x00\x00", False), (b"\xc0\x7f\x00\x00", True)):
        (tmp_path / "model.safetensors").write_bytes(start + bits)
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(ModelError) as caught:  # the folder lacks a template in any case
            check_model_folder(tmp_path)
        assert ("NaN" in str(caught.value)) is faulty


def test_pickled_weights_are_refused(new_model: WriteModel) -> None:
    model = new_model("m")
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pickled \(pytorch_model.bin\), which can run code; only safetensors"):
        check_model_folder(model)


def test_a_missing_shard_is_named(new_model: WriteModel) -> None:
    model = new_model("m")
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (model / "model.safetensors.index.json").write_bytes(orjson.dumps(index))
    with pytest.raises(ModelError, match=r"names model-00002-of-00002.safetensors, which is not there"):
        check_model_folder(model)


def test_a_missing_chat_template_is_refused_unless_the_adapter_brings_one(
    new_model: WriteModel, new_adapter: WriteModel
) -> None:
    model, adapter = new_model("m"), new_adapter("adapter")
    (model / "chat_template.jinja").rename(adapter / "chat_template.jinja")
    with pytest.raises(ModelError, match="has no chat template"):
        check_model_folder(model)
    check_model_folder(model, adapter)


def test_a_template_within_the_tokenizers_config_counts(new_model: WriteModel) -> None:
    model = new_model("m")
    (model / "chat_template.jinja").unlink()
    change_json(model / "tokenizer_config.json", chat_template="{{ messages }}")
    check_model_folder(model)


def test_a_tokenizer_with_more_tokens_than_the_model_has_embeddings_is_refused(new_model: WriteModel) -> None:
    model = new_model("m")
    tokenizer = orjson.loads((model / "tokenizer.json").read_bytes())
    tokenizer["added_tokens"].append({"id": 64, "content": "<new>"})
    (model / "tokenizer.json").write_bytes(orjson.dumps(tokenizer))
    with pytest.raises(ModelError, match="token ids up to 64, but the model has only 64 embeddings"):
        check_model_folder(model)


def test_an_adapter_whose_shapes_do_not_fit_is_refused_with_both_hashes(
    new_model: WriteModel, new_adapter: WriteModel
) -> None:
    model, adapter = new_model("m"), new_adapter("adapter", hidden=48)
    with pytest.raises(ModelError) as caught:
        check_model_folder(model, adapter)
    assert hash_model_folder(model) in str(caught.value)
    assert hash_model_folder(adapter) in str(caught.value)
    assert "self_attn.q_proj is (32, 32) in the base, and the adapter's factor A is (4, 48)" in str(caught.value)


def test_an_adapter_for_layers_that_the_base_lacks_is_refused(new_model: WriteModel, new_adapter: WriteModel) -> None:
    model, adapter = new_model("m"), new_adapter("adapter")
    tensors = load_file(adapter / "adapter_model.safetensors")
    renamed = {name.replace("layers.1", "layers.7"): tensor for name, tensor in tensors.items()}
    save_file(renamed, adapter / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"changes model.layers.7.self_attn.q_proj, which the base does not have"):
        check_model_folder(model, adapter)


@pytest.mark.parametrize("how", ["recorded", "by path"])
def test_an_adapter_made_on_other_weights_of_the_same_shape_is_refused_with_both_hashes(
    new_model: WriteModel, new_adapter: WriteModel, how: str
) -> None:
    ours, theirs, adapter = new_model("ours", seed=1), new_model("theirs", seed=2), new_adapter("adapter")
    if how == "recorded":
        (adapter / "trained_on.json").write_bytes(orjson.dumps({"base_weights": hash_model_folder(theirs)}))
    else:
        change_json(adapter / "adapter_config.json", base_model_name_or_path=str(theirs))
    check_model_folder(theirs, adapter)
    with pytest.raises(ModelError) as caught:
        check_model_folder(ours, adapter)
    assert hash_model_folder(ours) in str(caught.value) and hash_model_folder(theirs) in str(caught.value)


def test_a_folder_without_a_config_is_refused_as_base_and_as_adapter(new_model: WriteModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config.json"):
        check_model_folder(tmp_path)
    with pytest.raises(ModelError, match=r"has no adapter_config.json"):
        check_model_folder(new_model("m"), tmp_path)


def test_the_context_window_is_read_from_the_config(new_model: WriteModel) -> None:
    assert context_window(new_model("m")) == 256
