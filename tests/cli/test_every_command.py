"""What the map asks of every command: help with an example that can be typed, `--json` where it yields data."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from workbench.cli.commands import cli
from workbench.cli.reference import commands

EVERY = dict(commands())
LEAVES = [path for path, command in EVERY.items() if not isinstance(command, click.Group)]
NO_DATA = {
    "workbench dashboards": "serves until it is stopped",
    "workbench init": "writes files and says which",
    "workbench eval report": "writes files; the data are those of `eval show --json`",
    "workbench model serve": "serves until it is stopped",
    "workbench model chat": "is a conversation",
    "workbench model card": "prints Markdown; the data are those of `train ls --json`",
    "workbench argilla down": "stops a server",
    "workbench argilla logs": "shows a program's own lines",
}
"""Commands without `--json`, and why."""


def example(command: click.Command) -> list[str]:
    """Return the words of the example in a command's help."""
    # A command remembers the names of its help option, so they must be the program's own.
    names = ["-h", "--help"]
    with click.Context(
        command, info_name="x", terminal_width=200, max_content_width=200, help_option_names=names
    ) as ctx:
        found = re.search(r"^\s*Example: workbench (.+)$", command.get_help(ctx), re.MULTILINE)
    assert found, "the help has no `Example: workbench …`"
    return shlex.split(found[1])


@pytest.mark.parametrize("path", EVERY)
def test_every_help_has_an_example_of_the_command_that_can_be_typed(path: str) -> None:
    words = example(EVERY[path])
    context = cli.make_context("workbench", words.copy())
    command: click.Command = cli
    passed = [command]
    while isinstance(command, click.Group):
        name, command_, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert name is not None and command_ is not None
        command = command_
        passed.append(command)
        context = command.make_context(name, rest, parent=context)
    assert EVERY[path] in passed, f"the example of {path} is one of another command"


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_that_yields_data_can_say_it_as_json(path: str) -> None:
    options = {name for parameter in EVERY[path].params for name in parameter.opts}
    # The words behind `workbench argilla` are read by a program of its own; there, the help names the options.
    told = "--json" in options or "--json" in (EVERY[path].help or "")
    assert told != (path in NO_DATA)


def test_the_commands_are_those_of_the_map_in_one_spelling() -> None:
    assert {"workbench eval ls", "workbench evalset ls", "workbench doctor", "workbench demo"} <= set(EVERY)
    assert not [path for path in EVERY if path.split()[-1] == "list" or path == "workbench eval resume"]
