"""One writer a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import LockedError
from workbench.store.lock import owner_of, owning

HOLDING = """
import sys, time
from pathlib import Path
from workbench.store.lock import owning
with owning(Path(sys.argv[1])):
    print("owned", flush=True)
    time.sleep(60)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", HOLDING, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "owned\n"
    return child


def test_the_loser_is_told_who_owns_the_run(tmp_path: Path) -> None:
    with holder(tmp_path) as child:
        assert owner_of(tmp_path) == child.pid
        with pytest.raises(LockedError, match=rf"written by process {child.pid}"), owning(tmp_path):
            pass
        child.kill()


def test_a_dead_owner_is_taken_over_at_once(tmp_path: Path) -> None:
    with holder(tmp_path) as child:
        os.kill(child.pid, signal.SIGKILL)
    assert owner_of(tmp_path) is None
    with owning(tmp_path):
        assert (tmp_path / "lock").read_text().strip() == str(os.getpid())


def test_the_lock_is_free_again_after_the_block(tmp_path: Path) -> None:
    with owning(tmp_path):
        pass
    with owning(tmp_path):
        pass
    assert owner_of(tmp_path) is None


def test_a_folder_that_was_never_owned_has_no_owner(tmp_path: Path) -> None:
    assert owner_of(tmp_path) is None
