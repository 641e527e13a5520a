"""Indexes of workbench.yaml: built from their documents, found again by content, opened for a pipeline."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from workbench.adapters.lancedb_index import LanceIndex, write_chunks
from workbench.adapters.sentence_transformers import Embedder, folder_of
from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError, MissingExtra, Problem
from workbench.models import Model, RagSpec, spec_fingerprint
from workbench.nouns import fingerprint
from workbench.rag.documents import Document
from workbench.rag.index import (
    MANIFEST,
    IndexManifest,
    IndexSpec,
    all_chunks,
    index_fingerprint,
    read_documents,
)
from workbench.rag.pipeline import RagPipeline, Reranker
from workbench.rag.splitting import Chunk
from workbench.store.files import moved, told_when_full, write_atomic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EmbedBy = Callable[[str, list[str]], Awaitable[list[list[float]]]]
"""From the name of an embedding model and texts to unit-length vectors."""
Watch = Callable[[int, int], None]
"""Told how many of how many chunks are embedded."""
AT_ONCE = 256
"""Chunks embedded between two looks at the clock."""
VALUES = 100
"""Values of a tag that the manifest names."""


def build_index(bench: Workbench, name: str, watch: Watch) -> tuple[IndexManifest, bool]:
    """Build an index of workbench.yaml, or find it built from the same documents; return it and whether it is new.

    It is written beside its place and moved there whole: a kill leaves the old one, or none. Raises `DataError` for
    documents that cannot be read, `ModelError` or `MissingExtra` for the embedding model.
    """
    if importlib.util.find_spec("lancedb") is None:
        raise MissingExtra("lancedb", "rag")
    spec = bench.index(name)
    found = read_documents(bench.path(spec.documents), spec.skip)
    embedder = None if spec.embedding is None else Embedder(_model(bench, spec.embedding))
    try:
        hashed = "" if embedder is None else embedder.fingerprint()
        print_of = index_fingerprint(found, spec, hashed)
        folder = _folder(bench, name, print_of)
        if (folder / MANIFEST).exists():
            return _manifest(folder), False
        rows = all_chunks(found, spec.split)
        _refuse_twins(rows, bench.path(spec.documents))
        vectors = None if embedder is None else asyncio.run(_embedded(embedder, rows, watch))
    finally:
        if embedder is not None:
            asyncio.run(embedder.aclose())
    manifest = _described(name, print_of, spec, hashed, vectors, found, rows)
    work = folder.parent / f".new-{uuid.uuid4().hex}"
    try:
        with told_when_full(work):
            work.mkdir(parents=True)
            write_chunks(work, rows, vectors)
            write_atomic(work / MANIFEST, manifest.json_bytes())
            moved(work, folder, MANIFEST)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest, True


def current_index(bench: Workbench, name: str) -> tuple[Path, IndexManifest]:
    """Return the index of the documents as they are now. Raises `DataError` when it was not built, or they changed."""
    spec = bench.index(name)
    hashed = "" if spec.embedding is None else Embedder(_model(bench, spec.embedding)).fingerprint()
    found = read_documents(bench.path(spec.documents), spec.skip)
    folder = _folder(bench, name, index_fingerprint(found, spec, hashed))
    if not (folder / MANIFEST).exists():
        older = any(folder.parent.glob(f"*/{MANIFEST}"))
        what = "documents or settings changed since this index was built" if older else "this index was not built yet"
        fix = f"workbench rag index {name}"
        raise DataError(Problem("INDEX_MISSING", what, str(bench.file), field=f"rag.{name}", fix=fix))
    return folder, _manifest(folder)


def rag_identity(bench: Workbench, spec: RagSpec, generator: str) -> str:
    """Return the fingerprint of a pipeline: its spec, the generator's fingerprint, and its indexes' content."""
    indexes = [current_index(bench, name)[1].fingerprint for name in spec.index]
    reranker = "" if spec.rerank is None else Embedder(_model(bench, spec.rerank)).fingerprint()
    return fingerprint([spec_fingerprint(spec), generator, indexes, reranker])


def open_pipeline(bench: Workbench, spec: RagSpec, generator: Model, embed: EmbedBy) -> RagPipeline:
    """Open a pipeline over its indexes."""
    indexes = []
    for name in spec.index:
        folder, manifest = current_index(bench, name)
        by = manifest.spec.embedding
        indexes.append(LanceIndex(folder, None if by is None else _embed_with(bench, by, embed), manifest.spec.about))
    return RagPipeline(spec, indexes, generator, _reranker(bench, spec))


def _reranker(bench: Workbench, spec: RagSpec) -> Reranker | None:
    if spec.rerank is None:
        return None
    from workbench.adapters.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(folder_of(_model(bench, spec.rerank)))


def _embed_with(
    bench: Workbench, model: str, embed: EmbedBy
) -> Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]:
    async def embedded(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return await embed(_model(bench, model), list(texts))

    return embedded


def _model(bench: Workbench, model: str) -> str:
    """Return a model's folder, where the name is one relative to workbench.yaml; else the name."""
    return str(bench.path(model)) if bench.path(model).is_dir() else model


async def _embedded(embedder: Embedder, rows: Sequence[Chunk], watch: Watch) -> NDArray[np.float32]:
    """Return a row of length 1 for each chunk."""
    import numpy as np

    parts: list[NDArray[np.float32]] = []
    for start in range(0, len(rows), AT_ONCE):
        texts = [row.text for row in rows[start : start + AT_ONCE]]
        parts.append(np.asarray(await embedder.matrix(texts), np.float32))
        watch(start + len(texts), len(rows))
    return np.concatenate(parts)


def _described(
    name: str,
    print_of: str,
    spec: IndexSpec,
    hashed: str,
    vectors: NDArray[np.float32] | None,
    found: Sequence[Document],
    rows: Sequence[Chunk],
) -> IndexManifest:
    tags: dict[str, set[str]] = {}
    for document in found:
        for tag, value in document.tags.items():
            tags.setdefault(tag, set()).add(value)
    return IndexManifest(
        name=name,
        fingerprint=print_of,
        spec=spec,
        embedding=hashed,
        dimensions=0 if vectors is None else vectors.shape[1],
        n_documents=len(found),
        n_chunks=len(rows),
        n_characters=sum(len(row.text) for row in rows),
        longest=max(len(row.text) for row in rows),
        documents={document.path: document.sha256 for document in found},
        tags={tag: sorted(values)[:VALUES] for tag, values in sorted(tags.items())},
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _refuse_twins(rows: Sequence[Chunk], folder: Path) -> None:
    """Raise `DataError` where two chunks have one id, since a gold passage could be either."""
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            fix = "give each passage an id of its own"
            raise DataError(
                Problem("DUPLICATE_ID", "two passages have this id", str(folder), field="id", got=row.id, fix=fix)
            )
        seen.add(row.id)


def _folder(bench: Workbench, name: str, print_of: str) -> Path:
    return bench.home.root / "indexes" / name / print_of


def _manifest(folder: Path) -> IndexManifest:
    try:
        return IndexManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as exc:
        what = f"the index is damaged: {str(exc).splitlines()[0]}"
        fix = "remove the folder and build it again: workbench rag index"
        raise DataError(Problem("INDEX_DAMAGED", what, str(folder), fix=fix)) from exc
