"""What the engine promises beside the reference: nothing drifts, nothing in a query is an error, orders are stable."""

import json
import subprocess
import sys
from contextlib import closing
from uuid import UUID, uuid4

import pytest
from argilla_server.enums import SortOrder
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Dataset, MetadataProperty, Record, User, VectorSettings
from argilla_server.search_engine.base import (
    MetadataFilterScope,
    Order,
    RangeFilter,
    ResponseFilterScope,
    SearchEngine,
    SuggestionFilterScope,
    TermsFilter,
    TextQuery,
)

from argilla_embedded.search import DatabaseSearchEngine, prepare
from argilla_embedded.search.connection import connect, reading, sync_url
from argilla_embedded.search.schema import remove

from . import reference
from .conftest import Place
from .world import DIMENSIONS, START, Entry, World, Writer, made, store

HOSTILE = [
    *(
        "",
        " ",
        '"',
        '""',
        "(",
        ")",
        "((",
        "-",
        "--",
        "|",
        "+",
        "~",
        "*",
        "**",
        "\\",
        "\0",
        "a\0b",
        "'",
        "';--",
        "a:b:c",
    ),
    *("AND", "NOT", "a AND", "NEAR(a b)", "{c0} : a", "c0:a", "a^2", '"a"*', '"a b', "a & b", "a | | b", "a <-> b"),
    *(
        "\U0010ffff",
        "\ufeff",
        "\u202e",
        "%s",
        "%(v0)s",
        ":v0",
        "?",
        "$1",
        "'; DROP TABLE records; --",
        "~~",
        "a~9",
    ),
    *(
        '"a b"~',
        '"a b"~2',
        '"a b c"~99999999999',
        "a" * 10_000,
        "a " * 5_000,
        "(" * 10_000,
        "-(" * 5_000,
        "a|b " * 2_500,
    ),
    *(
        '"' * 9_999,
        "x* " * 3_000,
        " ".join(f"w{n}" for n in range(2_500)),
        "(a b | " * 1_400,
        '"' + "a b " * 2_400 + '"',
    ),
]


@pytest.fixture
def small(place: Place) -> World:
    """Return a dataset of its own, with few records and the same configuration."""
    world = made(int(uuid4().int % 2**32), 12)
    with closing(connect(sync_url(place.url))) as connection:
        store(world, connection, place.mark)
    return world


def dataset(world: World) -> Dataset:
    """Return the dataset as Argilla hands it over."""
    return Dataset(id=world.id, status="ready")


def insert(place: Place, world: World, **fields: str) -> UUID:
    """Insert a record without the engine's knowledge; return its id."""
    entry = Entry(uuid4(), dict(fields), None, "pending", None, START, START)
    with closing(connect(sync_url(place.url))) as connection:
        Writer(connection.cursor(), place.mark).entry(world, entry)
    return entry.id


async def count(place: Place, world: World, query: str, field: str | None = None) -> int:
    """Count the records that match a text."""
    return (await place.engine.search(dataset(world), TextQuery(q=query, field=field))).total


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_text_is_an_error(place: Place, query: str) -> None:
    for field in (None, "prompt", "chat", "picture"):
        answer = await place.engine.search(dataset(place.world), TextQuery(q=query, field=field), user_id="a")
        assert 0 <= answer.total <= 160


@pytest.mark.parametrize("value", ["\0", "\ud800", "'", "x" * 100_000, "1e999", "nan", "", "9" * 40])
async def test_no_value_of_a_filter_is_an_error(place: Place, value: str) -> None:
    scopes = [MetadataFilterScope(name) for name in ("topic", "length", "weight", "not declared")]
    for scope in [*scopes, SuggestionFilterScope("rating", "value"), SuggestionFilterScope("label", "no such")]:
        for wanted in (TermsFilter(scope, [value]), RangeFilter(scope, ge=value), RangeFilter(scope, le=value)):  # type: ignore[arg-type]
            assert (await place.engine.search(dataset(place.world), filter=wanted)).total <= 160


