"""Regular expressions by RE2: time grows with the text's length, whatever the pattern and whoever wrote the text."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field


@lru_cache(maxsize=512)
def compiled(pattern: str, ignore_case: bool = False) -> Any:
    """Return the compiled pattern. Raises `ValueError` that says what RE2 refuses, such as look-around."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(pattern, options)
    except re2.error as exc:
        reason = exc.args[0].decode("utf-8", "replace") if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise ValueError(f"RE2 refuses the pattern: {reason}; it has no look-around and no back-references") from exc
    except UnicodeEncodeError as exc:
        raise ValueError("the pattern holds a lone surrogate") from exc


def encodable(text: str) -> str:
    """Return text with lone surrogates, which RE2 cannot take, as `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _checked(pattern: str) -> str:
    compiled(pattern)
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_checked)]
"""A regular expression in RE2's syntax, checked when it is loaded."""
