"""Read a judge's reply: one JSON object with evidence, reason and verdict, each checked."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

from workbench.nouns import Noun
from workbench.runs import ScoreFailure
from workbench.scoring.rubrics import Scale
from workbench.scoring.strict_json import TooDeep, loads_object_at

MAX_REPLY = 50_000
KEYS = frozenset({"evidence", "reason", "verdict"})
QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"'})


class Verdict(Noun):
    """What a judge said, checked."""

    value: float
    """Within the scale."""
    reason: str
    """One sentence, model text."""
    evidence: str
    """Words that do occur in the judged text."""


def verdict_schema(scale: Scale) -> dict[str, Any]:
    """Return the JSON Schema of the judge's reply."""
    if scale == "binary":
        verdict: dict[str, Any] = {"type": "string", "enum": ["pass", "fail"]}
    else:
        verdict = {"type": "integer", "enum": list(range(scale.ordinal.min, scale.ordinal.max + 1))}
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {"evidence": text, "reason": text, "verdict": verdict},
        "required": ["evidence", "reason", "verdict"],
        "additionalProperties": False,
    }


def parse_verdict(reply: str, scale: Scale, judged: str) -> Verdict | ScoreFailure:
    """Return the verdict in a judge's reply, or why there is none. Never raises.

    The verdict is the last JSON object of the reply, bare or fenced, with or without reasoning before it; it must
    have exactly the three keys, a verdict of the scale, and evidence that occurs in `judged`.
    """
    found = last_object(reply)
    if isinstance(found, ScoreFailure):
        return found
    if found.keys() != KEYS:
        return _unparsable(f"the judge's object has keys {_names(found)}, not evidence, reason, verdict")
    evidence, reason = found["evidence"], found["reason"]
    if not isinstance(evidence, str) or not isinstance(reason, str):
        return _unparsable("the judge's evidence and reason must be text")
    value = _value(found["verdict"], scale)
    if isinstance(value, ScoreFailure):
        return value
    if not occurs(evidence, judged):
        return ScoreFailure(kind="no_evidence", message=f"the judge's quote is not in the answer: {evidence[:200]!r}")
    return Verdict(value=value, reason=reason, evidence=evidence)


def occurs(quote: str, text: str) -> bool:
    """Return whether a quote with at least one letter or digit occurs in a text, case, width and spacing aside."""
    folded = _fold(quote)
    return any(c.isalnum() for c in folded) and folded in _fold(text)


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(QUOTES).casefold().split())


def last_object(reply: str) -> dict[str, Any] | ScoreFailure:
    """Return the last top-level JSON object of a reply.

    No brace may follow it: it would then lie inside a broken object, for example as a fake verdict that the judge
    quotes from the answer without escaping, or a second verdict would be cut.
    """
    if len(reply) > MAX_REPLY:
        return _unparsable(f"the judge's reply is longer than {MAX_REPLY} characters")
    last: tuple[dict[str, Any], int] | None = None
    at = reply.find("{")
    problem = ""
    while at >= 0:
        try:
            found, end = loads_object_at(reply, at)
            last, at = (found, end), reply.find("{", end)
        except TooDeep as exc:  # trying again one brace further on would take quadratic time
            return _unparsable(f"the judge's reply is not JSON: {exc}")
        except ValueError as exc:
            problem = problem or f"the judge's reply is not JSON: {exc}"
            at = reply.find("{", at + 1)
    if last is None:
        return _unparsable(problem or "there is no JSON object in the judge's reply")
    if "{" in reply[last[1] :] or "}" in reply[last[1] :]:
        return _unparsable("the judge's JSON object is broken: it does not end the reply")
    return last[0]


def _value(verdict: Any, scale: Scale) -> float | ScoreFailure:
    """Return the verdict as a number of the scale."""
    if scale == "binary":
        if not isinstance(verdict, str):
            return _unparsable(f"verdict must be pass or fail, not {json.dumps(verdict)[:100]}")
        value = {"pass": 1.0, "fail": 0.0}.get(verdict.strip().casefold())
        return _outside(verdict, "pass or fail") if value is None else value
    # bool is an int in Python, and "4" is text: neither is a number that the judge wrote.
    if isinstance(verdict, bool) or not isinstance(verdict, int | float) or not math.isfinite(verdict):
        return _unparsable(f"verdict must be a whole number, not {json.dumps(verdict)[:100]}")
    low, high = scale.ordinal.min, scale.ordinal.max
    if verdict != int(verdict) or not low <= verdict <= high:
        return _outside(verdict, f"a whole number from {low} to {high}")
    return float(verdict)


def _outside(verdict: object, scale: str) -> ScoreFailure:
    return ScoreFailure(kind="out_of_range", message=f"verdict {str(verdict)[:100]!r} is not {scale}")


def _unparsable(message: str) -> ScoreFailure:
    return ScoreFailure(kind="unparsable", message=message)


def _names(found: dict[str, Any]) -> str:
    return ", ".join(sorted(key[:40] for key in found)[:8]) or "(none)"
