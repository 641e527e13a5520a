"""Indexing chunks and hybrid queries: this project beside LanceDB alone, each a process of its own, over one corpus.

Vectors come of a table of words (a static embedding of 384 numbers), which costs next to nothing: with a transformer
both sides would spend nearly all of their time in the same model, and the ratio would say nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

import yaml

from benchmarks.figures import Figure, Goal, ratios
from benchmarks.process import take
from benchmarks.project import text, vocabulary
from benchmarks.setting import Setting

NAME = "rag"
WORDS = 80
"""Words of a chunk."""
ASKED = 8
"""Words of a query."""
A_FILE = 100
"""Chunks of a document."""
TOP_K = 5
DIMENSIONS = 384
SIDES = ("LanceDB alone", "workbench")


def rag(setting: Setting) -> list[Figure]:
    """Measure both sides in each round: seconds to index, and each query by itself."""
    folder = setting.folder / NAME
    _prepare(folder, setting.sizes.many, setting.sizes.judgements)
    told: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for number in setting.each_round():
        for side in SIDES:
            out = folder / "out.json"
            take([sys.executable, "-m", "benchmarks.rag", side, str(folder), str(out), str(number)], setting.log())
            told[side].append(json.loads(out.read_text()))
            setting.say(f"round {number}: {side}, {told[side][-1]['index']:.1f} s")
    by = {
        (side, what): tuple(float(one[what]) for one in told[side])
        for side in SIDES for what in ("index", "index_cpu", "p50", "p95", "queries_cpu")
    }  # fmt: skip
    alone, ours = SIDES
    per, chunks = 1000 / setting.sizes.judgements, f"{setting.sizes.many:,} chunks"
    figures = [Figure(NAME, f"{side}: index {chunks}", "s", by[side, "index"]) for side in SIDES]
    figures += [Figure(NAME, f"{side}: index {chunks}, CPU", "s", by[side, "index_cpu"]) for side in SIDES]
    for what in ("p50", "p95"):
        figures += [Figure(NAME, f"{side}: hybrid query, {what}", "ms", by[side, what]) for side in SIDES]
    figures += [
        Figure(NAME, f"{side}: hybrid query, CPU", "ms", tuple(per * one for one in by[side, "queries_cpu"]))
        for side in SIDES
    ]
    goal = Goal("<=", 1.2)
    return [
        *figures,
        Figure(NAME, "index, × LanceDB alone", "×", ratios(by[ours, "index"], by[alone, "index"]), goal),
        Figure(NAME, "index, CPU, × LanceDB alone", "×", ratios(by[ours, "index_cpu"], by[alone, "index_cpu"])),
        Figure(NAME, "hybrid query, p95, × LanceDB alone", "×", ratios(by[ours, "p95"], by[alone, "p95"]), goal),
        Figure(
            NAME, "hybrid query, CPU, × LanceDB alone", "×", ratios(by[ours, "queries_cpu"], by[alone, "queries_cpu"])
        ),
    ]


def _prepare(folder: Path, n: int, queries: int) -> None:
    """Write documents, queries, a model of embeddings and a workbench."""
    draw = random.Random(20261123)
    words = vocabulary(draw)
    texts = [text(draw, words, WORDS) for _ in range(n)]
    (folder / "documents").mkdir(parents=True)
    for at in range(0, n, A_FILE):
        some = (f"<!-- passage: c{at + i} -->\n{one}\n" for i, one in enumerate(texts[at : at + A_FILE]))
        (folder / "documents" / f"d{at:06}.md").write_text("\n".join(some))
    (folder / "texts.json").write_text(json.dumps(texts))
    asked = [" ".join(draw.sample(draw.choice(texts).split(), ASKED)) for _ in range(queries)]
    (folder / "queries.json").write_text(json.dumps(asked))
    _embedding(folder / "embedding", words)
    index = {"documents": "documents", "split": {"by": "passages"}, "embedding": "embedding"}
    models = {"e": {"kind": "scripted"}, "bot": {"kind": "rag", "index": ["docs"], "generator": "e", "top_k": TOP_K}}
    config = {"models": models, "candidate": "bot", "rag": {"docs": index}}
    (folder / "workbench.yaml").write_text(yaml.safe_dump(config))


def _embedding(folder: Path, words: Sequence[str]) -> None:
    """Save a model that gives each word a random vector and each text their mean."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    known = {word: at for at, word in enumerate(dict.fromkeys(["<unk>", *words]))}
    tokenizer = Tokenizer(WordLevel(known, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=DIMENSIONS)]).save(str(folder))


