"""The reference of the command line, docs/cli.md, made from the help texts: `python -m workbench.cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from workbench.cli.commands import cli
from workbench.store.files import write_atomic

FILE = Path(__file__).parents[2] / "docs" / "cli.md"
HEAD = "# Command line\n\nMade from the help texts by `make docs`; a test keeps it fresh.\n"


def reference() -> str:
    """Return the reference as Markdown."""
    return "\n".join([HEAD, *(_section(path, command) for path, command in commands())])


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name, groups first."""
    yield from _walk("workbench", cli)


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        with click.Context(command, info_name=path) as ctx:
            for name in command.list_commands(ctx):
                child = command.get_command(ctx, name)
                if child is not None:
                    yield from _walk(f"{path} {name}", child)


def _section(path: str, command: click.Command) -> str:
    settings = {"terminal_width": 100, "max_content_width": 100, "help_option_names": ["-h", "--help"]}
    with click.Context(command, info_name=path, **settings) as ctx:  # type: ignore[arg-type]
        return f"## {path}\n\n```\n{command.get_help(ctx)}\n```\n"


if __name__ == "__main__":
    write_atomic(FILE, reference().encode())
