"""A LoRA adapter added to its base's weights, through peft; safetensors in, safetensors out, no code of the model's."""

from __future__ import annotations

import shutil
import warnings
from importlib.util import find_spec
from pathlib import Path

from workbench.errors import MissingExtra, ModelError

OF_A_TOKENIZER = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt",
                  "chat_template.*", "*.model")  # fmt: skip


def merge_adapter(base: Path, adapter: Path, target: Path) -> None:
    """Write base and adapter as one model into the new folder `target`. Both must have been checked before.

    Numbers stay in the base's format. Raises `ModelError` where they cannot be added, `MissingExtra`.
    """
    for package in ("torch", "transformers", "peft"):
        if find_spec(package) is None:
            raise MissingExtra(package, "train")
    import transformers
    from peft import PeftModel

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    options = {"local_files_only": True, "trust_remote_code": False, "use_safetensors": True, "dtype": "auto"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 speaks to transformers in older names
            model = transformers.AutoModelForCausalLM.from_pretrained(str(base), **options)
            tuned = PeftModel.from_pretrained(model, str(adapter), use_safetensors=True)
            tuned.merge_and_unload(safe_merge=True).save_pretrained(str(target))
    except (ValueError, KeyError, RuntimeError) as exc:
        raise ModelError(f"adapter {adapter} cannot be merged into {base}: {exc}") from exc
    for folder in (base, adapter):  # the adapter's own tokenizer and template replace the base's
        for file in sorted(file for pattern in OF_A_TOKENIZER for file in folder.glob(pattern)):
            shutil.copyfile(file, target / file.name)
