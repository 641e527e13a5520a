"""How far a dataset on the labelling server is at this moment, and where a record of it is answered."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from workbench.config.workbench_yaml import Workbench
from workbench.jobs.labelling import address, connected, remote
from workbench.labelling.adjudicating import SUFFIX
from workbench.labelling.server import DatasetProgress, RemoteDataset

if TYPE_CHECKING:
    from workbench.adapters.argilla_sdk import Argilla

STEERING = frozenset(".~")
"""Characters that part the values in the page's address; a value that holds one cannot stand there."""


class Live(NamedTuple):
    """What the server says of a dataset."""

    name: str
    url: str
    """Address of the dataset's page."""
    guideline: str
    """Version under which it is answered."""
    overlap: int
    """Submitted answers that a record needs."""
    progress: DatasetProgress
    at: str
    """When it was read: ISO 8601 time, UTC."""


def read_progress(bench: Workbench, name: str) -> Live:
    """Ask the server how far a dataset is. Raises `LabellingError` and `ConfigError`."""
    with closing(connected(bench)) as server:
        return _live(bench, server, remote(server, name))


def read_with_queue(bench: Workbench, name: str) -> tuple[Live, Live | None]:
    """Ask how far a dataset is, and the queue of its disagreements, if it was made. Raises as `read_progress`."""
    with closing(connected(bench)) as server:
        found = _live(bench, server, remote(server, name))
        queue = server.dataset(name + SUFFIX)
        return found, None if queue is None else _live(bench, server, queue)


def record_address(page: str, group: str, asked: str, *, alone: bool) -> str:
    """Return the address at which Argilla shows a record: filtered by its prompt family where that can be written so.

    `alone` says that the family has no other record in the dataset; else its question is searched for too. The page
    decodes each value once more than a browser does.
    """
    told = {}
    if group and not STEERING & set(group):
        told["metadata"] = f"group.{group}"
    if not told or not alone:
        told["search"] = f"{' '.join(asked.split())[:80]}~all"
    return f"{page}?{'&'.join(f'{key}={_twice(value)}' for key, value in told.items())}"


def _live(bench: Workbench, server: Argilla, dataset: RemoteDataset) -> Live:
    url, _ = address(bench)
    place = f"{url.rstrip('/')}/dataset/{quote(dataset.id, safe='')}/annotation-mode"
    now, about = datetime.now(UTC).isoformat(timespec="seconds"), dataset.about
    return Live(dataset.name, place, about.form.version, about.overlap, server.progress(dataset), now)


def _twice(value: str) -> str:
    return quote(quote(value, safe=""), safe="")
