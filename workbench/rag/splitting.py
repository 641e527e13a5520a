"""From documents to chunks: by structure, by size with overlap, or where the author marked passages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Literal

from pydantic import Field, model_validator

from workbench.nouns import Noun
from workbench.rag.documents import Block, Document


class Splitting(Noun):
    """How documents are divided. Characters count, since tokens differ by model; 4 are about one token of English."""

    by: Literal["structure", "size", "passages"] = "structure"
    """`structure` paragraphs of one heading together, up to `size` · `size` windows over the whole text ·
    `passages` what each `<!-- passage: id -->` comment begins, whole."""
    size: int = Field(1000, ge=50, le=100_000)
    """Characters of a chunk, at most."""
    overlap: int = Field(100, ge=0)
    """Characters that a window repeats of the one before; `structure` repeats only where a paragraph is cut."""
    heading: bool = True
    """Whether a chunk begins with title and headings, which often say what it is about."""

    @model_validator(mode="after")
    def _moves_on(self) -> Splitting:
        if self.overlap * 2 > self.size:
            raise ValueError(f"overlap {self.overlap} is more than half of size {self.size}")
        return self


class Chunk(Noun):
    """A piece of a document, as it is indexed and put before the model."""

    id: str
    """`<document>#<n>`, from 1, or the author's own."""
    document: str
    """Id of its document."""
    place: int = Field(ge=0)
    """Its place in the document, from 0."""
    text: str
    """What it says."""
    page: int | None = None
    """Page of a PDF where it begins, from 1."""
    tags: dict[str, str] = {}
    """Its document's tags."""


def chunks(document: Document, how: Splitting) -> Iterator[Chunk]:
    """Yield the chunks of a document, in order."""
    pieces = {"structure": _by_structure, "size": _by_size, "passages": _by_passages}[how.by](document, how)
    for place, (id, text, page) in enumerate(pieces):
        yield Chunk(
            id=id or f"{document.id}#{place + 1}",
            document=document.id,
            place=place,
            text=text,
            page=page,
            tags=document.tags,
        )


Piece = tuple[str, str, int | None]
"""The author's id or nothing, text, page."""


def _by_structure(document: Document, how: Splitting) -> Iterator[Piece]:
    """Yield paragraphs under one heading, packed up to the size; a longer paragraph is cut at words."""
    for heading, blocks in groupby(document.blocks, key=lambda b: b.heading):
        head = _head(document, heading) if how.heading else ""
        room = max(50, how.size - len(head))
        packed: list[Block] = []
        for block in blocks:
            if len(block.text) > room:
                yield from _joined(packed, head)
                packed = []
                yield from (("", head + part, block.page) for part in windows(block.text, room, how.overlap))
            elif sum(len(b.text) + 2 for b in packed) + len(block.text) > room:
                yield from _joined(packed, head)
                packed = [block]
            else:
                packed.append(block)
        yield from _joined(packed, head)


def _joined(blocks: list[Block], head: str) -> Iterator[Piece]:
    if blocks:
        yield "", head + "\n\n".join(b.text for b in blocks), blocks[0].page


def _by_size(document: Document, how: Splitting) -> Iterator[Piece]:
    starts: list[tuple[int, int | None]] = []
    text = ""
    for block in document.blocks:
        text += "\n\n" if text else ""
        starts.append((len(text), block.page))
        text += block.text
    at = 0
    for part in windows(text, how.size, how.overlap):
        at = text.find(part, at)
        yield "", part, [page for start, page in starts if start <= at][-1]


def _by_passages(document: Document, how: Splitting) -> Iterator[Piece]:
    """Yield what each marker begins; text before the first marker has none and is divided by structure."""
    for marker, blocks in groupby(document.blocks, key=lambda b: b.marker):
        some = list(blocks)
        if marker:
            yield marker, "\n\n".join(b.text for b in some), some[0].page
        else:
            rest = document.model_copy(update={"blocks": tuple(some)})
            yield from (
                (f"{document.id}#~{n}", text, page) for n, (_, text, page) in enumerate(_by_structure(rest, how), 1)
            )


def windows(text: str, size: int, overlap: int) -> Iterator[str]:
    """Yield stretches of at most `size` characters, cut at spaces where it can be; each repeats the last `overlap`."""
    start = 0
    while start < len(text):
        end = _cut(text, start, start + size)
        if part := text[start:end].strip():
            yield part
        if end >= len(text):
            return
        start = max(start + 1, _word_start(text, end - overlap, end))


def _word_start(text: str, at: int, end: int) -> int:
    """Return where the first word begins at or behind `at`; `at` itself where none does before `end`."""
    space = text.find(" ", at - 1, end)
    return at if space < 0 else space + 1


def _cut(text: str, start: int, end: int) -> int:
    """Return where to cut at or before `end`: behind a paragraph, a sentence, a word, in this order of preference."""
    if end >= len(text):
        return len(text)
    least = start + (end - start) // 2
    for mark in ("\n\n", ". ", "\n", " "):
        if (at := text.rfind(mark, least, end)) >= 0:
            return at + len(mark)
    return end


def _head(document: Document, heading: str) -> str:
    """Return title and headings as the first line of a chunk, without saying one twice."""
    parts = heading.split(" > ") if heading else []
    told = [document.title, *parts] if document.title and document.title not in parts else parts
    return f"{' > '.join(told)}\n\n" if told else ""
