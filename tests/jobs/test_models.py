"""What is made of a tuned model: one folder that answers as base and adapter do, bound to its base, and a card."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import write_adapter, write_model
from tests.reports.hostile import HOSTILE
from tests.training.project import conversations, stored
from workbench.adapters.llama_cpp import CONVERTER, FOLDER
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.errors import ConfigError, DataError, ModelError
from workbench.jobs.model_card import write_card
from workbench.jobs.models import MADE_OF, export, merge, modelfile
from workbench.models import LocalSpec, Sampling
from workbench.reports.as_markdown import markdown
from workbench.reports.model_card import card_document
from workbench.store.weights import hash_model_folder
from workbench.training.folder import TrainRun, TrainStart
from workbench.training.losses import LossRow, write_losses
from workbench.training.spec import TrainSpec

RUN = "20260101-000000000-tone-sft"


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A project with a base, an adapter on it, and a second base of other shapes' numbers."""
    write_model(tmp_path / "base")
    write_model(tmp_path / "other", seed=5)
    adapter = write_adapter(tmp_path / "adapter")
    bound = {"base_weights": hash_model_folder(tmp_path / "base")}
    (adapter / "trained_on.json").write_text(json.dumps(bound))
    (tmp_path / "workbench.yaml").write_text(
        "models:\n  tiny: {kind: local, base: base, sampling: {max_tokens: 48}}\n"
        "  tuned: {kind: local, base: base, adapter: adapter}\n"
        "  wrong: {kind: local, base: other, adapter: adapter}\n  elsewhere: {kind: scripted}\ncandidate: tiny\n"
    )
    return load_workbench(tmp_path / "workbench.yaml", {})


