"""Real servers, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Server, run


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do no harm to it."""
    started = Server(tmp_path_factory.mktemp("argilla"))
    started.up()
    yield started
    started.down()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A home for one test, which starts and kills its server as it likes."""
    made = Server(tmp_path / "argilla")
    yield made
    run("down", home=made.home)
