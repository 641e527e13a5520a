"""What a simulated endpoint says. It is no model: it copies words from the request and invents nothing."""

from __future__ import annotations

import re
from typing import Any

import orjson

from workbench.simulated.plan import FaultName

EVIDENCE_WORDS = 8
OTHER_MODEL = "simulated-other-model"
BAD_SCORES: dict[FaultName, str] = {
    "out_of_range_score": '{"evidence": "EVIDENCE", "reason": "simulated", "verdict": 99}',
    "prose_score": "The answer is rather good, I would say four out of five.",
    "nan_score": '{"evidence": "EVIDENCE", "reason": "simulated", "verdict": NaN}',
}
"""Well-formed answers of a judge that no scorer may take for a score."""

_MATERIAL = re.compile(r"<data-([0-9a-zA-Z]+)>\n(.*)\n</data-\1>", re.DOTALL)
_ANSWER = re.compile(r"^## Answer[ \t]*\n(.*)\Z", re.DOTALL | re.MULTILINE)
_FROM_TO = re.compile(r"whole number from (-?\d+) to (-?\d+)")


def completion(
    asked: dict[str, Any], sha: str, fixed: str | None, fault: FaultName | None, number: int
) -> dict[str, Any]:
    """Return the body of a chat completion; `number` is the request's place in the order of arrival."""
    messages = asked.get("messages")
    texts = [str(m.get("content") or "") for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    text = fixed if fixed is not None else _text(texts, sha)
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    body: dict[str, Any] = {
        "id": f"chatcmpl-simulated-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": asked.get("model", "simulated"),
        "choices": [choice],
        "usage": _usage(sum(map(len, texts)), len(text)),
    }
    if fault in BAD_SCORES:
        message["content"] = BAD_SCORES[fault].replace("EVIDENCE", _evidence("\n".join(texts)))
    match fault:
        case "empty_choices":
            body["choices"] = []
        case "null_content":
            message["content"] = None
        case "empty_content":
            message["content"] = ""
        case "refusal":
            message |= {"content": None, "refusal": "I cannot help with that (simulated)."}
        case "length_cut":
            message["content"] = text[: max(1, len(text) // 2)]
            choice["finish_reason"] = "length"
        case "wrong_model":
            body["model"] = OTHER_MODEL
        case "duplicate_id":
            body["id"] = "chatcmpl-simulated-duplicate"
        case "error_in_200":
            return {"error": {"message": "simulated error inside status 200", "type": "server_error", "code": None}}
    return body


def _usage(prompt_characters: int, answer_characters: int) -> dict[str, int]:
    prompt, answer = prompt_characters // 4 + 1, answer_characters // 4 + 1
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _text(texts: list[str], sha: str) -> str:
    """Return a verdict where one is asked for, else a sentence that differs from request to request."""
    prompt = "\n".join(texts)
    if '"verdict"' not in prompt:
        return f"Simulated answer {sha[:8]}."
    steps = _FROM_TO.search(prompt)
    verdict = int(steps[2]) if steps else "pass"
    reply = {"evidence": _evidence(prompt), "reason": "Simulated verdict: nothing was judged.", "verdict": verdict}
    return orjson.dumps(reply).decode()


def _evidence(prompt: str) -> str:
    """Return the first words of the judged answer, as they stand there."""
    material = _MATERIAL.search(prompt)
    answer = _ANSWER.search(material[2]) if material else None
    words = re.match(rf"\s*((?:\S+\s*){{1,{EVIDENCE_WORDS}}})", answer[1]) if answer else None
    return words[1].strip() if words else "simulated"
