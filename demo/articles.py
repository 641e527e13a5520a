"""The hand-written articles of the help centre, read from ``demo/texts/*.txt``."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from demo.language import Fact, Kind

FOLDER = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Part:
    """One passage: the facts it states, and plain text that it adds or consists of."""

    facts: tuple[Fact, ...]
    text: str


@dataclass(frozen=True)
class Article:
    """One page of the help centre; ``topic`` is the file it was written in."""

    name: str
    topic: str
    title: str
    parts: tuple[Part, ...]


def read_articles(folder: Path = FOLDER) -> list[Article]:
    """Read every article, in the order of file names and of lines."""
    articles = []
    for path in sorted(folder.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("= ")[1:]:
            heading, _, body = block.partition("\n")
            name, _, title = heading.partition(" | ")
            parts = tuple(_read_part(part) for part in _paragraphs(body))
            articles.append(Article(name, path.stem, title, parts))
    return articles


def _paragraphs(body: str) -> list[str]:
    """Split into passages; the introduction (line one) is a passage of its own."""
    introduction, _, rest = body.strip().partition("\n")
    return [introduction, *(part for part in rest.strip().split("\n\n") if part.strip())]


def _read_part(text: str) -> Part:
    facts, prose = [], []
    for line in text.strip().splitlines():
        kind, bar, rest = line.partition(" | ")
        if bar:
            if kind not in get_args(Kind):
                raise ValueError(f"Kind {kind!r} in {line!r} is not one of {', '.join(get_args(Kind))}.")
            key, _, value = rest.partition(" | ")
            facts.append(Fact(kind, key, value))  # type: ignore[arg-type]  # checked just above
        else:
            prose.append(line.removeprefix("+ "))
    return Part(tuple(facts), " ".join(prose))
