"""Languages, by the real model."""

from __future__ import annotations

import pytest

from workbench.adapters.py3langid import identify
from workbench.curation.quality.languages import language_of

TEXTS = {
    "en": "Hello there, how can I help you today?",
    "de": "Guten Tag, wie kann ich Ihnen heute helfen?",
    "fr": "Bonjour, comment puis-je vous aider aujourd'hui ?",
    "ru": "Привет, как я могу помочь вам сегодня?",
    "zh": "你好，我能帮你什么？",
    "ja": "こんにちは、お元気ですか",
    "ko": "안녕하세요 무엇을 도와드릴까요",
    "ar": "كيف يمكنني مساعدتك اليوم؟",
    "hi": "मैं आपकी कैसे मदद कर सकता हूँ?",
    "th": "ฉันช่วยอะไรคุณได้บ้าง",
    "und": "Ok, fine",
    "zxx": "12 + 34 = 46 https://example.com ```def f(x): return x```",
}


@pytest.mark.parametrize("code", TEXTS)
def test_a_sentence_is_told_and_what_is_too_short_or_no_language_is_not(code: str) -> None:
    assert language_of(TEXTS[code], identify) == code


def test_a_megabyte_and_a_lone_surrogate_are_no_trouble() -> None:
    assert language_of(TEXTS["en"] + " " * 1_000_000 + "\ud800", identify) == "en"
    assert identify("\ud800")[1] <= 1
