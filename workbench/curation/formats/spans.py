"""Traces as JSON: OpenTelemetry's OTLP requests and single spans, with OpenInference's, GenAI's or TruLens' attributes.

A span of a model's call, or of an application's that TruLens records, becomes a record. Passages of retrieval spans
come along where these stand in the same row (an OTLP request) and trace. See opentelemetry.io/docs/specs/otlp (JSON),
arize-ai.github.io/openinference, opentelemetry.io/docs/specs/semconv/gen-ai and trulens-otel-semconv.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from workbench.curation.formats.format import Dropped, Fields, Format, Notes, Unfit, shown_kind

Attributes = dict[str, Any]
INDEXED = re.compile(r"(.+?)\.(\d+)\.(.+)")
INPUTS = ("llm.input_messages", "gen_ai.prompt")
OUTPUTS = ("llm.output_messages", "gen_ai.completion")
ROOT = "ai.observability.record_root"
"""TruLens' span of a whole question and its answer."""
RETRIEVED = "ai.observability.retrieval.retrieved_contexts"


def read(row: Fields, notes: Notes) -> list[Fields]:
    """Return a record for each call of a model that the row holds. Raises `Dropped` where it holds none."""
    spans = list(_spans(row))
    passages: dict[str, list[Fields]] = {}
    for trace, _, given in spans:
        passages.setdefault(trace, []).extend(_passages(given))
    found = []
    for trace, span, given in spans:
        messages, outputs = _messages(given), _outputs(given)
        if not messages or not outputs:
            notes["OTHER_SPANS"] += 1
            continue
        record: Fields = {"messages": messages, "outputs": outputs, "contexts": _distinct(passages[trace])}
        if span:
            record["id"] = f"{trace}:{span}" if trace else span
        if isinstance(model := given.get("llm.model_name", given.get("gen_ai.request.model")), str):
            record["tags"] = {"model": model}
        if isinstance(truth := given.get(f"{ROOT}.ground_truth_output"), str) and truth:
            record["reference"] = truth
        found.append(record)
    if not found:
        raise Dropped("NO_CALLS")
    return found


def _spans(row: Fields) -> Iterator[tuple[str, str, Attributes]]:
    """Yield trace, span id and attributes of each span of a request, or of the one that the row is."""
    if "resourceSpans" not in row:
        given = row.get("context")
        context: Fields = given if isinstance(given, dict) else {}
        ids = [_id(row.get(a, row.get(b, context.get(b)))) for a, b in (("traceId", "trace_id"), ("spanId", "span_id"))]
        yield ids[0], ids[1], _attributes(row)
        return
    for resource in _list(row["resourceSpans"], "resourceSpans"):
        for scope in _list(resource.get("scopeSpans", []), "scopeSpans"):
            for span in _list(scope.get("spans", []), "spans"):
                yield _id(span.get("traceId")), _id(span.get("spanId")), _attributes(span)


def _id(value: Any) -> str:
    return value.removeprefix("0x") if isinstance(value, str) else ""


def _attributes(span: Fields) -> Attributes:
    """Return a span's attributes by their full names, of OTLP's list of keys and values, or of nested objects."""
    given = span.get("attributes", {})
    if isinstance(given, str):
        given = orjson.loads(given)
    if isinstance(given, list):
        found = {one["key"]: _value(one.get("value")) for one in given if isinstance(one, dict) and "key" in one}
    elif isinstance(given, dict):
        found = dict(_flat(given, ""))
    else:
        raise Unfit("FIELD_TYPE", "should be an object or a list of key and value", "attributes", shown_kind(given))
    for event in span.get("events") or []:  # GenAI's messages may stand in events
        if isinstance(event, dict) and str(event.get("name", "")).startswith("gen_ai."):
            found |= _attributes(event)
    return found


def _value(given: Any) -> Any:
    """Return what an OTLP AnyValue holds."""
    if not isinstance(given, dict) or len(given) != 1:
        return given
    ((kind, value),) = given.items()
    if kind == "arrayValue":
        return [_value(one) for one in value.get("values", [])]
    if kind == "kvlistValue":
        return {one["key"]: _value(one.get("value")) for one in value.get("values", [])}
    return int(value) if kind == "intValue" else value


def _flat(given: Attributes, before: str) -> Iterator[tuple[str, Any]]:
    """Yield nested attributes under their dotted names; lists count their members."""
    for key, value in given.items():
        name = f"{before}{key}"
        yield name, value
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for at, one in enumerate(value):
                yield from _flat(one, f"{name}.{at}.")