@pytest.mark.parametrize(
    ("text", "found", "missed"),
    [
        ("Don't stop", ["don't", "DON'T", "don'*", "stop"], ["don", "t", "dont", "don’t"]),
        ("pi is 3.14, or 1,000", ["3.14", "3.*", "1,000", "pi"], ["3", "14", "1000", "000"]),
        ("at example.com.", ["example.com", "exam*"], ["example", "com"]),
        ("a wi-fi router", ["wi", "fi", "wi-fi", "fi-wi", '"wi fi"'], ["wifi", "wi-fi*"]),
        ("café au lait", ["café", "CAFÉ", "caf*"], ["cafe", "cafè"]),
        ("中文搜索", ["中", "文", "中文", '"中文"', "搜*"], ["中国", '"文中"', "中文*"]),
        ("foo_bar ____ baz", ["foo_bar", '"foo_bar ____"'], ["foo", "bar"]),
        ("nice 👍🏽!", ["👍", "nice"], ["👎"]),
        (
            "one two three",
            ['"one two"', '"two three"', '"one th*" | two', "one +three", "nine | two"],
            ['"one three"', '"one tw*"'],
        ),
        ("a(b)c", ["a", "b", "c"], ["abc", "d | e"]),
        ("left -right", ["left -wrong", "-wrong", "left \\-right", "left -(wrong | worse)"], ["left -right", "-left"]),
    ],
)
async def test_words_are_cut_as_the_standard_analyser_does(
    place: Place, small: World, text: str, found: list[str], missed: list[str]
) -> None:
    remaining = len(small.entries)
    key = insert(place, small, prompt=text)
    for query in found:
        answer = await place.engine.search(dataset(small), TextQuery(q=query, field="prompt"), limit=1000)
        assert key in [item.record_id for item in answer.items], query
    for query in missed:
        answer = await place.engine.search(dataset(small), TextQuery(q=query, field="prompt"), limit=1000)
        assert key not in [item.record_id for item in answer.items], query
        assert answer.total <= remaining


async def test_operators_bind_from_left_to_right(place: Place, small: World) -> None:
    insert(place, small, prompt="aaa ccc")
    insert(place, small, prompt="bbb")
    assert await count(place, small, "aaa | bbb ccc") == 1
    assert await count(place, small, "ccc aaa | bbb") == 2
    assert await count(place, small, "aaa | (bbb ccc)") == 1


async def test_words_may_be_in_different_fields_but_a_phrase_is_in_one(place: Place, small: World) -> None:
    insert(place, small, prompt="alpha", answer="omega")
    assert await count(place, small, "alpha omega") == 1
    assert await count(place, small, '"alpha omega"') == 0
    assert await count(place, small, "alpha-omega") == 0
    assert await count(place, small, "alpha", "answer") == 0


async def test_an_unknown_field_is_an_error(place: Place) -> None:
    with pytest.raises(ValueError, match="Field nothing not found"):
        await place.engine.search(dataset(place.world), TextQuery(q="a", field="nothing"))


async def test_responses_cannot_be_filtered_by_nothing(place: Place) -> None:
    with pytest.raises(UnprocessableEntityError):
        await place.engine.search(dataset(place.world), filter=TermsFilter(ResponseFilterScope(), ["a"]))


async def test_every_write_is_seen_at_once(place: Place, small: World) -> None:
    key = insert(place, small, prompt="zebra")
    assert await count(place, small, "zebra") == 1
    place.write("UPDATE records SET fields = ? WHERE id = ?", json.dumps({"prompt": "giraffe"}), key.hex)
    assert (await count(place, small, "zebra"), await count(place, small, "giraffe")) == (0, 1)
    place.write("UPDATE records SET metadata = ? WHERE id = ?", json.dumps({"topic": ["zoo", "x"]}), key.hex)
    zoo = TermsFilter(MetadataFilterScope("topic"), ["zoo"])
    assert (await place.engine.search(dataset(small), filter=zoo)).total == 1
    before = (await place.engine.get_dataset_progress(dataset(small))).get("completed", 0)
    place.write("UPDATE records SET status = 'completed' WHERE id = ?", key.hex)
    assert (await place.engine.get_dataset_progress(dataset(small)))["completed"] == before + 1
    place.write("DELETE FROM records WHERE id = ?", key.hex)
    assert await count(place, small, "giraffe") == 0
    assert (await place.engine.search(dataset(small), filter=zoo)).total == 0
    assert (await place.engine.get_dataset_progress(dataset(small)))["total"] == 12


