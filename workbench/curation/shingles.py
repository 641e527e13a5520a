"""Texts as sets of word n-grams (shingles), hashed in bulk: what near-duplicates and leaks are measured by.

Words are runs of letters, digits and marks after Unicode's NFKC and case folding; Chinese, Japanese and Thai
characters, which stand without spaces, are words of their own. A shingle is a 53-bit hash of n words in a row; a text
of fewer words is one shingle, and a text without words is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Offsets = NDArray[np.int64]

HASH_BITS = 53
"""Bits of a shingle's hash. Two of ten million different shingles agree by chance once in two hundred corpora."""
TEXTS_AT_ONCE = 1 << (64 - HASH_BITS)
"""So many texts' numbers fit beside a hash into 64 bits, which is what makes one plain sort do for all of them."""

_ASCII = bytes(ord(chr(i).lower()) if i < 128 and chr(i).isalnum() else 32 for i in range(256))
_NO_WORD = re.compile(r"[^\w]+|_+")
_ALONE = re.compile(r"([\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")


class Shingles(NamedTuple):
    """The shingle sets of many texts, one after the other."""

    hashes: Hashes
    """All texts' distinct shingles; ascending within a text."""
    starts: Offsets
    """Where each text's shingles begin, and where the last one's end: one more than there are texts."""

    def sizes(self) -> Offsets:
        """Return the number of distinct shingles of each text."""
        import numpy as np

        return np.diff(self.starts)


def shingle_sets(texts: Iterable[str], words: int = 3) -> Shingles:
    """Return the sets of `words`-word shingles of texts, which are read once and not kept."""
    import numpy as np

    if words < 1:
        raise ValueError(f"a shingle has at least one word, not {words}")
    hashes, sizes = [np.zeros(0, np.uint64)], [np.zeros(1, np.int64)]
    for some in _blocks(texts):
        found, counts = _block_sets([normalised(text) for text in some], words)
        hashes.append(found)
        sizes.append(counts)
    return Shingles(np.concatenate(hashes), np.concatenate(sizes).cumsum())


def normalised(text: str) -> bytes:
    """Return a text's words in lower case, separated by spaces, as UTF-8."""
    if text.isascii():
        return text.encode("ascii").translate(_ASCII)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _ALONE.sub(r" \1 ", _NO_WORD.sub(" ", folded)).encode("utf-8", "surrogatepass")


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    reading = iter(texts)
    while some := list(islice(reading, TEXTS_AT_ONCE)):
        yield some


def _block_sets(texts: list[bytes], words: int) -> tuple[Hashes, Offsets]:
    """Return the distinct shingles of at most `TEXTS_AT_ONCE` texts, text after text, and their number for each."""
    import numpy as np

    hashes, firsts = _words(texts)
    n_words = np.diff(firsts)
    text = np.repeat(np.arange(len(texts)), n_words)
    place = np.arange(len(hashes)) - np.repeat(firsts[:-1], n_words)
    # A text that is shorter than a shingle counts as one, of the words it has.
    length = np.minimum(words, n_words)[text]
    shingles = np.zeros(len(hashes), np.uint64)
    for step in range(words):
        there = np.flatnonzero(step < length)
        ahead = np.minimum(there + step, len(hashes) - 1)
        shingles[there] = _mixed(shingles[there] + hashes[ahead])
    whole = place + length <= n_words[text]
    packed = text[whole].astype(np.uint64) << np.uint64(HASH_BITS)
    packed |= shingles[whole] >> np.uint64(64 - HASH_BITS)
    packed.sort()
    new = np.ones(len(packed), bool)
    new[1:] = packed[1:] != packed[:-1]
    packed = packed[new]
    counts = np.bincount((packed >> np.uint64(HASH_BITS)).astype(np.int64), minlength=len(texts))
    return packed & np.uint64((1 << HASH_BITS) - 1), counts.astype(np.int64)


def _words(texts: list[bytes]) -> tuple[Hashes, Offsets]:
    """Return the hash of every word of the texts, and at which word each text begins; one more entry for the end."""
    import numpy as np

    # Eight bytes are read at once from where a word begins, so eight more must follow the last.
    joined = b" " + b" ".join(texts) + b" " * 9
    octets = np.frombuffer(joined, np.uint8)
    eights: Hashes = np.ndarray((len(joined) - 7,), "<u8", joined, strides=(1,))
    space = octets == 32
    edges = np.flatnonzero(space[1:] != space[:-1]) + 1
    begins, ends = edges[0::2], edges[1::2]
    lengths = ends - begins
    hashes = lengths.astype(np.uint64)
    for start in range(0, int(lengths.max(initial=0)), 8):
        some = np.flatnonzero(lengths > start) if start else np.arange(len(lengths))
        bits = np.minimum(lengths[some] - start, 8).astype(np.uint64) * np.uint64(8)
        # A shift by all 64 bits is undefined, so the mask is made from the other side.
        mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(64) - bits)
        hashes[some] = _mixed(hashes[some] ^ (eights[begins[some] + start] & mask))
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    texts_begin = 1 + np.concatenate([[0], np.cumsum(sizes + 1)])
    return hashes, np.searchsorted(begins, texts_begin).astype(np.int64)


def _mixed(values: Hashes) -> Hashes:
    """Return the values scrambled one to one, so that near ones lie far apart (Steele's splitmix64)."""
    import numpy as np

    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
