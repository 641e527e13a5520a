"""What an index is: how YAML describes it, what it was made from, and where it lies.

```
<home>/indexes/<name>/<fingerprint>/   manifest.json chunks.lance/
```
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import Field

from workbench.nouns import Many, Noun, fingerprint
from workbench.rag.documents import Document, documents
from workbench.rag.splitting import Chunk, Splitting, chunks

MANIFEST = "manifest.json"
READER = "1"
"""Bumped when the same documents would be read or divided otherwise."""


class IndexSpec(Noun):
    """An index of documents."""

    documents: str = Field(min_length=1)
    """Folder of Markdown, HTML, PDF and text files, relative to workbench.yaml."""
    skip: Many[str] = ()
    """Patterns of paths below the folder that are left out, such as `drafts/*`."""
    split: Splitting = Splitting()
    """How documents are divided."""
    embedding: str | None = Field("all-MiniLM-L6-v2", min_length=1)
    """Embedding model, by hub id or folder, for documents and questions alike; `null`: only keywords are searched."""
    about: str = ""
    """What it is about, in words: a router goes by it."""


class IndexManifest(Noun):
    """What a built index is."""

    name: str
    """Its name in workbench.yaml."""
    fingerprint: str
    """Content hash of documents, splitting and embedding model."""
    spec: IndexSpec
    """How it was made."""
    embedding: str = ""
    """Content hash of the embedding model's files; empty without one."""
    dimensions: int = Field(0, ge=0)
    """Length of a vector."""
    n_documents: int = Field(ge=0)
    """Documents."""
    n_chunks: int = Field(ge=0)
    """Chunks."""
    n_characters: int = Field(ge=0)
    """Characters of all chunks."""
    longest: int = Field(ge=0)
    """Characters of the longest chunk."""
    documents: dict[str, str]
    """SHA-256 of each document, by path."""
    tags: dict[str, list[str]] = {}
    """Tags that can be filtered by, with their values, the first hundred of each."""
    built_at: str
    """ISO 8601 time, UTC."""


def index_fingerprint(found: Iterable[Document], spec: IndexSpec, embedding: str) -> str:
    """Return the content hash of an index that would be made of these documents."""
    files = sorted((d.id, d.path, d.sha256) for d in found)
    return fingerprint([READER, files, spec.split.settings(), embedding])


def all_chunks(found: Iterable[Document], how: Splitting) -> list[Chunk]:
    """Return the chunks of documents, in order."""
    return [chunk for document in found for chunk in chunks(document, how)]


def read_documents(folder: Path, skip: Sequence[str] = ()) -> list[Document]:
    """Return the documents below a folder but for those whose path fits a pattern. Raises `DataError`."""
    return [d for d in documents(folder) if not any(fnmatchcase(d.path, pattern) for pattern in skip)]
