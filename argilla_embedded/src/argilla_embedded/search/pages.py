"""Find the records of one dataset: which match, in what order, and how many there are."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from argilla_server.search_engine.base import Filter, Order, TextQuery

from argilla_embedded.search.conditions import ANYTHING, NOTHING, Attribute, Conditions
from argilla_embedded.search.connection import Backend
from argilla_embedded.search.match import Fts5, Match, SearchedField, TsQuery, match

PRIME = 2**31 - 1


@dataclass(frozen=True)
class Hit:
    """A record that matches, and how well; sorted results have no score."""

    record_id: UUID
    score: float | None


@dataclass(frozen=True)
class Page:
    """Some of the hits, and the number of all."""

    hits: list[Hit]
    total: int


@dataclass
class Search:
    """One search of a dataset, being put together."""

    cursor: Any
    backend: Backend
    dataset_id: UUID
    conditions: Conditions
    where: list[str]
    joins: str = ""
    score: str = "1.0"

    @classmethod
    def of(cls, cursor: Any, backend: Backend, dataset_id: UUID) -> "Search":
        """Begin a search of all records of the dataset."""
        conditions = Conditions(backend, {})
        search = cls(cursor, backend, dataset_id, conditions, [])
        key = conditions.identifier(dataset_id)
        rows = search.rows(f"""SELECT source, name, part, a, kind FROM argilla_search_attribute
        WHERE dataset_id = {key}""")
        conditions.attributes = {(source, name, part): Attribute(a, kind) for source, name, part, a, kind in rows}
        search.where = [f"r.dataset_id = {key}"]
        return search

    def rows(self, statement: str) -> list[Any]:
        """Run a statement with what is bound so far."""
        self.cursor.execute(statement, self.conditions.bound)
        found: list[Any] = self.cursor.fetchall()
        return found

    def narrow(self, filter: Filter | None) -> None:
        """Keep only what passes the filter."""
        if filter is not None and (condition := self.conditions.of(filter)) != ANYTHING:
            self.where.append(f"({condition})")

    def find(self, query: TextQuery | str | None) -> None:
        """Keep only what matches the query, and score it. Raises ValueError for an unknown field."""
        if query is None:
            return
        asked = TextQuery(q=query) if isinstance(query, str) else query
        found = match(asked.q, self._fields(asked.field), Fts5() if self.backend == "sqlite" else TsQuery())
        if found.expression is None:
            self.where += [] if found.negated else [NOTHING]
        elif self.backend == "sqlite":
            self._match_sqlite(found)
        else:
            self._match_postgresql(found)

    def page(self, order: Sequence[Order], offset: int, limit: int, user_id: object = None) -> Page:
        """Return the hits from `offset` on, ties in the order of insertion."""
        if NOTHING in self.where:
            return Page([], 0)
        score = "NULL" if order else self._for_user(user_id) if user_id else self.score
        keys = self.conditions.order(order)
        if not order and score != "1.0":
            keys = [(score, "DESC")]
        rows = self._cut(score, keys, offset, limit) if limit > 0 else []
        hits = [Hit(UUID(key), None if order else float(value)) for key, value, _ in rows]
        return Page(hits, rows[0][2] if rows and rows[0][2] is not None else self._total())

    def _cut(self, score: str, keys: list[tuple[str, str]], offset: int, limit: int) -> list[Any]:
        """Return (record, score, total); the total is left out where it is counted faster without its records."""
        named = [f"{key} AS k{place}" for place, (key, _) in enumerate(keys)]
        ends = f"LIMIT {int(limit)} OFFSET {int(offset)}"
        if len(self.where) == 1 and not self.joins:
            by = ", ".join([*(f"{key} {way}" for key, way in keys), "r.n"])
            return self.rows(f"SELECT r.record_id, {score}, NULL {self._source()} ORDER BY {by} {ends}")
        by = ", ".join([*(f"k{place} {way}" for place, (_, way) in enumerate(keys)), "n"])
        return self.rows(f"""WITH hits AS MATERIALIZED (
        SELECT {", ".join(["r.n", "r.record_id", f"{score} AS score", *named])} {self._source()})
        SELECT record_id, score, (SELECT count(*) FROM hits) FROM hits ORDER BY {by} {ends}""")

    def numbers(self) -> list[int]:
        """Return the numbers of all records that match, in order."""
        return [n for (n,) in self.rows(f"SELECT r.n {self._source()}")] if NOTHING not in self.where else []

    def _source(self) -> str:
        return f"FROM {self.joins or 'argilla_search_record AS r'} WHERE {' AND '.join(self.where)}"

    def _total(self) -> int:
        return int(self.rows(f"SELECT count(*) {self._source()}")[0][0])

    def _fields(self, name: str | None) -> tuple[SearchedField, ...]:
        key = self.conditions.identifier(self.dataset_id)
        rows = self.rows(f"SELECT name, place, type FROM argilla_search_field WHERE dataset_id = {key} ORDER BY place")
        if name and name not in [known for known, _, _ in rows]:
            raise ValueError(f"Field {name} not found in dataset {self.dataset_id}")
        wanted = [(place, kind) for known, place, kind in rows if kind != "image" and (not name or known == name)]
        return tuple(SearchedField(place, kind == "chat") for place, kind in dict(wanted).items())

    def _match_sqlite(self, found: Match) -> None:
        wanted = self.conditions.bind(found.expression)
        matches = f"argilla_search_text MATCH {wanted}"
        if found.negated:
            self.where.append(f"r.n NOT IN (SELECT rowid FROM argilla_search_text WHERE {matches})")
        else:  # CROSS keeps the text outside: asked for each record by itself, it would search anew each time
            self.joins = "argilla_search_text CROSS JOIN argilla_search_record AS r ON r.n = argilla_search_text.rowid"
            self.where.append(matches)
            self.score = "-bm25(argilla_search_text)"

    def _match_postgresql(self, found: Match) -> None:
        wanted = self.conditions.bind(found.expression)
        if found.negated:
            matching = f"SELECT n FROM argilla_search_text WHERE body @@ {wanted}::tsquery"
            self.where.append(f"r.n NOT IN ({matching})")
        else:
            self.joins = "argilla_search_record AS r JOIN argilla_search_text AS t ON t.n = r.n"
            self.where.append(f"t.body @@ {wanted}::tsquery")
            self.score = f"greatest(ts_rank(t.body, {wanted}::tsquery)::float8, 1e-9)"

    def _for_user(self, user_id: object) -> str:
        """Scale scores by a number in (0, 1] that is the record's and the user's own."""
        drawn = hashlib.sha256(str(user_id).encode()).digest()
        shift, factor = (int.from_bytes(part, "big") % (PRIME - 1) + 1 for part in (drawn[:8], drawn[8:16]))
        modulo = "%" if self.backend == "sqlite" else "%%"  # doubled where the driver reads % itself
        drawn_number = f"((r.shuffle + {shift}) {modulo} {PRIME}) * {factor} {modulo} {PRIME} + 1"
        return f"({self.score} * (({drawn_number}) / {PRIME}.0))"
