"""The `workbench` command: parse, call one function, show; and tell whatever ends it.

This is the only place that catches `WorkbenchError`. Nothing but `gc`, `os` and `sys` is imported before `main` runs,
so that Ctrl-C ends even a command that is still being loaded without a traceback.
"""

from __future__ import annotations

import gc
import os
import sys

CYCLES = 100_000
"""New objects after which cycles are looked for. Python's own 700 suits programs that make few: here a thousand modules
load, all to stay, and walking over them again and again took a tenth of a run of a thousand samples; after 10,000 it
still took a twentieth of a cached one."""


def main() -> None:
    """Run the command line; turn errors that a user can act on into a message and an exit code."""
    gc.set_threshold(CYCLES, *gc.get_threshold()[1:])
    # Pydantic would look for plugins in every installed package, and let them see all that is parsed here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Arrow's own allocator keeps what it was given, some 20 MB of a run; the C library's gives it back.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        code = _run()
    except KeyboardInterrupt:
        code = 130
    gc.disable()  # the process ends, and its memory with it
    if "duckdb" not in sys.modules:  # its binding tells the user of whatever it holds at the end
        gc.freeze()  # else the interpreter walks over all modules once more, for another tenth of a cached run
    sys.exit(code)


def _run() -> int:
    import click

    from workbench.cli.commands import cli
    from workbench.errors import WorkbenchError

    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        code = exc.exit_code
    except click.Abort:
        code = 130
    except WorkbenchError as exc:
        click.echo(f"workbench: {exc}", err=True)
        code = exc.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left; that is no fault of ours
        code = 0
    except OSError as exc:
        click.echo(f"workbench: {_told(exc) if exc.filename is not None else _ours(exc)}", err=True)
        code = 2 if exc.filename is not None else 1
    except Exception as exc:  # no traceback reaches a user who did not ask for one
        click.echo(f"workbench: {_ours(exc)}", err=True)
        code = 1
    return code if isinstance(code, int) else 0


def _ours(exc: Exception) -> str:
    """Return how a fault of this program is told."""
    said = " ".join(str(exc).split())[:500]
    what = f"{type(exc).__name__}: {said}" if said else type(exc).__name__
    return f"{what}; this is a fault of the workbench: run `workbench --debug …` and report what it shows"


def _told(exc: OSError) -> str:
    """Return which path the system refused, why, and what to do."""
    if isinstance(exc, FileNotFoundError | NotADirectoryError | FileExistsError):
        fix = "check the path: something on the way to it is missing, or is a file where a folder is wanted"
    elif isinstance(exc, PermissionError):
        fix = "check who may read and write there, or name another folder"
    else:
        fix = "check the path, and the disk it is on"
    path = exc.filename.decode("utf-8", "replace") if isinstance(exc.filename, bytes) else str(exc.filename)
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path)
    return f"{shown}: {(exc.strerror or type(exc).__name__).lower()}; {fix}"
