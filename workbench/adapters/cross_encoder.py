"""Rerankers: a cross-encoder of sentence-transformers reads question and passage together."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from workbench.errors import MissingExtra, ModelError


class CrossEncoderReranker:
    """One cross-encoder, by its folder, loaded at the first question; one batch at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: Any = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rerank")

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return a score for each text, in the model's own unit. Raises `ModelError` or `MissingExtra`."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._scores, query, list(texts))

    async def aclose(self) -> None:
        """End the worker thread."""
        await asyncio.to_thread(self._worker.shutdown)

    def _scores(self, query: str, texts: list[str]) -> list[float]:
        if self._loaded is None:
            self._loaded = _load(self._folder)
        pairs = [(query, text) for text in texts]
        return [float(score) for score in self._loaded.predict(pairs, show_progress_bar=False)]


def _load(folder: Path) -> Any:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise MissingExtra("sentence-transformers", "rag")
    from sentence_transformers import CrossEncoder

    try:
        return CrossEncoder(str(folder), num_labels=1, local_files_only=True, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError, KeyError) as exc:
        raise ModelError(
            f"{folder} is no cross-encoder ({exc}); give a folder that sentence-transformers saved"
        ) from exc
