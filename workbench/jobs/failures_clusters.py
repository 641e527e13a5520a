"""Clusters of a run's failures: embed, group, describe, and let a model name the groups where one is asked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from pydantic import ValidationError

from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.errors import DataError, Problem
from workbench.evaluation.run import read_run
from workbench.failures.clusters import By, Cluster, Clustering, compared_text, describe, drawn
from workbench.failures.entries import AnswerId
from workbench.failures.failing import find
from workbench.failures.failure import Failure, Wanted
from workbench.failures.naming import read_name, request_name
from workbench.jobs.failures import marks_of, read_book
from workbench.jobs.opening import open_models
from workbench.nouns import fingerprint
from workbench.store.cache import Kept
from workbench.store.files import write_atomic
from workbench.store.home import Home

if TYPE_CHECKING:
    from workbench.adapters.scikit_learn import Labels, Vectors

MOST = 50_000
"""Failures of one clustering."""
DEFAULT = "all-MiniLM-L6-v2"
AT_ONCE = 256
FORMAT = 1
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Asked:
    """How failures are to be clustered."""

    by: By = "all"
    k: int | None = None
    """Number of clusters; `None`: the one that fits best."""
    embedding: str | None = None
    """Embedding model, or `words`; `None`: that of workbench.yaml, else all-MiniLM-L6-v2."""
    namer: str | None = None
    """Model of workbench.yaml that names the clusters."""
    budget: float | None = None
    """Most money that naming may cost."""


def cluster(bench: Workbench, run_id: str, wanted: Wanted, asked: Asked, watch: Watch) -> Clustering:
    """Cluster a run's failures and keep the result. Raises `DataError` where fewer than three fail."""
    folder = bench.home.run(run_id)
    marks = marks_of(bench, folder)
    failures = find(read_run(folder), folder, wanted, marks, 0, MOST).failures
    if len(failures) < 3:
        fix = "loosen the filter, or look at them one by one: workbench failures find"
        raise DataError(Problem("TOO_FEW", "there are not three failures to cluster", got=str(len(failures)), fix=fix))
    notes = _notes(bench.home, folder.id)
    texts = [compared_text(failure, asked.by, notes.get(failure.of, "")) for failure in failures]
    model = asked.embedding or bench.config.labelling.embedding or bench.config.firewall.embedding or DEFAULT
    distinct = list(dict.fromkeys(texts))
    chosen = drawn(distinct) if model != "words" else []
    labels, nearness = _grouped(bench.home, distinct, chosen, model, asked.k, watch)
    at = {text: place for place, text in enumerate(distinct)}
    found = describe(failures, texts, [labels[at[t]] for t in texts], [nearness[at[t]] for t in texts])
    if asked.namer is not None:
        found = asyncio.run(_named(bench, asked.namer, asked.budget, found, failures))
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    result = Clustering(
        id=now.translate({ord(c): None for c in "-:.+"})[:18] + "-" + fingerprint([folder.id, now])[:4],
        run=folder.id, wanted=wanted, by=asked.by, embedding=model, at=now, n=len(failures),
        n_embedded=len(chosen), n_texts=len(distinct), named_by=asked.namer or "", clusters=found,
    )  # fmt: skip
    write_atomic(_folder(bench.home) / f"{result.id}.json", result.json_bytes())
    return result


def clusterings(home: Home, run_id: str | None = None) -> list[Clustering]:
    """Return what was clustered, the latest first; of one run, or of all. Damaged files are left out."""
    found = []
    for path in sorted(_folder(home).glob("*.json"), reverse=True):
        try:
            one = Clustering.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue  # it can be made again
        if run_id is None or one.run == run_id:
            found.append(one)
    return found


def cluster_of(home: Home, name: str) -> tuple[Clustering, Cluster]:
    """Return a cluster by `<clustering>:<number>`, or `latest:<number>`. Raises `DataError`."""
    which, _, number = name.rpartition(":")
    for one in clusterings(home):
        if which in ("latest", "", one.id):
            found = next((c for c in one.clusters if str(c.number) == number), None)
            if found is not None:
                return one, found
            break
    fix = "make one with workbench failures cluster; it prints the names"
    raise DataError(Problem("CLUSTER_UNKNOWN", "no such cluster is kept", got=name, fix=fix))