def _messages(given: Attributes) -> list[Fields]:
    """Return the prompt of a call."""
    system = _parts(_parsed(given.get("gen_ai.system_instructions")))
    found = [{"role": "system", "content": system}] if system else []
    if isinstance(told := _parsed(given.get("gen_ai.input.messages")), list):
        return found + [m for m in map(_genai, told) if m]
    for name in INPUTS:
        if listed := _indexed(given, name):
            return [m for m in map(_message, listed) if m]
    kind = given.get("openinference.span.kind")
    value = given.get("input.value") if kind == "LLM" else given.get(f"{ROOT}.input")
    return [{"role": "user", "content": value}] if isinstance(value, str) and value else []


def _outputs(given: Attributes) -> list[str]:
    """Return the answers of a call."""
    if isinstance(told := _parsed(given.get("gen_ai.output.messages")), list):
        return [m["content"] for m in map(_genai, told) if m]
    for name in OUTPUTS:
        if listed := _indexed(given, name):
            return [m["content"] for m in map(_message, listed) if m]
    kind = given.get("openinference.span.kind")
    value = given.get("output.value") if kind == "LLM" else given.get(f"{ROOT}.output")
    return [value] if isinstance(value, str) else []


def _indexed(given: Attributes, name: str) -> list[Attributes]:
    """Return the members of a list that is spelled out as `name.0.…`, `name.1.…`."""
    found: dict[int, Attributes] = {}
    for key, value in given.items():
        match = INDEXED.fullmatch(key)
        if match and match[1] == name:
            found.setdefault(int(match[2]), {})[match[3].removeprefix("message.").removeprefix("document.")] = value
    return [found[at] for at in sorted(found)]


def _message(one: Attributes) -> Fields | None:
    role, content = one.get("role", "assistant"), one.get("content")
    if not isinstance(content, str):
        content = "".join(str(v) for k, v in sorted(one.items()) if k.endswith("message_content.text"))
    known = {"developer": "system", "function": "tool", "model": "assistant"}.get(role, role)
    return {"role": known, "content": content} if known in ("system", "user", "assistant", "tool") and content else None


def _genai(one: Any) -> Fields | None:
    """Return a message of GenAI's form, `role` and `parts`."""
    if not isinstance(one, dict):
        return None
    content = one["content"] if isinstance(one.get("content"), str) else _parts(one.get("parts"))
    return _message({"role": one.get("role", "assistant"), "content": content})


def _parts(parts: Any) -> str:
    if isinstance(parts, str):
        return parts
    given = (
        [p for p in parts if isinstance(p, dict) and p.get("type", "text") == "text"] if isinstance(parts, list) else []
    )
    return "".join(str(p.get("content", p.get("text", ""))) for p in given)


def _passages(given: Attributes) -> Iterator[Fields]:
    """Yield what a retrieval found."""
    listed = _indexed(given, "retrieval.documents")
    told = _parsed(given.get("gen_ai.retrieval.documents"))
    for at, one in enumerate(
        [*listed, *(d for d in (told if isinstance(told, list) else []) if isinstance(d, dict))], 1
    ):
        text, score = one.get("content", one.get("text")), one.get("score")
        if isinstance(text, str):
            number = float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None
            yield {"id": str(one.get("id") or f"passage-{at}"), "text": text, "score": number}
    retrieved = _parsed(given.get(RETRIEVED))
    for at, text in enumerate(retrieved if isinstance(retrieved, list) else [], 1):
        if isinstance(text, str):
            yield {"id": f"passage-{at}", "text": text, "score": None}


def _distinct(passages: list[Fields]) -> list[Fields]:
    return list({(p["id"], p["text"]): p for p in passages}.values())


def _parsed(value: Any) -> Any:
    """Return what a JSON text holds; GenAI's structured attributes may be either."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _list(value: Any, field: str) -> list[Fields]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unfit("FIELD_TYPE", "should be a list of objects", field, shown_kind(value))
    return value


def _looks(row: Fields) -> bool:
    return "resourceSpans" in row or ("attributes" in row and bool({"traceId", "trace_id", "context"} & row.keys()))


SPAN = frozenset({"traceId", "spanId", "trace_id", "span_id", "context", "attributes", "events", "parentSpanId",
                  "kind", "parent_id", "startTimeUnixNano", "endTimeUnixNano", "start_time", "end_time", "status",
                  "name", "flags", "resource", "links", "traceState", "span_kind", "status_code",
                  "status_message"})  # fmt: skip
SPANS = Format(
    "spans", "records", "OpenTelemetry: `resourceSpans`, or spans with `attributes`", _looks, read,
    SPAN | {"resourceSpans"},
)  # fmt: skip
