"""Documents of each kind become blocks with headings and pages; what cannot be read is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import DataError
from workbench.rag.documents import Document, documents


def read(folder: Path, name: str, content: str | bytes) -> Document:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (found,) = documents(folder)
    return found


def test_markdown_keeps_headings_fenced_code_front_matter_and_marked_passages(tmp_path: Path) -> None:
    text = (
        "---\nid: plans\ntitle: Plans\ntopic: billing\nnested: {a: 1}\n---\n# Plans\n\n"
        "<!-- passage: plans#1 -->\nFour plans.\n\n## Prices\n<!-- a remark -->\n\nTwelve euros.\n\n"
        "```\n# no heading\n\nx = 1\n```\n"
    )
    found = read(tmp_path, "a.md", text)
    assert (found.id, found.title, found.tags) == ("plans", "Plans", {"topic": "billing"})
    assert [(b.text, b.heading, b.marker) for b in found.blocks] == [
        ("Four plans.", "Plans", "plans#1"),
        ("Twelve euros.", "Plans > Prices", ""),
        ("```\n# no heading\n\nx = 1\n```", "Plans > Prices", ""),
    ]


def test_html_gives_visible_text_and_tables_and_no_script(tmp_path: Path) -> None:
    page = (
        "<html><head><title>T</title><script>alert(1)</script></head><body><nav>menu</nav><h1>One</h1>"
        "<p>Hello <b>you</b></p><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table><h2>Two</h2>"
        "<ul><li>x</li></ul></body></html>"
    )
    found = read(tmp_path, "a.html", page)
    assert found.title == "T"
    assert [(b.text, b.heading) for b in found.blocks] == [
        ("Hello you", "One"),
        ("a | b\n1 | 2", "One"),
        ("x", "One > Two"),
    ]


def pdf(*pages: str) -> bytes:
    """Write a PDF by hand, a line of text a page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects += [f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
                "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]  # fmt: skip
    for n, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    return out + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()


def test_pdf_text_keeps_its_pages(tmp_path: Path) -> None:
    found = read(tmp_path, "a.pdf", pdf("The first page.", "The second page."))
    assert [(b.text, b.page) for b in found.blocks] == [("The first page.", 1), ("The second page.", 2)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", b"no pdf at all", "this PDF cannot be read"),
        ("a.pdf", pdf(""), "no text can be read.*is it a scan"),
        ("a.md", b"\xff\xfe\x00", "byte 0 is no UTF-8"),
        ("a.md", "---\na: [\n---\ntext", "the front matter is no YAML"),
        ("a.txt", "  \n\n", "no text can be read"),
        ("a.docx", b"x", "no document lies in this folder"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_do(tmp_path: Path, name, content, message) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, name, content)


def test_a_link_out_of_the_folder_and_two_documents_of_one_id_are_refused(tmp_path: Path) -> None:
    inside = tmp_path / "docs"
    inside.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (inside / "a.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DataError, match="leads out of the folder"):
        list(documents(inside))
    (inside / "a.txt").unlink()
    (inside / "a.txt").write_text("one")
    (inside / "a.md").write_text("two")
    with pytest.raises(DataError, match="two documents have this id"):
        list(documents(inside))


def test_hidden_files_and_files_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.md").write_text("hidden")
    (tmp_path / "x.png").write_bytes(b"x")
    assert [d.path for d in [read(tmp_path, "a.txt", "seen")]] == ["a.txt"]