async def test_a_deleted_dataset_leaves_nothing_behind(place: Place, small: World) -> None:
    with closing(connect(sync_url(place.url))) as connection:
        if place.mark == "?":
            connection.execute("PRAGMA foreign_keys = ON")
        connection.cursor().execute(f"DELETE FROM datasets WHERE id = {place.mark}", [small.id.hex])
    assert (await place.engine.search(dataset(small))).total == 0
    with reading(place.url) as cursor:
        for table in ("record", "response", "field", "attribute"):
            spelled = small.id.hex if place.mark == "?" else str(small.id)
            cursor.execute(f"SELECT count(*) FROM argilla_search_{table} WHERE dataset_id = {place.mark}", [spelled])
            assert cursor.fetchone()[0] == 0, table
        cursor.execute("SELECT count(*) FROM argilla_search_value WHERE n NOT IN (SELECT n FROM argilla_search_record)")
        assert cursor.fetchone()[0] == 0


async def test_a_vector_written_deleted_or_changed_by_another_process_is_seen_at_once(
    place: Place, small: World
) -> None:
    async def nearest() -> list[UUID]:
        settings = VectorSettings(id=small.settings_id, name="vector", dimensions=DIMENSIONS)
        answer = await place.engine.similarity_search(dataset(small), settings, value=[9.0, -7.0, 5.0, 3.0, 1.0, 8.0])
        return [item.record_id for item in answer.items if (item.score or 0) > 0.9999]

    def elsewhere(statement: str, *values: str) -> None:
        arguments = [place.address, statement.replace("?", place.mark), *values]
        subprocess.run([sys.executable, "-W", "ignore", "-c", ELSEWHERE, *arguments], check=True)

    bare = next(entry for entry in small.entries if entry.vector)
    assert await nearest() == []
    elsewhere("UPDATE vectors SET value = ? WHERE record_id = ?", "[9, -7, 5, 3, 1, 8]", bare.id.hex)
    assert await nearest() == [bare.id]
    elsewhere("DELETE FROM vectors WHERE record_id = ?", bare.id.hex)
    assert await nearest() == []
    row = (bare.id.hex, "[18, -14, 10, 6, 2, 16]", bare.id.hex, small.settings_id.hex, str(START), str(START))
    names = "id, value, record_id, vector_settings_id, inserted_at, updated_at"
    elsewhere(f"INSERT INTO vectors ({names}) VALUES (?, ?, ?, ?, ?, ?)", *row)
    assert await nearest() == [bare.id]


ELSEWHERE = """
import sys
if sys.argv[1].startswith("/"):
    import sqlite3
    connection = sqlite3.connect(sys.argv[1], timeout=60)
else:
    import psycopg2
    connection = psycopg2.connect(sys.argv[1])
connection.cursor().execute(sys.argv[2], sys.argv[3:])
connection.commit()
"""


async def test_a_vector_is_not_missed_when_its_transaction_ends_late(place: Place, small: World) -> None:
    if place.mark == "?":
        pytest.skip("SQLite's writers come one after another")
    settings = VectorSettings(id=small.settings_id, name="vector", dimensions=DIMENSIONS)

    async def total() -> int:
        return (await place.engine.similarity_search(dataset(small), settings, value=[1.0] * DIMENSIONS)).total

    held = [entry for entry in small.entries if entry.vector and any(entry.vector)]
    before = await total()
    with closing(connect(sync_url(place.url))) as slow:
        slow.cursor().execute("BEGIN")
        slow.cursor().execute("DELETE FROM vectors WHERE record_id = %s", [held[0].id.hex])
        place.write("DELETE FROM vectors WHERE record_id = ?", held[1].id.hex)
        assert await total() == before - 1
        slow.cursor().execute("COMMIT")
    assert await total() == before - 2


