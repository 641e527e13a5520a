from __future__ import annotations

from collections import Counter
from typing import Any

from trulens.otel.semconv.trace import SpanAttributes

from workbench.curation.formats.spans import read


def span(name: str, **attributes: Any) -> dict[str, Any]:
    listed = [{"key": key, "value": value} for key, value in attributes.items()]
    return {"traceId": "t", "spanId": name, "name": name, "attributes": listed}


def text(value: str) -> dict[str, Any]:
    return {"stringValue": value}


def test_a_trace_of_trulens_becomes_a_record_with_its_passages_and_its_ground_truth() -> None:
    root, retrieval = SpanAttributes.RECORD_ROOT, SpanAttributes.RETRIEVAL
    asked = {root.INPUT: text("When?"), root.OUTPUT: text("In 1889."), root.GROUND_TRUTH_OUTPUT: text("1889")}
    passages = {"arrayValue": {"values": [text("Built in 1889."), text("Painted brown.")]}}
    spans = [
        span("root", **asked),
        span("found", **{retrieval.QUERY_TEXT: text("When?"), retrieval.RETRIEVED_CONTEXTS: passages}),
    ]
    notes: Counter[str] = Counter()
    (record,) = read({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}, notes)
    assert record["messages"] == [{"role": "user", "content": "When?"}]
    assert (record["outputs"], record["reference"], record["id"]) == (["In 1889."], "1889", "t:root")
    assert [passage["text"] for passage in record["contexts"]] == ["Built in 1889.", "Painted brown."]
    assert notes == {"OTHER_SPANS": 1}
