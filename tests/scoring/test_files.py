from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import ConfigError
from workbench.scoring.files import MAX_BYTES, read_inside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.md").write_text("secret")
    inside = tmp_path / "evalset"
    (inside / "rubrics").mkdir(parents=True)
    (inside / "rubrics" / "a.md").write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree")
    (inside / "link.md").symlink_to(tmp_path / "secret.md")
    (inside / "up").symlink_to(tmp_path)
    (inside / "loop.md").symlink_to(inside / "loop.md")
    (inside / "near.md").symlink_to(inside / "rubrics" / "a.md")
    return inside


@pytest.mark.parametrize("name", ["rubrics/a.md", "./rubrics/a.md", "near.md"])
def test_a_file_inside_is_read_without_mark_and_with_plain_line_ends(folder: Path, name: str) -> None:
    assert read_inside(folder, name, "rubric") == "one\ntwo\nthree"


@pytest.mark.parametrize(
    "name",
    ["../secret.md", "rubrics/../../secret.md", "/etc/passwd", "link.md", "up/secret.md", "..\\secret.md", "C:\\x.md",
     "\\\\server\\x.md", "a\0.md", "", " ", "..", "loop.md", "x" * 300 + ".md", "%2e%2e/secret.md"],
)  # fmt: skip
def test_a_path_that_leaves_the_folder_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"rubric: .*inside the evalset's folder.*PATH_OUTSIDE"):
        read_inside(folder, name, "rubric")


@pytest.mark.parametrize("name", ["nobody.md", "rubrics"])
def test_what_is_no_file_is_refused_by_name(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"rubric: there is no file (nobody|rubrics)"):
        read_inside(folder, name, "rubric")


def test_a_file_that_is_too_large_or_no_utf8_is_refused(folder: Path) -> None:
    (folder / "big.md").write_bytes(b"a" * (MAX_BYTES + 1))
    (folder / "latin.md").write_bytes(b"caf\xe9")
    with pytest.raises(ConfigError, match="larger than 1000000 bytes"):
        read_inside(folder, "big.md", "rubric")
    with pytest.raises(ConfigError, match="byte 3 is not UTF-8"):
        read_inside(folder, "latin.md", "rubric")
