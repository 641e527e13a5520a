"""Documents become passages with ids that can be pointed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.curation.evalsets.documents import read_documents
from workbench.errors import DataError

LONG = "Invoices are sent on the first day of each month, to the address of the account."


def test_marked_passages_keep_their_ids_and_others_are_paragraphs(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\nid: a\n---\n\n# Plans\n\n<!-- passage: plans#7 -->\nThree plans.\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.txt").write_text(f"# Invoices\n\n{LONG}\n\nshort\r\n\r\n{LONG} Twice.\n")
    found = read_documents(tmp_path)
    assert [(p.id, p.title, p.text[:12]) for p in found] == [
        ("plans#7", "Plans", "Three plans."),
        ("sub/b#1", "Invoices", "Invoices are"),
        ("sub/b#2", "Invoices", "Invoices are"),
    ]


def test_a_folder_without_documents_a_twin_id_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="NO_RECORDS"):
        read_documents(tmp_path)
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("<!-- passage: same -->\ntext\n")
    with pytest.raises(DataError, match="DUPLICATE_ID"):
        read_documents(tmp_path)
    (tmp_path / "a.md").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="NOT_UTF8"):
        read_documents(tmp_path)