async def test_similarity_refuses_what_is_unclear(place: Place) -> None:
    settings = VectorSettings(id=place.world.settings_id, name="vector", dimensions=DIMENSIONS)
    search, of = place.engine.similarity_search, dataset(place.world)
    with pytest.raises(ValueError, match="either vector value or record"):
        await search(of, settings)
    with pytest.raises(ValueError, match="either vector value or record"):
        await search(of, settings, value=[1.0], record=Record(id=uuid4()))
    with pytest.raises(UnprocessableEntityError):
        await search(of, settings, value=[1.0])
    assert (await search(of, settings, value=[0.0] * DIMENSIONS)).items == []


async def test_each_user_has_an_order_of_their_own_that_stays(place: Place) -> None:
    async def order(user: str) -> list[UUID]:
        return [
            item.record_id for item in (await place.engine.search(dataset(place.world), limit=200, user_id=user)).items
        ]

    first, second = await order("one"), await order("two")
    assert first == await order("one") and first != second and set(first) == set(second)
    with closing(connect(sync_url(place.url))) as connection:
        touched = f"UPDATE records SET updated_at = updated_at WHERE dataset_id = {place.mark}"
        connection.cursor().execute(touched, [place.world.id.hex])
    assert first == await order("one")


async def test_without_query_and_order_every_score_is_one_in_the_order_of_insertion(place: Place) -> None:
    answer = await place.engine.search(dataset(place.world), limit=200)
    assert [item.record_id for item in answer.items] == [entry.id for entry in place.world.entries]
    assert {item.score for item in answer.items} == {1.0}


async def test_a_filter_does_not_change_scores(place: Place) -> None:
    wanted = TermsFilter(ResponseFilterScope(property="status"), ["pending", "draft", "submitted", "discarded"])
    plain = await place.engine.search(dataset(place.world), "payment")
    assert plain == await place.engine.search(dataset(place.world), "payment", wanted)
    assert plain.items and all(item.score and item.score > 0 for item in plain.items)
    assert wanted.values[0] == "pending"


async def test_a_word_that_is_said_more_often_scores_higher(place: Place, small: World) -> None:
    once = insert(place, small, prompt="quokka and some other words that fill it up")
    often = insert(place, small, prompt="quokka quokka quokka")
    answer = await place.engine.search(dataset(small), "quokka")
    assert [item.record_id for item in answer.items] == [often, once]


async def test_progress_counts_records_and_the_users_own_responses(place: Place) -> None:
    world = place.world
    progress = await place.engine.get_dataset_progress(dataset(world))
    completed = sum(entry.status == "completed" for entry in world.entries)
    assert progress == {"total": 160, "completed": completed, "pending": 160 - completed}
    for user in world.users:
        mine = [answer.status for entry in world.entries for answer in entry.answers if answer.user == user]
        expected = {"total": len(mine), **{status: mine.count(status) for status in set(mine)}}
        assert await place.engine.get_dataset_user_progress(dataset(world), User(id=user)) == expected
    assert await place.engine.get_dataset_progress(Dataset(id=world.id, status="draft")) == {}
    assert await place.engine.get_dataset_user_progress(Dataset(status="draft"), User(id=uuid4())) == {}


async def test_metrics_count_terms_and_bound_numbers(place: Place) -> None:
    world = place.world

    async def metrics(name: str, kind: str) -> dict[str, object]:
        asked = MetadataProperty(id=world.ids[name], name=name, settings={"type": kind}, dataset_id=world.id)
        return (await place.engine.compute_metrics_for(asked)).model_dump()

    held = [(entry.metadata or {}).get("topic") for entry in world.entries]
    listed = [term for value in held if value is not None for term in (value if isinstance(value, list) else [value])]
    counted = sorted((-listed.count(term), term) for term in set(listed))
    found = await metrics("topic", "terms")
    assert found["total"] == len(listed)
    assert found["values"] == [{"term": term, "count": -count} for count, term in counted]
    assert await metrics("length", "integer") == {"min": -3, "max": 2**40, "type": "integer"}
    assert await metrics("weight", "float") == {"min": -0.5, "max": reference.single(2.5e10), "type": "float"}


