"""Chunks hold all of a document's words, within the size, by structure, by size or where the author marked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.rag.documents import Block, Document
from workbench.rag.splitting import Splitting, chunks, windows

TEXTS = st.lists(st.text(alphabet="ab é.\n", min_size=1, max_size=300).filter(str.strip), min_size=1, max_size=6)


def document(*texts: str, heading: str = "", markers: tuple[str, ...] = ()) -> Document:
    marks = markers or ("",) * len(texts)
    blocks = tuple(Block(text=t, heading=heading, marker=m) for t, m in zip(texts, marks, strict=True))
    return Document(id="d", path="d.md", title="", blocks=blocks, sha256="0")


@given(TEXTS, st.sampled_from(["structure", "size"]), st.integers(50, 120), st.integers(0, 25))
def test_no_word_is_lost_and_no_chunk_is_too_long(texts, by, size, overlap) -> None:
    found = list(chunks(document(*texts), Splitting(by=by, size=size, overlap=overlap)))
    assert all(0 < len(chunk.text) <= size for chunk in found)
    told = {word for chunk in found for word in chunk.text.split()}
    assert set(" ".join(texts).split()) <= told | _cut_words(texts, size)
    assert [chunk.id for chunk in found] == [f"d#{n + 1}" for n in range(len(found))]


def _cut_words(texts: list[str], size: int) -> set[str]:
    """Return the words that no window can hold whole: those longer than half of one."""
    return {word for text in texts for word in text.split() if len(word) > size // 2}


@given(st.text(max_size=2000), st.integers(50, 200), st.integers(0, 25))
def test_windows_without_overlap_give_the_text_back(text: str, size: int, overlap: int) -> None:
    assert "".join("".join(windows(text, size, 0)).split()) == "".join(text.split())
    assert all(len(part) <= size for part in windows(text, size, overlap))


def test_windows_repeat_the_end_of_the_one_before_at_a_word() -> None:
    found = list(windows("one two three four five six seven eight nine ten eleven twelve", 30, 10))
    for before, after in pairwise(found):
        assert before.split()[-1] in after.split()


def test_paragraphs_of_one_heading_stand_together_under_it() -> None:
    found = list(chunks(document("First.", "Second.", heading="A > B"), Splitting(size=200)))
    assert [chunk.text for chunk in found] == ["A > B\n\nFirst.\n\nSecond."]
    assert [c.text for c in chunks(document("First.", heading="A"), Splitting(heading=False))] == ["First."]


def test_marked_passages_keep_the_authors_ids_and_what_is_unmarked_gets_others() -> None:
    marked = document("Before.", "One.", "Still one.", "Two.", markers=("", "x#1", "x#1", "x#2"))
    found = list(chunks(marked, Splitting(by="passages")))
    assert [(c.id, c.text) for c in found] == [("d#~1", "Before."), ("x#1", "One.\n\nStill one."), ("x#2", "Two.")]


def test_an_overlap_that_would_never_move_on_is_refused() -> None:
    with pytest.raises(ValidationError, match="more than half of size"):
        Splitting(size=100, overlap=60)
