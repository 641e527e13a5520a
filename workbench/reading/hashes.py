"""Sets of hashes kept as plain bytes: 8 or 32 a member, where Python objects would take ten times as much."""

from __future__ import annotations

import hashlib
from array import array


def short_hash(text: str) -> int:
    """Return 64 bits of SHA-256 over a text."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def equal_hashes(hashes: array[int]) -> frozenset[int]:
    """Return the hashes that occur more than once."""
    import numpy as np

    order = np.sort(np.frombuffer(hashes, dtype=np.uint64))
    return frozenset(order[1:][order[1:] == order[:-1]].tolist())


def distinct(hashes: array[int]) -> int:
    """Count the different hashes."""
    import numpy as np

    return len(np.unique(np.frombuffer(hashes, dtype=np.uint64))) if hashes else 0


def fingerprint_of(digests: bytearray) -> str:
    """Return what `nouns.fingerprint_set` returns for the 32-byte digests that lie here one after another."""
    import numpy as np

    members = np.sort(np.frombuffer(digests, dtype="S32")) if digests else np.empty(0, "S32")
    return hashlib.sha256(members.tobytes()).hexdigest()[:32]
