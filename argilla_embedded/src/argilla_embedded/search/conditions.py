"""Turn Argilla's filters and orders into SQL over the tables that `prepare` made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.search_engine.base import (
    AndFilter,
    Filter,
    FilterScope,
    MetadataFilterScope,
    Order,
    RangeFilter,
    RecordFilterScope,
    ResponseFilterScope,
    SuggestionFilterScope,
    TermsFilter,
)

from argilla_embedded.search.bounds import keyword_of, moments_of, number_of, single_precision
from argilla_embedded.search.connection import Backend

NOTHING, ANYTHING = "1 = 0", "1 = 1"
_DATES = ("inserted_at", "updated_at")
_KEYWORDS = {"id": "record_id", "external_id": "external_id", "status": "status"}


@dataclass(frozen=True)
class Attribute:
    """A number or keyword that records carry: its key in the table of values, and its type in Elasticsearch's terms."""

    key: int
    kind: Literal["text", "integer", "float"]


@dataclass
class Conditions:
    """Write SQL for one dataset, `r` being its records, and gather the values that are bound."""

    backend: Backend
    attributes: dict[tuple[str, str, str], Attribute]
    bound: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """Bind a value; return its placeholder."""
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f":{name}" if self.backend == "sqlite" else f"%({name})s"

    def identifier(self, value: Any) -> str:
        """Bind an id, as this database spells it."""
        return self.bind(UUID(str(value)).hex if self.backend == "sqlite" else str(UUID(str(value))))

    def of(self, wanted: Filter) -> str:
        """Write the condition that a filter sets. Raises UnprocessableEntityError for what no engine can filter by."""
        if isinstance(wanted, AndFilter):
            return " AND ".join(f"({self.of(each)})" for each in wanted.filters) or ANYTHING
        scope = wanted.scope
        if isinstance(scope, ResponseFilterScope):
            return self._of_response(wanted, scope)
        if isinstance(scope, RecordFilterScope):
            return self._of_property(wanted, scope.property)
        return self._of_values(wanted, self._attribute(scope))

    def order(self, orders: Sequence[Order]) -> list[tuple[str, str]]:
        """Write the keys of an order and which way, missing values last; what no record has is no key."""
        keys = []
        for order in orders:
            descending = str(order.order) == "desc"
            key = self._key(order.scope, descending)
            if key is not None:
                keys.append((key, f"{'DESC' if descending else 'ASC'} NULLS LAST"))
        return keys

    def _of_values(self, wanted: TermsFilter | RangeFilter, attribute: Attribute | None, user: str = "") -> str:
        if attribute is None:
            return NOTHING
        column = "text" if attribute.kind == "text" else "number"
        test = self._test(wanted, column, attribute.kind)
        if test == NOTHING:
            return NOTHING
        owned = f" AND user_id = {user}" if user else ""
        if self.backend == "postgresql" and attribute.kind == "text" and isinstance(wanted, TermsFilter):
            # Its index holds only beginnings: PostgreSQL refuses long keys.
            test += " AND " + self._keywords("left(text, 200)", [str(value)[:200] for value in wanted.values])
        found = f"r.n IN (SELECT n FROM argilla_search_value WHERE a = {self.bind(attribute.key)} AND {test}{owned})"
        # As a truth value PostgreSQL hashes it once; as a join, it guesses far too few and looks each record up.
        return f"({found}) IS TRUE" if self.backend == "postgresql" else found

    def _test(self, wanted: TermsFilter | RangeFilter, column: str, kind: str) -> str:
        if isinstance(wanted, TermsFilter):
            return (
                self._keywords(column, wanted.values) if kind == "text" else self._numbers(column, kind, wanted.values)
            )
        given = [(bound, sign) for bound, sign in ((wanted.ge, ">="), (wanted.le, "<=")) if bound is not None]
        parts = [self._beyond(column, kind, bound, sign) for bound, sign in given]
        return NOTHING if NOTHING in parts else " AND ".join([f"{column} IS NOT NULL", *parts])

    def _keywords(self, column: str, values: Sequence[object]) -> str:
        known = [word for word in map(keyword_of, values) if word is not None]
        return f"{column} IN ({', '.join(map(self.bind, known))})" if known else NOTHING

    def _numbers(self, column: str, kind: str, values: Sequence[object]) -> str:
        numbers = [number for number in map(number_of, values) if number is not None]
        if kind == "integer":
            return f"{column} IN ({', '.join(map(self.bind, numbers))})" if numbers else NOTHING
        equal = [
            f"({self._beyond(column, kind, number, '>=')} AND {self._beyond(column, kind, number, '<=')})"
            for number in numbers
        ]
        return f"({' OR '.join(equal)})" if equal else NOTHING

    def _beyond(self, column: str, kind: str, bound: object, sign: Literal[">=", "<="] | str) -> str:
        if kind == "text":
            word = keyword_of(bound)
            return f"{column} {sign} {self.bind(word)}" if word is not None else NOTHING
        number = number_of(bound)
        if number is None:
            return NOTHING
        if kind == "integer":
            return f"{column} {sign} {self.bind(number)}"
        edge, included = single_precision(float(number))[sign == "<="]
        return f"{column} {sign if included else sign[0]} {self.bind(edge)}"

    def _of_property(self, wanted: TermsFilter | RangeFilter, name: str) -> str:
        if str(name) in _DATES:
            return self._of_moment(wanted, f"r.{name}")
        if str(name) not in _KEYWORDS:
            return NOTHING
        column = f"r.{_KEYWORDS[str(name)]}"
        return self._test(wanted, self._dashed(column) if str(name) == "id" else column, "text")

    def _dashed(self, column: str) -> str:
        """Write an id as everybody outside the database spells it."""
        if self.backend == "postgresql":
            return column
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return "(" + " || '-' || ".join(f"substr({column}, {start}, {length})" for start, length in parts) + ")"

    def _of_moment(self, wanted: TermsFilter | RangeFilter, column: str) -> str:
        if isinstance(wanted, TermsFilter):
            spans = [span for span in map(moments_of, wanted.values) if span is not None]
            tests = [f"{column} BETWEEN {self._moment(first)} AND {self._moment(last)}" for first, last in spans]
            return f"({' OR '.join(tests)})" if tests else NOTHING
        parts = [ANYTHING]
        for bound, sign, end in ((wanted.ge, ">=", 0), (wanted.le, "<=", 1)):
            span = moments_of(bound) if bound is not None else None
            if bound is not None:
                parts.append(f"{column} {sign} {self._moment(span[end])}" if span else NOTHING)
        return " AND ".join(parts)

    def _moment(self, moment: datetime) -> str:
        return self.bind(moment.isoformat(" ", "microseconds") if self.backend == "sqlite" else moment)

    def _of_response(self, wanted: TermsFilter | RangeFilter, scope: ResponseFilterScope) -> str:
        if scope.question:
            user = self.identifier(scope.user.id) if scope.user else ""
            return self._of_values(wanted, self.attributes.get(("response", scope.question, "value")), user)
        if scope.property != "status" or not isinstance(wanted, TermsFilter):
            raise UnprocessableEntityError(
                f"Responses cannot be filtered by {scope.property!r} with {type(wanted).__name__}: "
                "name a question, or filter terms of the property 'status'."
            )
        return self._of_status([str(value) for value in wanted.values], scope)

    def _of_status(self, statuses: list[str], scope: ResponseFilterScope) -> str:
        """Pending is whatever the user has not answered; without a user, what nobody has."""
        owned = f" AND s.user_id = {self.identifier(scope.user.id)}" if scope.user else ""
        answered = "EXISTS (SELECT 1 FROM argilla_search_response AS s WHERE s.n = r.n{})"
        given = [status for status in statuses if status != "pending"]
        parts = [f"NOT {answered.format(owned)}"] if len(given) < len(statuses) else []
        if given:
            within = self._keywords("s.status", given)
            parts.append(NOTHING if within == NOTHING else answered.format(f"{owned} AND {within}"))
        if not parts:
            return answered.format(owned) if owned else ANYTHING
        return f"({' OR '.join(parts)})"

    def _attribute(self, scope: FilterScope) -> Attribute | None:
        if isinstance(scope, MetadataFilterScope):
            return self.attributes.get(("metadata", scope.metadata_property, "value"))
        if isinstance(scope, SuggestionFilterScope):
            return self.attributes.get(("suggestion", scope.question, str(scope.property)))
        raise UnprocessableEntityError(f"Records cannot be searched by {scope!r}.")

    def _key(self, scope: FilterScope, descending: bool) -> str | None:
        """Write what to order by: of several values the least, or the greatest when descending; of ratings the mean."""
        if isinstance(scope, RecordFilterScope):
            name = str(scope.property)
            return f"r.{_KEYWORDS.get(name, name)}" if name in _KEYWORDS or name in _DATES else None
        chosen = "max" if descending else "min"
        if not isinstance(scope, ResponseFilterScope):
            attribute, user = self._attribute(scope), None
        else:
            user = scope.user
            if not scope.question:
                return self._status_key(scope, chosen)
            attribute = self.attributes.get(("response", scope.question, "value"))
            chosen = "avg" if attribute is not None and attribute.kind != "text" else chosen
        if attribute is None:
            return None
        column = "text" if attribute.kind == "text" else "number"
        owned = f" AND v.user_id = {self.identifier(user.id)}" if user else ""
        return f"""(SELECT {chosen}(v.{column}) FROM argilla_search_value AS v
        WHERE v.n = r.n AND v.a = {self.bind(attribute.key)}{owned})"""

    def _status_key(self, scope: ResponseFilterScope, chosen: str) -> str | None:
        if scope.property != "status":
            return None
        owned = f" AND s.user_id = {self.identifier(scope.user.id)}" if scope.user else ""
        return f"(SELECT {chosen}(s.status) FROM argilla_search_response AS s WHERE s.n = r.n{owned})"
