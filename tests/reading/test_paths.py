"""A path that an evalset names stays inside its folder on every system."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.reading.paths import outside

NAMES = [
    "../x", "..", "a/../../x", "./../x", "/etc/passwd", "//host/share", "~/x", "~root/x", "..\\x", "a\\..\\x",
    "C:\\x", "C:x", "\\\\host\\share", "\\x", "%2e%2e/x", "..%2fx", "%2E%2E%5Cx", "a%00b", "a\0b", "a\nb", "",
    "   ", "CON", "con.jsonl", "a/NUL", "COM1.txt", "x" * 300, "x.jsonl.", "x ", "a//b", "file:///etc/passwd",
    "http://x/y", "a:b", "<x>", "x|y", "a?b", "*", "a/.. /x", "link", "link/inner",
    "loop",
    "/".join("x" * 1000),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=[ascii(n[:20]) for n in NAMES])
def test_a_path_that_leaves_the_folder_or_some_systems_names_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path, target_is_directory=True)
    (folder / "loop").symlink_to(folder / "loop")
    assert outside(folder, name) != ""


@pytest.mark.parametrize(
    "name", ["samples.jsonl", "data/x.csv", "./x.jsonl", "ä ö.jsonl", "..x", "console.jsonl", "inner"]
)
def test_a_path_inside_the_folder_is_accepted(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").touch()
    (tmp_path / "inner").symlink_to(tmp_path / "x.jsonl")
    assert outside(tmp_path, name) == ""
