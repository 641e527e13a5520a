"""Datasets as plain values: put into Argilla's tables for the engine, and read as they are by the reference."""

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

START = datetime(2026, 1, 1, 12)
WORDS = [
    *("card", "Card", "payment", "payments", "cash", "declined", "don't", "3.14", "1,000", "café", "cafe", "wi-fi"),
    *(
        "example.com",
        "foo_bar",
        "U.S.A.",
        "中文",
        "カタカナ",
        "ひら",
        "👍",
        "Straße",
        "the",
        "rate,",
        "(rate)",
        "naïve",
        "x:y",
    ),
]
LABELS = ["good", "bad", "ugly", "é"]
TOPICS = ["law", "law suit", "Law", "medicine", "sport", ""]
DIMENSIONS = 6


@dataclass
class Answer:
    """What one user answered, and its status."""

    user: UUID
    status: str
    values: dict[str, Any]


@dataclass
class Hint:
    """A suggestion."""

    value: Any
    score: Any = None
    agent: str | None = None
    type: str | None = None


@dataclass
class Entry:
    """A record with all that hangs on it, in the order of insertion."""

    id: UUID
    fields: dict[str, Any]
    metadata: dict[str, Any] | None
    status: str
    external_id: str | None
    inserted_at: datetime
    updated_at: datetime
    answers: list[Answer] = field(default_factory=list)
    hints: dict[str, Hint] = field(default_factory=dict)
    vector: list[float] | None = None


@dataclass
class World:
    """One dataset: its fields by type, questions by type, properties by type, users, and its records."""

    id: UUID
    fields: dict[str, str]
    questions: dict[str, str]
    properties: dict[str, str]
    users: list[UUID]
    entries: list[Entry]
    ids: dict[str, UUID]
    settings_id: UUID


FIELDS = {"prompt": "text", "chat": "chat", "extra": "custom", "picture": "image", "answer": "text"}
QUESTIONS = {
    **{"label": "label_selection", "labels": "multi_label_selection", "rating": "rating"},
    **{"ranking": "ranking", "note": "text", "spans": "span"},
}
PROPERTIES = {"topic": "terms", "a.b": "terms", "length": "integer", "weight": "float"}


def made(seed: int, size: int) -> World:
    """Draw a dataset, the same for the same seed."""
    draw = random.Random(seed)
    users = [_id(draw) for _ in range(3)]
    names = [*FIELDS, *QUESTIONS, *PROPERTIES]
    world = World(_id(draw), FIELDS, QUESTIONS, PROPERTIES, users, [], {name: _id(draw) for name in names}, _id(draw))
    world.entries = [_entry(draw, users, place) for place in range(size)]
    return world


