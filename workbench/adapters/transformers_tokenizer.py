"""A base model's tokenizer, through transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from workbench.errors import MissingExtra, ModelError
from workbench.training.template import Tokenizer


def load_tokenizer(folder: Path, *, light: bool = False) -> Tokenizer:
    """Return the tokenizer of a model's folder; no code of the folder is run. Raises `ModelError`, `MissingExtra`.

    `light` takes tokenizer.json as it stands, where there is one: finding the model's own class would load torch.
    """
    try:
        import transformers
    except ModuleNotFoundError as exc:
        raise MissingExtra("transformers", "train") from exc
    there = light and (folder / "tokenizer.json").is_file()
    kind: Any = transformers.PreTrainedTokenizerFast if there else transformers.AutoTokenizer
    try:
        found = kind.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError) as exc:
        raise ModelError(f"the tokenizer in {folder} cannot be loaded ({exc}); copy or download it again") from exc
    return cast(Tokenizer, found)
