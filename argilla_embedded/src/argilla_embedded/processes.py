"""Processes that are forked once everything is loaded, so that they share its memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from argilla_embedded.errors import EmbeddedError


def in_child(action: Callable[[], None]) -> None:
    """Run `action` in a forked process, so that its event loop and connections leave nothing behind here.

    Raises the `EmbeddedError` that it raised there.
    """
    told, tell = os.pipe()

    def act() -> None:
        try:
            action()
        except EmbeddedError as exc:
            os.write(tell, str(exc).encode()[:60_000])
            raise SystemExit(1) from exc

    child = fork(act)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        message = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if status:
        raise EmbeddedError(message or "the database could not be prepared; the log tells why")


def fork(action: Callable[[], object], close: Sequence[int] = ()) -> int:
    """Run `action` in a forked process without the handles `close`; return its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for handle in close:
            os.close(handle)
        action()
        code = 0
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 0
    except BaseException:  # nothing may leave this function in the child
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@dataclass
class Keeper:
    """Keeps one worker of a queue alive: the first is forked, later ones are started anew, as we have threads then."""

    name: str
    pid: int
    alive: int
    """The end of a pipe that closes when we end, however we end."""
    ending: bool = False

    def watch(self) -> None:
        """Replace the worker whenever it dies, in a thread, until `stop`."""
        self._thread = threading.Thread(target=self._watch, name=f"keeper of {self.name}", daemon=True)
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Let the worker end its job, for at most `patience` seconds, then kill it."""
        self.ending = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            self._thread.join(patience)
            if not self._thread.is_alive():
                break

    def _watch(self) -> None:
        while True:
            os.waitpid(self.pid, 0)
            if self.ending:
                return
            sys.stderr.write(f"the worker of queue {self.name!r} died; starting another\n")
            time.sleep(1)
            command = [sys.executable, "-m", "argilla_embedded.worker", self.name, str(self.alive)]
            self.pid = subprocess.Popen(command, pass_fds=[self.alive]).pid
