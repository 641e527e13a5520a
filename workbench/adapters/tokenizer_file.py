"""Token counts by a model's own `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.errors import ConfigError, MissingExtra, Problem

FILE = "tokenizer.json"
SLICE = 20_000
"""Characters that are encoded at once: on one long word some vocabularies take time that grows with its square. A text
beyond is counted in slices, which can cost one token more at each."""


def counter(folder: Path) -> Callable[[Sequence[str]], list[int]]:
    """Return what counts the tokens of texts, without special ones. Raises `ConfigError` and `MissingExtra`."""
    try:
        from tokenizers import Tokenizer
    except ImportError as exc:
        raise MissingExtra("tokenizers", "train") from exc
    try:
        tokenizer = Tokenizer.from_file(str(folder / FILE))
    except Exception as exc:  # the package raises bare `Exception`
        fix = "name a model whose folder has one, or leave it out for an estimate"
        raise ConfigError(
            Problem("TOKENIZER", f"no tokenizer can be read: {exc}", str(folder / FILE), fix=fix)
        ) from exc
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        pieces = [(place, piece) for place, text in enumerate(texts) for piece in _slices(text)]
        counts = [0] * len(texts)
        encoded = tokenizer.encode_batch_fast([piece for _, piece in pieces], add_special_tokens=False)
        for (place, _), one in zip(pieces, encoded, strict=True):
            counts[place] += len(one)
        return counts

    return count


def _slices(text: str) -> list[str]:
    readable = text.encode("utf-8", "replace").decode()  # tokenizers refuse lone surrogates
    return [readable[at : at + SLICE] for at in range(0, len(readable), SLICE)]
