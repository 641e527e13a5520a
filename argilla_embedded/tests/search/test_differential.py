"""Seeded queries of every kind, answered by the engine and by the reference."""

import random
from typing import Any

import pytest
from argilla_server.enums import SimilarityOrder, SortOrder
from argilla_server.models import Dataset, Record, User, Vector, VectorSettings
from argilla_server.search_engine.base import (
    AndFilter,
    MetadataFilterScope,
    Order,
    RangeFilter,
    RecordFilterScope,
    ResponseFilterScope,
    SuggestionFilterScope,
    TermsFilter,
    TextQuery,
)

from . import reference
from .conftest import Place
from .world import DIMENSIONS, LABELS, PROPERTIES, QUESTIONS, START, TOPICS, WORDS, World

TYPED = [
    *WORDS,
    "don",
    "pay",
    "card payment",
    "CARD",
    "rate",
    "中",
    "カタ",
    "user",
    "System",
    "verdict",
    "none",
    "1.5",
    "!!!",
]


class Asker:
    """Draw queries, filters and orders."""

    def __init__(self, seed: int, world: World) -> None:
        self.draw = random.Random(seed)
        self.world = world

    def text(self) -> TextQuery | None:
        if self.draw.random() < 0.3:
            return None
        field = self.draw.choice([None, None, None, "prompt", "chat", "extra", "answer", "picture"])
        return TextQuery(q=self._clauses(2), field=field)

    def _clauses(self, depth: int) -> str:
        parts = [self._clause(depth) for _ in range(self.draw.choice([1, 1, 2, 3]))]
        return "".join(part + self.draw.choice([" ", " ", " | ", " + ", "  "]) for part in parts).strip(" ")

    def _clause(self, depth: int) -> str:
        word = self.draw.choice(TYPED)
        shape = self.draw.randrange(8 if depth else 6)
        if shape == 0:
            return "-" + word
        if shape == 1:
            return word[: self.draw.randint(1, 4)] + "*"
        if shape == 2:
            return f'"{word} {self.draw.choice(WORDS)}"'
        return word if shape < 6 else f"{self.draw.choice(['', '-'])}({self._clauses(depth - 1)})"

    def user(self) -> User | None:
        return User(id=self.draw.choice(self.world.users)) if self.draw.random() < 0.6 else None

    def scope(self) -> Any:
        question = self.draw.choice([*QUESTIONS])
        return self.draw.choice(
            [
                MetadataFilterScope(self.draw.choice([*PROPERTIES, "undeclared"])),
                SuggestionFilterScope(question, self.draw.choice(["value", "value", "score", "agent", "type"])),
                ResponseFilterScope(question=question, user=self.user()),
                ResponseFilterScope(property="status", user=self.user()),
                RecordFilterScope(self.draw.choice(["id", "external_id", "status", "inserted_at", "updated_at"])),
            ]
        )

    def filter(self, depth: int = 2) -> Any:
        if self.draw.random() < 0.25:
            return None if depth == 2 else AndFilter([])
        if depth and self.draw.random() < 0.4:
            inner = [self.filter(depth - 1) for _ in range(self.draw.randint(1, 3))]
            return AndFilter([each for each in inner if each is not None])
        scope = self.scope()
        if isinstance(scope, ResponseFilterScope) and scope.property:
            chosen = self.draw.sample(["pending", "draft", "submitted", "discarded"], self.draw.randint(0, 3))
            return TermsFilter(scope, chosen)
        kind, _ = reference.values_of(self.world, self.world.entries[0], scope)
        if self.draw.random() < 0.5:
            return TermsFilter(scope, [str(self._value(kind, scope)) for _ in range(self.draw.randint(1, 3))])
        low, high = sorted([self._value(kind, scope), self._value(kind, scope)])
        return RangeFilter(scope, ge=self.draw.choice([None, low]), le=self.draw.choice([None, high]))

    def _value(self, kind: str, scope: Any) -> Any:
        if kind == "date":
            return self.draw.choice(self.world.entries).inserted_at.isoformat()
        if kind in ("integer", "float"):
            return self.draw.choice([-3, 0, 0.1, 0.13, 0.5, 1, 2, 5, 7.5, 10])
        if isinstance(scope, RecordFilterScope):
            held = [getattr(entry, scope.property) for entry in self.world.entries]
            return str(self.draw.choice([value for value in held if value is not None]))
        return self.draw.choice([*LABELS, *TOPICS, "peter", "model-1", "human"])

    def orders(self) -> list[Order]:
        size = self.draw.choice([0, 1, 1, 2, 3])
        return [Order(self.scope(), self.draw.choice([SortOrder.asc, SortOrder.desc])) for _ in range(size)]


