"""Languages by py3langid: 97 of them, from a model of 5 MB within the package; nothing is fetched."""

from __future__ import annotations

from functools import cache
from typing import Any


def identify(text: str) -> tuple[str, float]:
    """Return the ISO 639-1 code of a text's language and its probability."""
    code, probability = _identifier().classify(text.encode("utf-8", "replace").decode())
    return str(code), float(probability)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
