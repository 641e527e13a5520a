"""Personal data and secrets → placeholders such as `<email:1>`, which nothing leads back from.

Equal values within a row have the same number, counted by their first place in it; other rows count anew, so that no
two rows can be joined by a masked value. Masking what is masked changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from workbench.curation.quality.findings import Found, Kind, find
from workbench.curation.quality.personal import PERSONAL
from workbench.curation.quality.secrets import SECRETS
from workbench.curation.quality.views import Seen, Text, rewritten

EVERY: tuple[Kind, ...] = (*SECRETS, *PERSONAL)
"""All kinds; a secret's digits are no telephone number."""
_PLACED = re.compile(r"<([a-z_]{2,20}):(\d{1,9})>")


@dataclass
class Masking:
    """The placeholders of one row."""

    kinds: Sequence[Kind] = EVERY
    counts: Counter[str] = field(default_factory=Counter)
    """What was found, by kind."""
    numbers: dict[tuple[str, bytes], int] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    """The highest number in use, by kind."""

    def masked(self, text: Text) -> str:
        """Return one of the row's texts, masked; JSON stays JSON."""
        return self.in_json(text.text) if text.json else self.in_text(text.text)

    def in_text(self, text: str) -> str:
        """Return a text with what was found replaced; the very text where nothing was."""
        data = text.encode("utf-8", "surrogatepass")
        found = find(data, self.kinds)
        if not found:
            return text
        for kind, number in _PLACED.findall(text):
            self.taken[kind] = max(self.taken[kind], int(number))
        pieces: list[bytes] = []
        end = 0
        for one in found:
            pieces += (data[end : one.start], self._placeholder(one, data))
            end = one.end
        return b"".join([*pieces, data[end:]]).decode("utf-8", "surrogatepass")

    def in_json(self, text: str) -> str:
        """Return JSON text with its strings and long numbers masked; what is no JSON is masked as text."""
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return self.in_text(text)
        before = self.counts.total()
        masked = self._value(value)
        return text if self.counts.total() == before else orjson.dumps(masked).decode()

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.in_text(key): self._named(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._value(inner) for inner in value]
        if isinstance(value, str):
            return self.in_text(value)
        if isinstance(value, int) and not isinstance(value, bool) and (shown := self.in_text(str(value))) != str(value):
            return shown
        return value

    def _named(self, key: str, value: Any) -> Any:
        """Return a value, whose name may say that it is a secret: `{"password": "…"}`."""
        lead = f"{key}: "
        if isinstance(value, str) and (shown := self.in_text(lead + value)).startswith(lead):
            return shown.removeprefix(lead)
        return self._value(value)

    def _placeholder(self, one: Found, data: bytes) -> bytes:
        self.counts[one.kind] += 1
        key = (one.kind, data[one.start : one.end])
        if key not in self.numbers:
            self.taken[one.kind] += 1
            self.numbers[key] = self.taken[one.kind]
        return f"<{one.kind}:{self.numbers[key]}>".encode()


def masked_row(row: Seen, kinds: Sequence[Kind] = EVERY) -> tuple[Seen, Counter[str]]:
    """Return a row with its texts masked, and what was found by kind."""
    masking = Masking(kinds)
    return rewritten(row, masking.masked), masking.counts


def masked_text(text: str) -> str:
    """Return one text masked by itself."""
    return Masking().in_text(text)
