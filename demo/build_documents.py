"""Write ``evalsets/helpcentre``: the documents and the questions. Two runs give byte-identical files.

    python -m demo.build_documents [--out evalsets/helpcentre]

Each fact of the articles is one family (``group``): all questions about it share the group, so the split by the hash
of the group can never put two wordings of one question on both sides.
"""

import argparse
import json
import random
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from demo.articles import Article, read_articles
from demo.language import ABSTENTION, INSTRUCTIONS, SYSTEM, Fact, Format, answered, asked, prompted, stated

HOME = Path(__file__).parents[1] / "evalsets" / "helpcentre"
SEED = "helpcentre-1"
UNANSWERABLE = 0.14
FORMATS: tuple[Format, ...] = ("short", "short", "json", "cited")


@dataclass(frozen=True)
class Passage:
    """One passage as it stands in a document, and the facts it states."""

    id: str
    article: str
    topic: str
    text: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Shown:
    """The passages of one prompt; ``gold`` is the number (from 1) of the one that answers, or 0."""

    passages: list[Passage]
    gold: int


def build(out: Path) -> tuple[int, int]:
    """Write every file and return the numbers of documents and of samples."""
    articles = read_articles()
    passages = [passage for article in articles for passage in passages_of(article)]
    (out / "documents").mkdir(parents=True, exist_ok=True)
    for article in articles:
        (out / "documents" / f"{article.name}.md").write_text(document(article), encoding="utf-8", newline="\n")
    samples = [sample for passage in passages for sample in samples_of(passage, passages)]
    lines = "".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in samples)
    (out / "samples.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    return len(articles), len(samples)


def passages_of(article: Article) -> list[Passage]:
    """Write the sentences of each passage; the pattern of a sentence follows from its fact alone."""
    result = []
    for number, part in enumerate(article.parts, 1):
        sentences = [stated(fact, _draw(fact).randrange(2)) for fact in part.facts]
        text = " ".join([*sentences, part.text] if part.text else sentences)
        result.append(Passage(f"{article.name}#{number}", article.name, article.topic, text, part.facts))
    return result


def document(article: Article) -> str:
    """Write one article as Markdown; the id of a passage stands in a comment before it."""
    parts = [f"---\nid: {article.name}\ntitle: {article.title}\ntopic: {article.topic}\n---\n\n# {article.title}\n"]
    parts += [f"<!-- passage: {passage.id} -->\n{passage.text}\n" for passage in passages_of(article)]
    return "\n".join(parts)


def samples_of(passage: Passage, passages: list[Passage]) -> list[dict[str, object]]:
    """Write two or three questions for each fact of a passage."""
    result = []
    for fact in passage.facts:
        rng = _draw(fact)
        patterns = rng.sample(range(4), 3 if rng.random() < 0.35 else 2)
        forms = rng.sample(FORMATS, len(patterns))
        missing = rng.randrange(len(patterns)) if rng.random() < UNANSWERABLE * len(patterns) else None
        for turn, (pattern, form) in enumerate(zip(patterns, forms, strict=True)):
            shown = _shown(rng, passage, passages, answerable=turn != missing)
            result.append(_sample(fact, turn, pattern, "list" if fact.kind == "list" else form, shown))
    return result


def group_of(fact: Fact) -> str:
    """Name the family of a fact, such as ``limit: row limit for exports``."""
    return f"{fact.kind}: {fact.key}"


def _sample(fact: Fact, turn: int, pattern: int, form: Format, shown: Shown) -> dict[str, object]:
    question = asked(fact, pattern)
    prompt = prompted([passage.text for passage in shown.passages], question, INSTRUCTIONS[form])
    gold = shown.passages[shown.gold - 1] if shown.gold else None
    references = [answered(fact, form, shown.gold)] if gold else [ABSTENTION]
    slug = group_of(fact).replace(": ", "-").replace(" ", "-")
    return {
        "id": f"{slug}-{turn + 1}",
        "group": group_of(fact),
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}],
        "references": references,
        "contexts": [{"id": passage.id, "text": passage.text} for passage in shown.passages],
        "gold_contexts": [gold.id] if gold else [],
        "tags": {
            "format": form,
            "answerable": "yes" if gold else "no",
            "topic": shown.passages[0].topic if gold is None else gold.topic,
            "kind": fact.kind,
        },
    }


def _shown(rng: random.Random, passage: Passage, passages: list[Passage], answerable: bool) -> Shown:
    """Choose three passages: the answer's (or not), one of the same article, one of anywhere else."""
    facts = [other for other in passages if other.facts and other.id != passage.id]
    near = [other for other in facts if other.article == passage.article] or [
        other for other in facts if other.topic == passage.topic
    ]
    far = [other for other in facts if other.article != passage.article]
    chosen = [rng.choice(near), *rng.sample(far, 1 if answerable else 2)]
    if answerable:
        chosen.append(passage)
    rng.shuffle(chosen)
    return Shown(chosen, chosen.index(passage) + 1 if answerable else 0)


def _draw(fact: Fact) -> random.Random:
    """Give each fact its own random numbers, so that a new article leaves the others' samples as they are."""
    return random.Random(sha256(f"{SEED}:{group_of(fact)}".encode()).digest())


def main() -> None:
    """Parse the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HOME, help="folder to write to (default: %(default)s)")
    documents, samples = build(parser.parse_args().out)
    print(f"{documents} documents, {samples} samples")


if __name__ == "__main__":
    main()
