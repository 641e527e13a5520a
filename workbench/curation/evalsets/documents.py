"""A folder of Markdown or text as passages: what stands behind `<!-- passage: id -->`, or else paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from workbench.errors import DataError, Problem

KINDS = (".md", ".markdown", ".txt")
MARK = re.compile(r"^<!--\s*passage:\s*(\S+)\s*-->\s*$", re.MULTILINE)
FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.*)$", re.MULTILINE)
SHORT = 40
"""Characters below which an unmarked paragraph is no passage."""


class DocumentPassage(NamedTuple):
    """A passage of a document."""

    id: str
    """`<document>#<number>`, or the id of its mark."""
    document: str
    """The file's name without its ending."""
    title: str
    """The document's first heading, or its name."""
    text: str
    """The passage itself."""


def read_documents(folder: Path) -> list[DocumentPassage]:
    """Return the passages of all documents below a folder, in the order of their names.

    Raises `DataError` for a folder that has none, a file that is no UTF-8, and two passages with one id.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and path.is_file())
    if not files:
        fix = f"name a folder with files that end in {', '.join(KINDS)}"
        raise DataError(Problem("NO_RECORDS", "no documents in this folder", str(folder), fix=fix))
    found: dict[str, DocumentPassage] = {}
    for path in files:
        for passage in _passages(path, folder):
            if passage.id in found:
                what = f"a passage's id stands twice; first in '{found[passage.id].document}'"
                fix = "give each passage an id of its own"
                raise DataError(Problem("DUPLICATE_ID", what, str(path), None, "passage", passage.id, fix))
            found[passage.id] = passage
    return list(found.values())


def _passages(path: Path, folder: Path) -> Iterator[DocumentPassage]:
    try:
        text = FRONT.sub("", path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as exc:
        fix = "save it as UTF-8"
        raise DataError(Problem("NOT_UTF8", f"byte {exc.start} is no UTF-8", str(path), fix=fix)) from exc
    name = path.relative_to(folder).with_suffix("").as_posix()
    title = heading[1].strip() if (heading := HEADING.search(text)) else name
    parts = MARK.split(text)
    if len(parts) > 1:
        marked = zip(parts[1::2], parts[2::2], strict=True)
        yield from (DocumentPassage(mark, name, title, body.strip()) for mark, body in marked if body.strip())
        return
    paragraphs = [one.strip() for one in re.split(r"\n\s*\n", text)]
    kept = [one for one in paragraphs if len(one) >= SHORT and not HEADING.fullmatch(one)]
    yield from (DocumentPassage(f"{name}#{n}", name, title, one) for n, one in enumerate(kept, 1))
