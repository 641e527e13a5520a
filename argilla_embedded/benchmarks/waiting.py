"""How long do two annotators wait for their answers to be taken while records are pushed?

    python benchmarks/waiting.py [RECORDS] [BATCH]

Prints the longest and the 95th percentile of the waits, in milliseconds, without and during the push.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.serving import Server, make_dataset, make_user, ok, push, run, submit


def main(records: int, batch: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "home")
        server.up()
        try:
            with server.owner() as owner:
                dataset = make_dataset(owner, "default", "waiting", min_submitted=2)
                ids = push(owner, dataset, [f"first {number}" for number in range(200)])
                people = [make_user(owner, name, "annotator", "default") for name in ("alice", "bob")]
            clients = [server.client(person["api_key"]) for person in people]
            quiet = answering(clients, ids, lambda: time.sleep(5))
            busy = answering(clients, ids, lambda: timed_push(server, dataset, records, batch))
        finally:
            run("down", home=server.home)
    for name, waits in (("quiet", quiet), ("pushing", busy)):
        told = statistics.quantiles(waits, n=20)[-1] * 1000
        print(f"{name}: {len(waits)} answers, p95 {told:.0f} ms, longest {max(waits) * 1000:.0f} ms")


def answering(clients: list[httpx.Client], ids: list[str], meanwhile: object) -> list[float]:
    """Return the waits, in seconds, of all clients for as long as `meanwhile` runs."""
    waits: list[float] = []
    stop = threading.Event()

    def answer(client: httpx.Client) -> None:
        number = 0
        while not stop.is_set():
            began = time.perf_counter()
            said = ok(submit(client, ids[number % len(ids)], ("good", "bad")[number // len(ids) % 2]))
            assert said["items"][0]["error"] is None, said
            waits.append(time.perf_counter() - began)
            number += 1
            time.sleep(0.05)

    threads = [threading.Thread(target=answer, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    meanwhile()  # type: ignore[operator]
    stop.set()
    for thread in threads:
        thread.join()
    return waits


def timed_push(server: Server, dataset: str, records: int, batch: int) -> None:
    """Push `records` records in batches and print the pace."""
    began = time.perf_counter()
    with server.owner() as owner:
        for start in range(0, records, batch):
            push(owner, dataset, [f"record {number} " + "words " * 100 for number in range(start, start + batch)])
    took = time.perf_counter() - began
    print(f"pushed {records} records in batches of {batch}: {took:.1f} s, {records / took:.0f} a second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2560, int(sys.argv[2]) if len(sys.argv) > 2 else 256)
