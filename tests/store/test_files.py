"""Finished folders are moved to their place, whoever else does so at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.store.files import moved


def finished(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    return folder


def test_of_many_who_bring_the_same_content_one_is_first_and_none_fails(tmp_path: Path) -> None:
    for trial in range(20):
        works = [finished(tmp_path / f"new-{trial}-{number}") for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            brought = list(
                threads.map(lambda work, at=trial: moved(work, tmp_path / f"it-{at}", "manifest.json"), works)
            )
        assert brought.count(True) == 1 and (tmp_path / f"it-{trial}" / "manifest.json").exists()


def test_content_that_comes_between_the_question_and_the_move_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, target = finished(tmp_path / "new"), tmp_path / "it"
    rename = Path.rename

    def late(self: Path, to: Path) -> Path:
        finished(target)
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", late)
    assert not moved(work, target, "manifest.json") and work.exists()


def test_a_folder_without_its_mark_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "half").write_text("")
    with pytest.raises(OSError, match="not empty"):
        moved(finished(tmp_path / "new"), tmp_path / "it", "manifest.json")