def _entry(draw: random.Random, users: list[UUID], place: int) -> Entry:
    inserted = START + timedelta(hours=place // 3 * 7)
    entry = Entry(
        id=_id(draw),
        fields=_fields(draw),
        metadata=_metadata(draw),
        status=draw.choice(["pending", "pending", "completed"]),
        external_id=draw.choice([None, f"ext-{place:03}", f"Ext-{place}"]),
        inserted_at=inserted,
        updated_at=inserted + timedelta(minutes=draw.randrange(4)),
    )
    entry.answers = [_answer(draw, user) for user in users if draw.random() < 0.45]
    entry.hints = {name: _hint(draw, kind) for name, kind in QUESTIONS.items() if draw.random() < 0.6}
    if draw.random() < 0.85:
        entry.vector = [float(draw.randrange(-2, 3)) for _ in range(DIMENSIONS)]
    return entry


def _fields(draw: random.Random) -> dict[str, Any]:
    fields: dict[str, Any] = {"prompt": _text(draw), "picture": "https://example.com/card.png"}
    if draw.random() < 0.7:
        roles = draw.sample(["user", "assistant", "System"], draw.randint(1, 3))
        fields["chat"] = [{"role": role, "content": _text(draw)} for role in roles]
    if draw.random() < 0.5:
        fields["extra"] = {"verdict": draw.choice(WORDS), "of": [1.5, True, None, _text(draw)]}
    if draw.random() < 0.5:
        fields["answer"] = draw.choice([_text(draw), None])
    return fields


def _metadata(draw: random.Random) -> dict[str, Any] | None:
    if draw.random() < 0.1:
        return None
    drawn: dict[str, Any] = {
        "topic": draw.choice([*TOPICS, draw.sample(TOPICS, 2), None]),
        "a.b": draw.choice(TOPICS),
        "length": draw.choice([-3, 0, 2, 5, 10, 2**40]),
        "weight": draw.choice([-0.5, 0.0, 0.1, 0.13, 1.0, 2.5e10]),
        "undeclared": draw.choice(TOPICS),
    }
    return {name: value for name, value in drawn.items() if draw.random() < 0.8}


def _answer(draw: random.Random, user: UUID) -> Answer:
    values = {name: {"value": _value(draw, kind)} for name, kind in QUESTIONS.items() if draw.random() < 0.7}
    return Answer(user, draw.choice(["draft", "submitted", "submitted", "discarded"]), values)


def _hint(draw: random.Random, kind: str) -> Hint:
    several = kind in ("multi_label_selection", "ranking") and draw.random() < 0.5
    score = (
        [draw.randrange(11) / 10, draw.randrange(11) / 10] if several else draw.choice([None, draw.randrange(11) / 10])
    )
    agents = [None, "peter", "model-1", "Model 2"]
    return Hint(_value(draw, kind), score, draw.choice(agents), draw.choice([None, "human", "model"]))


def _value(draw: random.Random, kind: str) -> Any:
    if kind == "label_selection":
        return draw.choice(LABELS)
    if kind == "multi_label_selection":
        return draw.sample(LABELS, draw.randint(1, 3))
    if kind == "rating":
        return draw.randint(1, 10)
    if kind == "ranking":
        return [{"value": "a", "rank": 1}, {"value": "b", "rank": 2}]
    return "good card" if kind == "text" else [{"label": "bad", "start": 0, "end": 3}]


def _text(draw: random.Random) -> str:
    return draw.choice([" ", "  ", "\n", ", "]).join(draw.choices(WORDS, k=draw.randint(1, 7)))


def _id(draw: random.Random) -> UUID:
    return UUID(int=draw.getrandbits(128), version=4)


def store(world: World, connection: Any, mark: str) -> None:
    """Write the dataset with the rows that Argilla itself would write."""
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    writer = Writer(cursor, mark)
    workspace = UUID(int=world.id.int ^ 1)
    writer.put("workspaces", id=workspace, name=str(workspace))
    for user in world.users:
        account = {"username": str(user), "api_key": str(user), "password_hash": "x", "role": "annotator"}
        writer.put("users", id=user, first_name="A", last_name=None, **account)
    distribution = {"strategy": "overlap", "min_submitted": 1}
    about = {"workspace_id": workspace, "status": "ready", "allow_extra_metadata": "1", "last_activity_at": START}
    writer.put("datasets", id=world.id, name=str(world.id), distribution=distribution, **about)
    for name, kind in world.fields.items():
        writer.setting("fields", world, name, {"type": kind}, required="0")
    for name, kind in world.questions.items():
        writer.setting("questions", world, name, {"type": kind, "options": []}, required="0")
    for name, kind in world.properties.items():
        writer.setting("metadata_properties", world, name, {"type": kind}, allowed_roles=[])
    about_vectors = {"name": "vector", "title": "Vector", "dimensions": DIMENSIONS, "dataset_id": world.id}
    writer.put("vectors_settings", id=world.settings_id, **about_vectors)
    for entry in world.entries:
        writer.entry(world, entry)
    cursor.execute("COMMIT")
    cursor.close()


@dataclass
class Writer:
    """Insert rows by name, spelled so that both databases read them."""

    cursor: Any
    mark: str

    def put(self, table: str, **columns: Any) -> None:
        """Insert a row."""
        columns = {"inserted_at": START, "updated_at": START, **columns}
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join([self.mark] * len(columns))
        values = [_spelled(value) for value in columns.values()]
        self.cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def setting(self, table: str, world: World, name: str, settings: dict[str, Any], **more: Any) -> None:
        """Insert what a dataset is configured with."""
        self.put(table, id=world.ids[name], name=name, title=name, settings=settings, dataset_id=world.id, **more)

    def entry(self, world: World, entry: Entry) -> None:
        """Insert a record with all that hangs on it."""
        times = {"inserted_at": entry.inserted_at, "updated_at": entry.updated_at}
        content = {"fields": entry.fields, "metadata": entry.metadata, "status": entry.status}
        self.put("records", id=entry.id, dataset_id=world.id, external_id=entry.external_id, **content, **times)
        for place, answer in enumerate(entry.answers):
            key = UUID(int=entry.id.int ^ (place + 1))
            columns = {"record_id": entry.id, "user_id": answer.user, "status": answer.status}
            self.put("responses", id=key, values=answer.values, **columns)
        for place, (name, hint) in enumerate(entry.hints.items()):
            key = UUID(int=entry.id.int ^ (place + 1))
            columns = {"agent": hint.agent, "type": hint.type, "record_id": entry.id, "question_id": world.ids[name]}
            self.put("suggestions", id=key, value=Json(hint.value), score=Json(hint.score), **columns)
        if entry.vector is not None:
            columns = {"record_id": entry.id, "vector_settings_id": world.settings_id}
            self.put("vectors", id=entry.id, value=Json(entry.vector), **columns)


@dataclass(frozen=True)
class Json:
    """A value to be stored as JSON, even None."""

    value: Any


def _spelled(value: Any) -> Any:
    if isinstance(value, Json):
        return json.dumps(value.value)
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, UUID):
        return value.hex
    return value.isoformat(" ", "microseconds") if isinstance(value, datetime) else value
