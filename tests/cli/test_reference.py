"""Every command is documented, and the reference says what the commands say."""

from __future__ import annotations

import click
import pytest

from workbench.cli.commands import COMMANDS, cli
from workbench.cli.reference import FILE, commands, reference


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=lambda c: c if isinstance(c, str) else "")
def test_every_command_and_option_has_a_help_text(path: str, command: click.Command) -> None:
    assert command.help, f"{path} has no help text"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.name} has no help text"


def test_the_reference_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_the_list_of_commands_says_what_each_command_says_first() -> None:
    with click.Context(cli) as ctx:
        for name, (_, text) in COMMANDS.items():
            command = cli.get_command(ctx, name)
            assert command is not None
            assert command.name == name and text.endswith(".")
