"""TRL's own trainers take what `data export` writes, as it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from workbench.curation.exporting import Export, export
from workbench.curation.importing import Wish, import_datasets, prepare

pytestmark = pytest.mark.long
MODEL = Path(__file__).parents[2] / "demo" / "models" / "base"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHATS = [{"messages": [{"role": "user", "content": f"Question {n}?"}, {"role": "assistant", "content": f"Answer {n}."}],
          "label": n % 2 == 0} for n in range(8)]  # fmt: skip
PAIRS = [{"prompt": f"Question {n}?", "chosen": f"Answer {n}.", "rejected": f"No {n}."} for n in range(8)]


def exported(rows: list[dict[str, Any]], to: str, folder: Path) -> Any:
    """Return the rows of an export as `datasets` loads them."""
    import datasets

    source, out = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    wish = Wish(source, "set", "train")
    stored = import_datasets(wish, prepare(wish), folder, NOW, lambda *_: None).stored[0]
    export(stored, Export(to, out))
    return datasets.load_dataset("json", data_files=str(out), split="train", cache_dir=str(folder / "cache"))


@pytest.mark.filterwarnings("ignore")  # torch's and TRL's own, on a machine without a GPU
@pytest.mark.parametrize(("to", "rows"), [("trl-sft", CHATS), ("trl-prompt-completion", CHATS), ("trl-dpo", PAIRS),
                                          ("trl-kto", CHATS)])  # fmt: skip
def test_a_trainer_makes_two_steps_on_an_export(to: str, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    if to == "trl-kto":
        from trl.experimental.kto import KTOConfig, KTOTrainer  # still an experiment of TRL 1.16

        config, trainer = KTOConfig, KTOTrainer
    else:
        config, trainer = (DPOConfig, DPOTrainer) if to == "trl-dpo" else (SFTConfig, SFTTrainer)
    how = {"output_dir": str(tmp_path / "o"), "max_steps": 2, "per_device_train_batch_size": 4, "use_cpu": True,
           "report_to": "none", "bf16": False, "max_length": 128, "gradient_checkpointing": False,
           "save_strategy": "no"}  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    made = trainer(
        model=model, args=config(**how), train_dataset=exported(rows, to, tmp_path), processing_class=tokenizer
    )
    done = made.train()
    assert done.global_step == 2
    assert done.training_loss == done.training_loss, "the loss is no number"
