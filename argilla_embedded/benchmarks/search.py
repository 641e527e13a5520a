"""Measure search over many records: `python benchmarks/search.py [--records N] [--url URL] [--queries N]`.

Prints a table on stderr and JSON on stdout. Without a URL it makes an SQLite database in a temporary folder.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

import numpy as np
import psutil

os.environ.setdefault("ARGILLA_HOME_PATH", tempfile.mkdtemp(prefix="argilla-search-bench-"))

from argilla_server.enums import SortOrder
from argilla_server.models import Dataset, MetadataProperty, User, VectorSettings
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

from argilla_embedded.search import DatabaseSearchEngine, prepare
from argilla_embedded.search.connection import connect, sync_url

START = datetime(2026, 1, 1)
DATASET, SETTINGS, TOPIC, LENGTH, LABEL = (UUID(int=place, version=4) for place in range(1, 6))
USERS = [UUID(int=place, version=4) for place in (11, 12)]
TOPICS = ["law", "medicine", "sport", "finance", "travel", "music", "code", "food"]
GOALS_MS = {"filter + text + sort": 300, "similarity": 500, "similarity, filtered": 500, "progress": 50, "user's": 50}


class Filler:
    """Write records as Argilla does, a thousand to a transaction."""

    def __init__(self, connection: Any, mark: str, dimensions: int) -> None:
        """Draw words by Zipf's law."""
        self.cursor, self.mark, self.dimensions = connection.cursor(), mark, dimensions
        self.draw, self.numbers = random.Random(7), np.random.default_rng(7)
        self.words = [f"{chr(97 + place % 26)}{place:x}" for place in range(20000)]
        self.weights = list(accumulate(1 / (place + 2) for place in range(20000)))

    def put(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Insert rows that have the same columns."""
        rows = [{"inserted_at": _time(0), "updated_at": _time(0), **row} for row in rows]
        names = ", ".join(f'"{name}"' for name in rows[0])
        marks = ", ".join([self.mark] * len(rows[0]))
        self.cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", [list(row.values()) for row in rows])

    def configure(self) -> None:
        """Insert the dataset and what it is configured with."""
        self.cursor.execute("BEGIN")
        self.put("workspaces", [{"id": UUID(int=99).hex, "name": "bench"}])
        account = {"first_name": "A", "password_hash": "x", "role": "annotator"}
        self.put("users", [{"id": u.hex, "username": u.hex, "api_key": u.hex, **account} for u in USERS])
        about = {"status": "ready", "allow_extra_metadata": "1", "last_activity_at": _time(0)}
        distribution = json.dumps({"strategy": "overlap", "min_submitted": 1})
        owner = {"id": DATASET.hex, "name": "bench", "workspace_id": UUID(int=99).hex, "distribution": distribution}
        self.put("datasets", [{**owner, **about}])
        for place, name in enumerate(("prompt", "answer")):
            self._setting("fields", UUID(int=50 + place), name, {"type": "text"}, required="0")
        self._setting("questions", LABEL, "label", {"type": "label_selection", "options": []}, required="0")
        self._setting("metadata_properties", TOPIC, "topic", {"type": "terms"}, allowed_roles="[]")
        self._setting("metadata_properties", LENGTH, "length", {"type": "integer"}, allowed_roles="[]")
        vector = {"name": "vector", "title": "v", "dimensions": self.dimensions, "dataset_id": DATASET.hex}
        self.put("vectors_settings", [{"id": SETTINGS.hex, **vector}])
        self.cursor.execute("COMMIT")

    def _setting(self, table: str, key: UUID, name: str, settings: dict[str, str], **more: str) -> None:
        row = {"id": key.hex, "name": name, "title": name, "settings": json.dumps(settings), "dataset_id": DATASET.hex}
        self.put(table, [{**row, **more}])

    def records(self, first: int, count: int) -> None:
        """Insert records with metadata, suggestions, responses and vectors."""
        keys = [UUID(int=self.draw.getrandbits(128), version=4).hex for _ in range(count)]
        self.cursor.execute("BEGIN")
        self.put("records", [self._record(key, first + place) for place, key in enumerate(keys)])
        links = [{"id": key, "record_id": key} for key in keys]
        self.put("suggestions", [{**link, **self._suggestion()} for link in links])
        self.put("responses", [{**link, **self._response(USERS[0])} for link in links if self.draw.random() < 0.8])
        vectors = self.numbers.standard_normal((count, self.dimensions)).round(4).tolist()
        self.put(
            "vectors",
            [
                {**link, "vector_settings_id": SETTINGS.hex, "value": json.dumps(vector)}
                for link, vector in zip(links, vectors, strict=True)
            ],
        )
        self.cursor.execute("COMMIT")

    def _record(self, key: str, place: int) -> dict[str, Any]:
        drawn = self.draw.choices(self.words, cum_weights=self.weights, k=70)
        text = {"prompt": " ".join(drawn[:20]) + "?", "answer": " ".join(drawn[20:]) + "."}
        metadata = {"topic": self.draw.choice(TOPICS), "length": self.draw.randrange(1000)}
        row = {"id": key, "fields": json.dumps(text), "metadata": json.dumps(metadata), "dataset_id": DATASET.hex}
        return {**row, "status": self.draw.choice(["pending", "completed"]), "inserted_at": _time(place)}

    def _suggestion(self) -> dict[str, Any]:
        value, score = json.dumps(self.draw.choice(["good", "bad"])), json.dumps(self.draw.randrange(100) / 100)
        return {"question_id": LABEL.hex, "value": value, "score": score, "agent": "judge", "type": "model"}

    def _response(self, user: UUID) -> dict[str, Any]:
        values = json.dumps({"label": {"value": self.draw.choice(["good", "bad"])}})
        return {"user_id": user.hex, "values": values, "status": self.draw.choice(["draft", "submitted"])}


class Asker:
    """Draw the queries whose time is taken."""

    def __init__(self, engine: DatabaseSearchEngine, filler: Filler) -> None:
        """Ask about the records that were filled in."""
        self.engine, self.filler, self.draw = engine, filler, random.Random(8)
        self.dataset, self.user = Dataset(id=DATASET, status="ready"), User(id=USERS[0])
        self.settings = VectorSettings(id=SETTINGS, name="vector", dimensions=filler.dimensions)

    def kinds(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        """Name each kind of question."""
        topic = MetadataProperty(id=TOPIC, settings={"type": "terms"})
        search, near = self.engine.search, self.engine.similarity_search
        return {
            "filter + text + sort": lambda: search(
                self.dataset, self._text(), self._filter(), self._sort(), self.draw.choice([0, 50, 500]), 50
            ),
            "text, by score": lambda: search(self.dataset, self._text(), limit=50),
            "text, user's order": lambda: search(self.dataset, self._text(), limit=50, user_id=str(USERS[0])),
            "filter + sort, no text": lambda: search(self.dataset, None, self._filter(), self._sort(), 0, 50),
            "user's pending": lambda: search(self.dataset, None, self._status("pending"), limit=10, user_id="u"),
            "everything": lambda: search(self.dataset, limit=50),
            "similarity": lambda: near(self.dataset, self.settings, value=self._vector(), max_results=50),
            "similarity, filtered": lambda: near(
                self.dataset, self.settings, value=self._vector(), filter=self._filter(), max_results=50
            ),
            "progress": lambda: self.engine.get_dataset_progress(self.dataset),
            "user's progress": lambda: self.engine.get_dataset_user_progress(self.dataset, self.user),
            "metrics of terms": lambda: self.engine.compute_metrics_for(topic),
        }

    def _text(self) -> TextQuery:
        words, weights = self.filler.words[:3000], self.filler.weights[:3000]
        words = self.draw.choices(words, cum_weights=weights, k=self.draw.choice([1, 1, 2]))
        return TextQuery(q=" ".join(words), field=self.draw.choice([None, None, "answer"]))

    def _filter(self) -> Any:
        low = self.draw.randrange(500)
        topics = TermsFilter(MetadataFilterScope("topic"), self.draw.sample(TOPICS, 3))
        length = RangeFilter(MetadataFilterScope("length"), ge=low, le=low + 400)
        return AndFilter([topics, self.draw.choice([length, self._status("submitted")])])

    def _status(self, status: str) -> TermsFilter:
        return TermsFilter(ResponseFilterScope(property="status", user=self.user), [status])

    def _sort(self) -> list[Order]:
        scopes = [
            MetadataFilterScope("length"),
            RecordFilterScope("inserted_at"),
            SuggestionFilterScope("label", "score"),
        ]
        return [
            Order(scope, self.draw.choice([SortOrder.asc, SortOrder.desc])) for scope in self.draw.sample(scopes, 2)
        ]

    def _vector(self) -> list[float]:
        return [self.draw.gauss(0, 1) for _ in range(self.filler.dimensions)]


async def measured(ask: Callable[[], Awaitable[Any]], times: int) -> dict[str, float]:
    """Take wall and processor time of a question, in ms; the first one, which warms up, apart."""
    walls, processor = [], []
    for _ in range(times + 1):
        wall, used = time.perf_counter(), busy()
        await ask()
        walls.append((time.perf_counter() - wall) * 1000)
        processor.append((busy() - used) * 1000)
    warm, used = np.array(walls[1:]), np.array(processor[1:])
    found = {"first": walls[0], "p50": np.percentile(warm, 50), "p95": np.percentile(warm, 95), "max": warm.max()}
    found |= {"cpu_first": processor[0], "cpu_p95": np.percentile(used, 95)}
    return {name: round(float(value), 1) for name, value in found.items()}


def busy() -> float:
    """Return the processor seconds of this process and of every PostgreSQL on this machine."""
    processes = [each.info for each in psutil.process_iter(["name", "cpu_times"])]
    servers = [info["cpu_times"] for info in processes if info["name"] == "postgres"]
    return time.process_time() + sum(times.user + times.system for times in servers)


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--url", default=f"sqlite+aiosqlite:///{tempfile.mkdtemp(prefix='argilla-search-bench-')}/a.db")
    parser.add_argument("--filled", action="store_true", help="the database at --url holds the records already")
    options = parser.parse_args()
    mark = "?" if options.url.startswith("sqlite") else "%s"
    with closing(connect(sync_url(options.url))) as connection:
        filler = Filler(connection, mark, options.dimensions)
        filling = 0.0 if options.filled else _fill(options.url, filler, options.records)
    kinds = Asker(DatabaseSearchEngine(options.url), filler).kinds()
    times = {name: asyncio.run(measured(ask, options.queries)) for name, ask in kinds.items()}
    for name, figures in times.items():
        print(f"{name:24}", *(f"{key} {value:9.1f}" for key, value in figures.items()), file=sys.stderr)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    about = {"records": options.records, "dimensions": options.dimensions, "filling_s": filling, "peak_rss_mib": peak}
    print(json.dumps({**about, "ms": times}))


def _fill(url: str, filler: Filler, records: int) -> float:
    command = [sys.executable, "-W", "ignore", "-m", "argilla_server", "database", "migrate"]
    subprocess.run(command, env={**os.environ, "ARGILLA_DATABASE_URL": url}, check=True, capture_output=True)
    prepare(url)
    filler.configure()
    began = time.perf_counter()
    for first in range(0, records, 1000):
        filler.records(first, min(1000, records - first))
    return round(time.perf_counter() - began, 1)


def _time(place: int) -> str:
    return (START + timedelta(seconds=place)).isoformat(" ", "microseconds")


if __name__ == "__main__":
    main()