# ---------------------------------------------------------------- one side, in a process of its own


async def _alone(folder: Path, number: str) -> dict[str, Any]:
    """LanceDB as its own pages say: a table, an index of words, hybrid queries."""
    import lancedb
    from lancedb.index import FTS
    from sentence_transformers import SentenceTransformer

    texts = json.loads((folder / "texts.json").read_text())
    model = SentenceTransformer(str(folder / "embedding"))
    clock = _Clock()
    vectors = model.encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
    rows = [{"id": f"c{at}", "text": one, "vector": v} for at, (one, v) in enumerate(zip(texts, vectors, strict=True))]
    table = lancedb.connect(str(folder / f"alone-{number}")).create_table("chunks", rows)
    table.create_index("text", config=FTS(stem=True, remove_stop_words=False, ascii_folding=True))
    told = clock.told("index")

    async def search(query: str) -> int:
        vector = model.encode([query], normalize_embeddings=True, show_progress_bar=False)[0]
        asked: Any = table.search(query_type="hybrid")
        asked = asked.vector(vector).text(query).distance_type("cosine").limit(TOP_K)
        return len(asked.to_list())

    return {**told, **await _queried(folder, search)}


async def _ours(folder: Path, number: str) -> dict[str, Any]:
    from workbench.calling.budget import Budget
    from workbench.config.workbench_yaml import load_workbench
    from workbench.jobs.opening import open_models
    from workbench.jobs.rag import build_index
    from workbench.rag.pipeline import RagPipeline

    config = (folder / "workbench.yaml").read_text()
    file = folder / f"workbench-{number}.yaml"
    file.write_text(config + f"home: home-{number}\n")
    bench = load_workbench(file)
    import lancedb  # noqa: F401  (loaded on both sides before the clock starts)
    import sentence_transformers  # noqa: F401

    clock = _Clock()
    await asyncio.to_thread(build_index, bench, "docs", lambda done, total: None)
    told = clock.told("index")
    async with open_models(bench, ["bot"], Budget(None), lambda _: None) as opened:
        pipeline = opened.models["bot"]
        assert isinstance(pipeline, RagPipeline)

        async def search(query: str) -> int:
            return len(await pipeline.retrieve(query))

        return {**told, **await _queried(folder, search)}


async def _queried(folder: Path, search: Callable[[str], Awaitable[int]]) -> dict[str, float]:
    """Put every query, one after the other."""
    queries = json.loads((folder / "queries.json").read_text())
    await search(queries[0])  # opens the table
    seconds, clock = [], _Clock()
    for query in queries:
        began = time.perf_counter()
        if await search(query) != TOP_K:
            raise RuntimeError(f"fewer than {TOP_K} passages for {query!r}")
        seconds.append(time.perf_counter() - began)
    each = quantiles(seconds, n=20)
    return {"p50": 1000 * each[9], "p95": 1000 * each[18], **clock.told("queries")}


class _Clock:
    """Seconds of wall and CPU since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def told(self, name: str) -> dict[str, float]:
        """Return both, under a name."""
        return {name: time.perf_counter() - self._wall, f"{name}_cpu": time.process_time() - self._cpu}


if __name__ == "__main__":
    side, where, out, number = sys.argv[1:]
    made = asyncio.run((_alone if side == SIDES[0] else _ours)(Path(where), number))
    Path(out).write_text(json.dumps(made))
