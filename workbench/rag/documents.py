"""Documents of a folder: Markdown, HTML, PDF and plain text, as blocks of text with heading and page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from workbench.errors import DataError, MissingExtra, Problem
from workbench.nouns import Many, Noun

MAX_BYTES = 100 * 1024 * 1024
"""Largest document."""
MARKER = re.compile(r"^<!--\s*passage:\s*(\S+)\s*-->\s*$", re.MULTILINE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$")
FRONT = re.compile(r"\A---\r?\n(.*?\r?\n)---\r?\n", re.DOTALL)
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
"""Names that a tag of a document may have, since they become columns."""


class Block(Noun):
    """A paragraph, table or list of a document."""

    text: str
    """What it says."""
    heading: str = ""
    """The headings above it, joined by ` > `."""
    page: int | None = Field(None, ge=1)
    """Page of a PDF, from 1."""
    marker: str = ""
    """The id that a `<!-- passage: id -->` comment gives to what follows it."""


class Document(Noun):
    """One file, read."""

    id: str = Field(min_length=1)
    """The `id` of its front matter, else its path below the folder without the ending."""
    path: str
    """Path below the folder."""
    title: str = ""
    """Its title, where it says one."""
    tags: dict[str, str] = {}
    """What its front matter says besides, and can be filtered by."""
    blocks: Many[Block]
    """Its text, in order."""
    sha256: str
    """Hash of the file's bytes."""


Reader = Callable[[bytes, str], tuple[dict[str, str], list[Block]]]
"""From bytes and path to front matter and blocks."""


def documents(folder: Path) -> Iterator[Document]:
    """Yield the documents below a folder, by path. Raises `DataError` for one that cannot be read, or two of one id.

    Hidden files and files of other kinds are passed over; a link that leads out of the folder is refused.
    """
    if not folder.is_dir():
        raise DataError(Problem("FILE_MISSING", "no such folder of documents", str(folder), fix="check the path"))
    seen: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in READERS or not path.is_file() or any(p.startswith(".") for p in Path(name).parts):
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            what = "this link leads out of the folder of documents"
            raise DataError(Problem("PATH_OUTSIDE", what, str(path), fix="copy the file into the folder"))
        found = _read(path, name)
        if found.id in seen:
            what = f"two documents have this id; the other is {seen[found.id]}"
            raise DataError(Problem("DUPLICATE_ID", what, str(path), field="id", got=found.id, fix="rename one"))
        seen[found.id] = name
        yield found
    if not seen:
        fix = f"put files into it: {', '.join(READERS)}"
        raise DataError(Problem("NO_RECORDS", "no document lies in this folder", str(folder), fix=fix))