@pytest.mark.parametrize("seed", range(300))
async def test_a_seeded_query_finds_what_the_reference_finds(place: Place, seed: int) -> None:
    asker, world = Asker(seed, place.world), place.world
    query, wanted, orders = asker.text(), asker.filter(), asker.orders()
    user = asker.draw.choice([None, *world.users])
    size = asker.draw.choice([7, 40, 200])
    expected = reference.found(world, query, wanted)
    shown, scores, offset = [], [], 0
    while True:
        answer = await place.engine.search(
            Dataset(id=world.id), query, wanted, orders, offset, size, user_id=user and str(user)
        )
        assert answer.total == len(expected), (query, wanted)
        if not answer.items:
            break
        shown += [item.record_id for item in answer.items]
        scores += [item.score for item in answer.items]
        offset += size
    by_place = {entry.id: place for place, entry in enumerate(world.entries)}
    places = [by_place[key] for key in shown]
    assert len(places) == len(set(places)) and set(places) == expected
    if orders:
        assert places == reference.ordered(world, expected, orders), orders
        assert set(scores) <= {None}
    else:
        assert scores == sorted(scores, reverse=True)
        assert user or query or places == sorted(places)


@pytest.mark.parametrize("seed", range(60))
async def test_a_seeded_similarity_search_finds_what_the_reference_finds(place: Place, seed: int) -> None:
    asker, world = Asker(1000 + seed, place.world), place.world
    query, wanted = asker.text(), asker.filter()
    most = asker.draw.choice([1, 5, 50, 200])
    order = asker.draw.choice([SimilarityOrder.most_similar, SimilarityOrder.least_similar])
    vector, itself = [asker.draw.uniform(-1, 1) for _ in range(DIMENSIONS)], None
    settings = VectorSettings(id=world.settings_id, name="vector", dimensions=DIMENSIONS)
    record = None
    if seed % 2:
        itself = asker.draw.choice([p for p, e in enumerate(world.entries) if e.vector and any(e.vector)])
        vector = world.entries[itself].vector or []
        record = Record(id=world.entries[itself].id)
        record.vectors = [Vector(value=vector, vector_settings_id=world.settings_id)]
    threshold = asker.draw.choice([None, 0.6])
    answer = await place.engine.similarity_search(
        Dataset(id=world.id),
        settings,
        value=None if record else vector,
        record=record,
        query=query,
        filter=wanted,
        max_results=most,
        order=order,
        threshold=threshold,
    )
    turned = [-each for each in vector] if order == SimilarityOrder.least_similar else vector
    nearest = reference.similar(world, turned, reference.found(world, query, wanted), itself, most)
    assert answer.total == len(nearest)
    kept = [score for _, score in nearest if threshold is None or score >= threshold]
    assert [item.score for item in answer.items] == pytest.approx(kept, abs=1e-5)
    scored = {world.entries[p].id: s for p, s in reference.similar(world, turned, set(range(160)), itself, 200)}
    assert all(item.score == pytest.approx(scored[item.record_id], abs=1e-5) for item in answer.items)
    assert START.year == 2026