async def test_a_property_declared_late_holds_what_records_have_already(place: Place, small: World) -> None:
    key = insert(place, small, prompt="a")
    place.write("UPDATE records SET metadata = ? WHERE id = ?", json.dumps({"late": "yes", "later": 1}), key.hex)
    late = TermsFilter(MetadataFilterScope("late"), ["yes"])
    assert (await place.engine.search(dataset(small), filter=late)).total == 0
    with closing(connect(sync_url(place.url))) as connection:
        small.ids["late"] = uuid4()
        Writer(connection.cursor(), place.mark).setting(
            "metadata_properties", small, "late", {"type": "terms"}, allowed_roles=[]
        )
    assert (await place.engine.search(dataset(small), filter=late)).total == 1


async def test_numbers_stored_as_text_are_numbers_and_floats_have_32_bits(place: Place, small: World) -> None:
    key = insert(place, small, prompt="a")
    place.write("UPDATE records SET metadata = ? WHERE id = ?", '{"length": "00777", "weight": 0.77}', key.hex)
    for wanted in (
        RangeFilter(MetadataFilterScope("length"), ge=777, le=777.5),
        TermsFilter(MetadataFilterScope("length"), ["777"]),
        RangeFilter(MetadataFilterScope("weight"), ge=0.77, le=0.77),
        RangeFilter(MetadataFilterScope("weight"), ge=0.7699999999, le=0.7700000001),
        TermsFilter(MetadataFilterScope("weight"), ["0.77"]),
    ):
        answer = await place.engine.search(dataset(small), filter=wanted)
        assert [item.record_id for item in answer.items] == [key], wanted
    order = [Order(MetadataFilterScope("length"), SortOrder.desc)]
    assert key in [item.record_id for item in (await place.engine.search(dataset(small), sort=order)).items][:12]


async def test_a_page_of_nothing_still_counts(place: Place) -> None:
    for offset, limit in ((0, 0), (1000, 10), (160, 1)):
        answer = await place.engine.search(dataset(place.world), offset=offset, limit=limit)
        assert (answer.items, answer.total) == ([], 160)


async def test_preparing_twice_changes_nothing_and_preparing_anew_finds_the_same(place: Place) -> None:
    def numbered() -> list[tuple[int, str]]:
        with reading(place.url) as cursor:
            cursor.execute("SELECT n, record_id FROM argilla_search_record ORDER BY n")
            found: list[tuple[int, str]] = cursor.fetchall()
            return found

    before, answer = numbered(), await place.engine.search(dataset(place.world), "card", limit=200)
    prepare(place.url)
    assert numbered() == before and await place.engine.ping()
    remove(place.url)
    prepare(place.url)
    again = await place.engine.search(dataset(place.world), "card", limit=200)
    assert {item.record_id for item in again.items} == {item.record_id for item in answer.items}


async def test_a_missing_trigger_is_noticed_and_mended(place: Place, small: World) -> None:
    if place.mark == "?":
        place.write("DROP TRIGGER argilla_search_record_insert")
    else:
        place.write("DROP TRIGGER argilla_search_on_records ON records")
    insert(place, small, prompt="unseen")
    assert await count(place, small, "unseen") == 0
    prepare(place.url)
    assert await count(place, small, "unseen") == 1


async def test_the_server_finds_the_engine_by_its_name() -> None:
    async with SearchEngine.get_by_name("embedded") as engine:
        assert isinstance(engine, DatabaseSearchEngine)
        assert (await engine.info())["name"] == "embedded"
        await engine.create_index(Dataset(id=uuid4()))
