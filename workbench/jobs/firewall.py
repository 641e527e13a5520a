"""The firewall of a project: what is to be learnt from, held against its evalsets' gate sides and stored gate sets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from workbench.config.evalset_yaml import FILE, load_evalset
from workbench.config.workbench_yaml import Workbench
from workbench.curation.firewall import Checked, Meaning, gate_sets, refuse_leaks
from workbench.curation.guarded_texts import Learnt
from workbench.reading.stored import StoredDataset

if TYPE_CHECKING:
    from workbench.curation.leaks import Vectors


def guard(rows: Iterable[Learnt], bench: Workbench, *, what: str) -> Checked:
    """Raise `LeakageError`, with a list, where rows that are to be learnt from are known to a gate set of the project.

    `rows` are rows of any kind, labelled records, or a judge's examples as `Guarded`, read once; `what` names their
    file or dataset in messages. Returns what was checked, for the manifest's rule.
    """
    return refuse_leaks(rows, gates_of(bench), bench.home, what=what, meaning=meaning_of(bench))


def guard_stored(stored: StoredDataset, bench: Workbench, *, what: str) -> Checked:
    """Do the same with a stored dataset, which is not read where there is no gate set."""
    gates = gates_of(bench)
    if not gates:
        return Checked(stored.manifest.n, ())
    return refuse_leaks(stored.iter_values(), gates, bench.home, what=what, meaning=meaning_of(bench))


def gates_of(bench: Workbench) -> list[StoredDataset]:
    """Return every gate set of a project; evalsets are read as they are now. Raises `ConfigError`, `DataError`."""
    folders = sorted(p.parent for p in bench.evalsets.glob(f"*/{FILE}"))
    evalsets = [load_evalset(folder) for folder in folders]
    current = [evalset.stored("gate", bench.home) for evalset in evalsets if "gate" in evalset.uses()]
    return gate_sets(bench.home, current)


def meaning_of(bench: Workbench) -> Meaning | None:
    """Return the embedding model that `firewall.embedding` of workbench.yaml names, or `None`."""
    named = bench.config.firewall.embedding
    return None if named is None else embedding_model(named, bench.config.firewall.cosine)


def embedding_model(model: str, cosine: float) -> Meaning:
    """Return an embedding model as the firewall asks it. Raises `ModelError` or `MissingExtra`."""
    from workbench.adapters.sentence_transformers import Embedder

    embedder = Embedder(model)

    def embed(texts: Sequence[str]) -> Vectors:
        import numpy as np

        return np.asarray(asyncio.run(embedder.embed(texts)), np.float32).reshape(len(texts), -1)

    return Meaning(embed, embedder.fingerprint(), cosine)
