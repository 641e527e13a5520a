"""Floats kept beside Argilla's vectors: whatever is kept, thinned out or lost, a search answers from Argilla's own."""

from __future__ import annotations

import json
import random
from contextlib import closing
from itertools import pairwise
from uuid import UUID, uuid4

import numpy as np
import pytest
from argilla_server.models import Dataset, VectorSettings

from argilla_embedded.search import kept_vectors, prepare, vectors
from argilla_embedded.search.connection import connect, reading, sync_url
from argilla_embedded.search.schema import remove

from .conftest import Place
from .world import DIMENSIONS, World, made, store


@pytest.fixture
def world(place: Place, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a dataset of its own, of which every five changes are a chunk."""
    monkeypatch.setattr(kept_vectors, "CHUNK", 5)
    found = made(int(uuid4().int % 2**32), 30)
    with closing(connect(sync_url(place.url))) as connection:
        store(found, connection, place.mark)
    return found


async def similar(place: Place, world: World, near: list[float]) -> dict[UUID, float]:
    """Return the scores of all that has a direction, as a process finds them that has just started."""
    vectors._matrices.clear()
    settings = VectorSettings(id=world.settings_id, name="vector", dimensions=DIMENSIONS)
    dataset = Dataset(id=world.id, status="ready")
    answer = await place.engine.similarity_search(dataset, settings, value=near, max_results=1000)
    return {item.record_id: item.score or 0.0 for item in answer.items}


def expected(place: Place, world: World, near: list[float]) -> dict[UUID, float]:
    """Return the same from Argilla's own table."""
    found = {}
    wanted = np.array(near) / np.linalg.norm(near)
    with closing(connect(sync_url(place.url))) as connection:
        cursor = connection.cursor()
        spelled = kept_vectors.spelled(place.engine.backend, world.settings_id)
        cursor.execute(f"SELECT record_id, value FROM vectors WHERE vector_settings_id = {place.mark}", [spelled])
        for record, value in cursor.fetchall():
            vector = np.array(json.loads(value) if isinstance(value, str) else value, float)
            if len(vector) == DIMENSIONS and (norm := float(np.linalg.norm(vector))) > 0:
                found[UUID(str(record))] = (1 + float(vector @ wanted) / norm) / 2
    return found


def kept(place: Place, world: World) -> list[tuple[int, int, int]]:
    """Return (since, upto, size) of each chunk, in order."""
    with reading(place.url) as cursor:
        spelled = kept_vectors.spelled(place.engine.backend, world.settings_id)
        listed = (
            f"SELECT since, upto, size FROM argilla_search_units WHERE settings_id = {place.mark} ORDER BY upto, id"
        )
        cursor.execute(listed, [spelled])
        return list(cursor.fetchall())


def change(place: Place, world: World, draw: random.Random) -> None:
    """Write, change or delete some vectors, or delete a record."""
    records = [entry.id.hex for entry in world.entries]
    for record in draw.sample(records, draw.randrange(1, 8)):
        what, value = draw.random(), json.dumps([draw.choice([0, 1, -2, 3.5]) for _ in range(DIMENSIONS)])
        if what < 0.4:
            place.write("UPDATE vectors SET value = ? WHERE record_id = ?", value, record)
        elif what < 0.65:
            place.write("DELETE FROM vectors WHERE record_id = ?", record)
        else:
            place.write(
                """INSERT INTO vectors (id, value, record_id, vector_settings_id, inserted_at, updated_at)
                SELECT ?, ?, id, ?, inserted_at, updated_at FROM records WHERE id = ?
                AND id NOT IN (SELECT record_id FROM vectors)""",
                *(uuid4().hex, value, world.settings_id.hex, record),
            )
    if draw.random() < 0.1:
        place.write("DELETE FROM vectors WHERE record_id = ?", records[0])
        place.write("DELETE FROM records WHERE id = ?", records[0])


@pytest.mark.parametrize("seed", range(4))
async def test_kept_floats_and_argillas_vectors_say_the_same(place: Place, world: World, seed: int) -> None:
    draw = random.Random(seed)
    most = 0
    for _ in range(25):
        change(place, world, draw)
        if draw.random() < 0.5:
            await place.engine.index_records(Dataset(id=world.id), [])
        near = [draw.gauss(0, 1) for _ in range(DIMENSIONS)]
        assert await similar(place, world, near) == pytest.approx(expected(place, world, near), abs=1e-6)
        stretches = sorted({(since, upto) for since, upto, _ in kept(place, world)})
        assert all(before[1] <= after[0] for before, after in pairwise(stretches))
        most = max(most, len(stretches))
    assert 2 <= most < 20, "chunks come, and go when they are outdated"


async def test_a_push_keeps_floats_so_that_no_search_reads_much_json(
    place: Place, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = sum(entry.vector is not None for entry in world.entries)
    await place.engine.index_records(Dataset(id=world.id), [])
    assert held - 5 < sum(size for _, _, size in kept(place, world)) <= held
    read: list[int] = []
    convert = kept_vectors.converted
    monkeypatch.setattr(vectors, "converted", lambda batch, n: read.append(len(batch)) or convert(batch, n))
    near = [1.0] * DIMENSIONS
    assert await similar(place, world, near) == pytest.approx(expected(place, world, near), abs=1e-6)
    assert sum(read) < 5


async def test_without_what_was_kept_and_after_all_is_built_anew_the_answer_is_the_same(
    place: Place, world: World
) -> None:
    near = [1.0, -1.0, 0.5, 2.0, 0.0, 1.0]
    wanted = expected(place, world, near)
    await place.engine.index_records(Dataset(id=world.id), [])
    place.write("DELETE FROM argilla_search_units")
    assert await similar(place, world, near) == pytest.approx(wanted, abs=1e-6)
    remove(place.url)
    prepare(place.url)
    assert await similar(place, world, near) == pytest.approx(wanted, abs=1e-6)


async def test_floats_of_settings_that_go_go_with_them(place: Place, world: World) -> None:
    await place.engine.index_records(Dataset(id=world.id), [])
    assert kept(place, world)
    place.write("DELETE FROM vectors WHERE vector_settings_id = ?", world.settings_id.hex)
    place.write("DELETE FROM vectors_settings WHERE id = ?", world.settings_id.hex)
    assert kept(place, world) == []


async def test_a_log_of_another_cluster_leaves_no_floats_that_could_be_older(place: Place, world: World) -> None:
    if place.mark == "?":
        pytest.skip("SQLite's log counts by itself, wherever the file lies")
    await place.engine.index_records(Dataset(id=world.id), [])
    place.write("UPDATE argilla_search_units SET since = since + 1000000000, upto = upto + 1000000000")
    prepare(place.url)
    assert kept(place, world) == []


async def test_rows_of_one_transaction_are_chunks_of_bounded_size(place: Place, world: World) -> None:
    if place.mark == "?":
        pytest.skip("SQLite numbers every change")
    place.write("UPDATE vectors SET value = value WHERE vector_settings_id = ?", world.settings_id.hex)
    await place.engine.index_records(Dataset(id=world.id), [])
    assert max(size for _, _, size in kept(place, world)) <= 5
    near = [1.0] * DIMENSIONS
    assert await similar(place, world, near) == pytest.approx(expected(place, world, near), abs=1e-6)
