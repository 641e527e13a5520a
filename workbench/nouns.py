"""What all nouns share: frozen, strict, unknown fields refused, canonical bytes, content fingerprints."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Strict

T = TypeVar("T")

Many = Annotated[tuple[T, ...], Strict(False)]
"""A tuple that also accepts a list, because JSON and YAML have no tuples; its elements stay strict."""


class Noun(BaseModel):
    """A frozen value. `1` is no `"1"`, `true` is no `1`, NaN is no number, and an unknown field is an error."""

    # The docstrings below fields become descriptions only where schemas are made (`workbench.config.schemas`): reading
    # every class's source again at each start would take a quarter of a second.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    def json_bytes(self) -> bytes:
        """Return compact JSON, fields in declared order."""
        return orjson.dumps(self.model_dump(mode="json"))

    def settings(self, without: Collection[str] = ()) -> dict[str, Any]:
        """Return what differs from the defaults, as plain data for a fingerprint: a field that a later version of the
        workbench adds leaves all older fingerprints as they are. So a default never changes (`tests/test_defaults.py`).
        """
        return self.model_dump(mode="json", exclude_defaults=True, exclude=set(without))


def canonical_bytes(value: Any) -> bytes:
    """Return JSON bytes that depend on the value alone: sorted keys, no spaces, UTF-8.

    `value` is plain data (dict, list, str, int, float, bool, None). Lone surrogates, which UTF-8 has not, are escaped.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        import json

        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode(
            "ascii"
        )


def plain_of(text: str | bytes) -> Any:
    """Return the plain data of JSON that `canonical_bytes` wrote, lone surrogates too, which orjson refuses.

    Raises `ValueError` for what is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        import json

        return json.loads(text)


def indented(value: Any) -> str:
    """Return plain data as JSON for people, two spaces a level; lone surrogates are escaped."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:
        import json

        return json.dumps(value, indent=2, allow_nan=False)


def fingerprint(value: Any) -> str:
    """Return a content hash of plain data: 32 hex digits of SHA-256 over `canonical_bytes`."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()[:32]


def fingerprint_set(hashes: Iterable[bytes]) -> str:
    """Return a content hash of a collection whose order has no meaning, from the SHA-256 digest of each member."""
    digest = hashlib.sha256()
    for member in sorted(hashes):
        digest.update(member)
    return digest.hexdigest()[:32]