def _folder(home: Home) -> Path:
    return home.root / "failures" / "clusters"


def _notes(home: Home, run_id: str) -> dict[AnswerId, str]:
    """Return what coders wrote of each answer of a run."""
    current = read_book(home).current()
    return {
        of: " ".join([*dict.fromkeys(t for n in notes for t in n.tags), *(n.text for n in notes)])
        for of, notes in current.items()
        if of.run == run_id
    }


# ---------------------------------------------------------------- grouping


def _grouped(
    home: Home, texts: Sequence[str], chosen: Sequence[int], model: str, k: int | None, watch: Watch
) -> tuple[list[int], list[float]]:
    """Return each text's cluster and how near to its middle it is."""
    import numpy as np

    from workbench.adapters.scikit_learn import foreseen, k_means, word_vectors

    if model == "words":
        by_words = word_vectors(texts)
        labels = k_means(by_words, k)
        return labels.tolist(), _nearness(by_words, labels).tolist()
    vectors = _embedded(home, [texts[at] for at in chosen], model, watch)
    labels = np.full(len(texts), -1)
    labels[list(chosen)] = k_means(vectors, k)
    nearness = np.full(len(texts), -1.0)
    nearness[list(chosen)] = _nearness(vectors, labels[list(chosen)])
    if len(chosen) < len(texts):
        rest = np.flatnonzero(labels < 0)
        middles = _middles(vectors, labels[list(chosen)])
        labels[rest] = (foreseen(texts, chosen, vectors)[rest] @ middles.T).argmax(axis=1)
    return labels.tolist(), nearness.tolist()


def _nearness(vectors: Vectors, labels: Labels) -> Vectors:
    """Return the likeness of each row to the middle of its cluster."""
    found: Vectors = (vectors * _middles(vectors, labels)[labels]).sum(axis=1)
    return found


def _middles(vectors: Vectors, labels: Labels) -> Vectors:
    """Return the mean of each cluster, at unit length."""
    import numpy as np

    sums = np.zeros((int(labels.max()) + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, labels, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    found: Vectors = (sums / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return found


def _embedded(home: Home, texts: Sequence[str], model: str, watch: Watch) -> Vectors:
    """Return a unit vector a text; what was embedded before is kept in the home's cache."""
    import numpy as np

    from workbench.adapters.sentence_transformers import Embedder

    embedder = Embedder(model)
    identity = embedder.fingerprint()
    keys = [hashlib.sha256(f"{FORMAT}\n{identity}\n{text}".encode("utf-8", "replace")).digest() for text in texts]
    with closing(Kept(home.cache / "vectors.sqlite")) as kept:
        known = {k: v for at in range(0, len(keys), AT_ONCE) for k, v in kept.find(keys[at : at + AT_ONCE]).items()}
        missing = [at for at, key in enumerate(keys) if key not in known]

        async def make() -> None:
            try:
                for begin in range(0, len(missing), AT_ONCE):
                    some = missing[begin : begin + AT_ONCE]
                    made = await embedder.embed([texts[at] for at in some])
                    new = [(keys[at], orjson.dumps(vector)) for at, vector in zip(some, made, strict=True)]
                    kept.keep(new)
                    known.update(new)
                    watch(len(texts) - len(missing) + begin + len(some), len(texts))
            finally:
                await embedder.aclose()

        asyncio.run(make())
    return np.asarray([orjson.loads(known[key]) for key in keys], np.float32).reshape(len(keys), -1)


# ---------------------------------------------------------------- names


async def _named(
    bench: Workbench, namer: str, budget: float | None, found: Sequence[Cluster], failures: Sequence[Failure]
) -> tuple[Cluster, ...]:
    """Return the clusters as a model calls them; one that it does not name keeps its words."""
    by = {failure.of: failure for failure in failures}
    named = []
    async with open_models(bench, [namer], Budget(budget), lambda _: None) as opened:
        answers = await asyncio.gather(*(opened.models[namer].generate(request_name(one, by)) for one in found))
    for one, answer in zip(found, answers, strict=True):
        name, definition = read_name(answer)
        named.append(one.model_copy(update={"name": name, "definition": definition}))
    return tuple(named)