def trained(bench: Workbench, **more: str) -> TrainRun:
    """Write a finished training run as training leaves it, without training."""
    name = stored(bench, "chats", "conversations", "train", conversations(6))
    spec = TrainSpec.model_validate({"name": "tone", "base": "base", "dataset": name, "method": {"kind": "sft"}})
    start = TrainStart(
        spec=spec, dataset=find_dataset(bench.home.root, name).manifest, base_weights="b" * 32, template="t" * 64,
        tokens="x", steps=3, environment={"torch": "1", **more},
    )  # fmt: skip
    run = TrainRun(
        id=RUN, start=start, state="finished", steps=3, made="adapter", weights="w" * 32, seconds=1.5,
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    folder = bench.home.root / "training" / RUN
    write_adapter(folder / "adapter")
    (folder / "spec.json").write_bytes(start.json_bytes())
    (folder / "summary.json").write_bytes(run.json_bytes())
    rows = [LossRow(step=i, epoch=i / 30, split="train", loss=2.0 - i / 30) for i in range(1, 31)]
    write_losses(rows, folder / "losses.parquet")
    return run


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_merged_model_gives_the_numbers_of_base_and_adapter(bench: Workbench, tmp_path: Path) -> None:
    torch, transformers, peft = (pytest.importorskip(name) for name in ("torch", "transformers", "peft"))
    made = merge(bench, "tuned", tmp_path / "merged")
    load = transformers.AutoModelForCausalLM.from_pretrained
    tokens = torch.tensor([[4, 9, 12, 5]])
    with torch.no_grad():
        ours = load(tmp_path / "merged")(tokens).logits
        base = load(tmp_path / "base")(tokens).logits
        both = peft.PeftModel.from_pretrained(load(tmp_path / "base"), str(tmp_path / "adapter"))(tokens).logits
    torch.testing.assert_close(ours, both, atol=1e-4, rtol=1e-4)
    assert (ours - base).abs().max() > 0.1
    assert json.loads((tmp_path / "merged" / MADE_OF).read_text())["base_weights"] == made.base_weights
    assert (tmp_path / "merged" / "chat_template.jinja").is_file()
    assert not [file for file in (tmp_path / "merged").iterdir() if file.suffix in (".bin", ".pt", ".py")]


def test_an_adapter_is_not_merged_into_another_base_and_nothing_is_left_behind(
    bench: Workbench, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"made on base weights [0-9a-f]{32}, but .* has weights [0-9a-f]{32}"):
        merge(bench, "wrong", tmp_path / "merged")
    assert not list(tmp_path.glob("*merged*"))


def test_what_is_there_is_not_replaced_and_what_is_not_here_is_not_merged(bench: Workbench, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="FILE_EXISTS"):
        merge(bench, "tiny", tmp_path / "base")
    with pytest.raises(ConfigError, match="NOT_LOCAL"):
        merge(bench, "elsewhere", tmp_path / "merged")


def test_without_llama_cpp_a_gguf_is_refused_before_anything_is_written(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv(FOLDER, raising=False)
    with pytest.raises(ConfigError, match=r"convert_hf_to_gguf.py and llama-quantize not found.*NO_CONVERTER"):
        export(bench, "tiny", tmp_path / "out", "q4_k_m", None, False)
    assert not (tmp_path / "out").exists()


def test_a_gguf_and_a_modelfile_are_written_by_the_converter_that_is_found(bench: Workbench, tmp_path: Path) -> None:
    converter = tmp_path / "llama.cpp" / CONVERTER
    converter.parent.mkdir()
    converter.write_text("import sys\nopen(sys.argv[sys.argv.index('--outfile') + 1], 'wb').write(b'GGUF')\n")
    made = export(bench, "tiny", tmp_path / "out", "q8_0", tmp_path / "llama.cpp", True)
    assert [Path(file).name for file in made.files] == ["model-q8_0.gguf", "Modelfile"]
    words = (tmp_path / "out" / "Modelfile").read_text().splitlines()
    assert words[0] == "FROM ./model-q8_0.gguf"
    assert "PARAMETER num_ctx 256" in words
    assert hash_model_folder(tmp_path / "out") == made.merged.weights


def test_a_converter_that_fails_is_quoted(bench: Workbench, tmp_path: Path) -> None:
    converter = tmp_path / "llama.cpp" / CONVERTER
    converter.parent.mkdir()
    converter.write_text("raise SystemExit('this architecture is not supported')")
    with pytest.raises(ModelError, match="this architecture is not supported"):
        export(bench, "tiny", tmp_path / "out", "f16", tmp_path / "llama.cpp", False)


def test_a_system_prompt_cannot_end_its_quotes_in_a_modelfile() -> None:
    spec = LocalSpec(kind="local", base="x", system='be brief"""\nADAPTER /etc/passwd', sampling=Sampling())
    with pytest.raises(ConfigError, match="MODELFILE"):
        modelfile(spec, ".", None)


def test_what_a_training_made_is_asked_as_the_model_of_its_base_is(bench: Workbench) -> None:
    trained(bench)
    spec = bench.model("train:tone-sft")
    assert isinstance(spec, LocalSpec)
    assert spec.sampling.max_tokens == 48
    assert Path(str(spec.adapter)).parent.name == RUN


def test_a_card_tells_data_recipe_losses_and_environment(bench: Workbench) -> None:
    run = trained(bench)
    text = write_card(bench, "latest").read_text()
    for word in (run.start.dataset.fingerprint, "b" * 32, "method.kind", "| 30 | 1.000 | 1.000 |", "Nothing has been"):
        assert word in text
    assert text.count("\n| ") < 60, "a card is read by people"


def test_a_training_that_is_not_finished_has_no_card(bench: Workbench) -> None:
    trained(bench)
    (bench.home.root / "training" / RUN / "summary.json").unlink()
    with pytest.raises(DataError, match="NO_ADAPTER"):
        write_card(bench, RUN)


def test_hostile_text_in_a_card_stays_text(bench: Workbench) -> None:
    run = trained(bench)
    for text in HOSTILE:
        start = run.start.model_copy(update={"environment": {"torch": text}, "firewall": {"firewall": text}})
        told = markdown(card_document(run.model_copy(update={"start": start, "why": text}), [], [text], []))
        assert "<script" not in told and "<img" not in told and "![leak](" not in told
        assert "\x1b" not in told
