"""A base model's tokenizer, through transformers, which for this loads no torch."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from workbench.errors import MissingExtra, ModelError
from workbench.training.template import Tokenizer


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer of a model's folder; no code of the folder is run. Raises `ModelError`, `MissingExtra`."""
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as exc:
        raise MissingExtra("transformers", "train") from exc
    try:
        found = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError) as exc:
        raise ModelError(f"the tokenizer in {folder} cannot be loaded ({exc}); copy or download it again") from exc
    return cast(Tokenizer, found)