def _read(path: Path, name: str) -> Document:
    if path.stat().st_size > MAX_BYTES:
        fix = "divide it into several"
        raise DataError(Problem("FILE_TOO_LARGE", f"a document of more than {MAX_BYTES:,} bytes", str(path), fix=fix))
    content = path.read_bytes()
    told, blocks = READERS[path.suffix.lower()](content, str(path))
    blocks = [block for block in blocks if block.text.strip()]
    if not blocks:
        what = "no text can be read from this document"
        fix = "is it a scan? run text recognition on it first" if path.suffix.lower() == ".pdf" else "write into it"
        raise DataError(Problem("NO_TEXT", what, str(path), fix=fix))
    id = told.pop("id", "") or str(Path(name).with_suffix("").as_posix())
    return Document(
        id=id, path=name, title=told.pop("title", ""), tags=told, blocks=tuple(blocks),
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip


def _markdown(content: bytes, path: str) -> tuple[dict[str, str], list[Block]]:
    text = _decoded(content, path)
    front = FRONT.match(text)
    body = text[front.end() :] if front else text
    headings: list[tuple[int, str]] = []
    blocks: list[Block] = []
    marker = ""
    for paragraph in _paragraphs(body):
        if found := MARKER.match(paragraph):
            marker, paragraph = found.group(1), MARKER.sub("", paragraph, count=1).strip()
        paragraph = COMMENT.sub("", paragraph).strip()
        if heading := HEADING.match(paragraph):
            level = len(paragraph) - len(paragraph.lstrip("#"))
            headings = [*((n, h) for n, h in headings if n < level), (level, heading.group(1))]
            marker = ""
        elif paragraph:
            blocks.append(Block(text=paragraph, heading=" > ".join(h for _, h in headings), marker=marker))
    return _front(front.group(1) if front else "", path), blocks


def _paragraphs(text: str) -> Iterator[str]:
    """Yield what blank lines divide, with code between fences in one piece and headings by themselves."""
    lines: list[str] = []
    fenced = False
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        alone = not fenced and HEADING.match(line) is not None
        if (not line.strip() and not fenced) or alone:
            if lines:
                yield "\n".join(lines)
            lines = []
            if alone:
                yield line
        else:
            lines.append(line)
    if lines:
        yield "\n".join(lines)


def _front(text: str, path: str) -> dict[str, str]:
    """Return the plain values of YAML front matter, as text; nothing else of YAML is needed, or read."""
    import yaml

    if not text:
        return {}
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as exc:
        what = f"the front matter is no YAML: {str(exc).splitlines()[0]}"
        raise DataError(Problem("YAML_SYNTAX", what, path, fix="mend what stands between the ---")) from exc
    plain = found if isinstance(found, dict) else {}
    return {str(k): v for k, v in plain.items() if isinstance(v, str) and PLAIN.fullmatch(str(k))}


def _html(content: bytes, path: str) -> tuple[dict[str, str], list[Block]]:
    """Return the visible text by headings; scripts, styles and navigation are left out, and nothing is loaded."""
    try:
        from bs4 import BeautifulSoup
    except ImportError as exc:
        raise MissingExtra("beautifulsoup4", "rag") from exc

    soup = BeautifulSoup(content, "lxml", from_encoding=None)
    for dead in soup(["script", "style", "noscript", "template", "nav", "header", "footer", "svg", "iframe", "form"]):
        dead.decompose()
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    headings: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for tag in soup.find_all(["h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "pre", "table", "blockquote", "dd", "dt"]):
        if tag.find_parent(["table", "li", "pre", "blockquote"]) is not None:
            continue  # told with what holds it
        text = _table(tag) if tag.name == "table" else tag.get_text(" ", strip=True)
        if tag.name[0] == "h" and tag.name[1:].isdigit():
            headings = [*((n, h) for n, h in headings if n < int(tag.name[1])), (int(tag.name[1]), text)]
        elif text:
            blocks.append(Block(text=text, heading=" > ".join(h for _, h in headings)))
    if not blocks and (text := soup.get_text("\n", strip=True)):
        blocks = [Block(text=text)]
    return ({"title": title} if title else {}), blocks


def _table(tag: Any) -> str:
    """Return a table as lines of cells divided by bars."""
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all(["td", "th"])] for row in tag.find_all("tr")]
    return "\n".join(" | ".join(row) for row in rows if any(row))


def _pdf(content: bytes, path: str) -> tuple[dict[str, str], list[Block]]:
    """Return the text of each page, tables as their cells stand in lines."""
    try:
        import pypdf
    except ImportError as exc:
        raise MissingExtra("pypdf", "rag") from exc
    from io import BytesIO

    try:
        reader = pypdf.PdfReader(BytesIO(content))
        if reader.is_encrypted:
            raise DataError(Problem("PDF_LOCKED", "this PDF has a password", path, fix="save it without one"))
        title = (reader.metadata.title if reader.metadata else None) or ""
        blocks = [
            Block(text=paragraph, page=number)
            for number, page in enumerate(reader.pages, 1)
            for paragraph in _paragraphs(page.extract_text() or "")
        ]
    except (pypdf.errors.PyPdfError, ValueError, KeyError, RecursionError) as exc:
        what = f"this PDF cannot be read: {str(exc).splitlines()[0] if str(exc) else type(exc).__name__}"
        raise DataError(Problem("PDF_DAMAGED", what, path, fix="save it again")) from exc
    return ({"title": title} if title else {}), blocks


def _text(content: bytes, path: str) -> tuple[dict[str, str], list[Block]]:
    return {}, [Block(text=paragraph) for paragraph in _paragraphs(_decoded(content, path))]


def _decoded(content: bytes, path: str) -> str:
    try:
        return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as exc:
        what = f"byte {exc.start:,} is no UTF-8"
        raise DataError(Problem("WRONG_ENCODING", what, path, fix="save it as UTF-8")) from exc


READERS: dict[str, Reader] = {
    ".md": _markdown, ".markdown": _markdown, ".html": _html, ".htm": _html, ".pdf": _pdf, ".txt": _text,
}  # fmt: skip
"""The kinds of documents, by ending."""
