"""The commands `users` and `workspaces`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from pydantic import BaseModel

from argilla_embedded.home import Home
from argilla_embedded.options import home_option, json_option

ROLES = click.Choice(["annotator", "admin", "owner"])


@click.group()
def users() -> None:
    """Add and list people, and give them new passwords."""


@users.command("add")
@click.argument("username")
@home_option
@json_option
@click.option("--role", type=ROLES, default="annotator", show_default=True, help="owner may do everything.")
@click.option("--workspace", "workspaces", multiple=True, help="A workspace to let them into; repeat for more.")
def users_add(username: str, folder: Path, as_json: bool, role: str, workspaces: tuple[str, ...]) -> None:
    """Add a user with a random password, shown once.

    \b
    Example:
      argilla-embedded users add alice --workspace default
    """
    from argilla_embedded import users as people

    _show_credentials(people.add(Home(folder.absolute()), username, role, workspaces), as_json)  # type: ignore[arg-type]


@users.command("list")
@home_option
@json_option
def users_list(folder: Path, as_json: bool) -> None:
    """List users, their roles and workspaces.

    \b
    Example:
      argilla-embedded users list
    """
    from argilla_embedded import users as people

    found = people.people(Home(folder.absolute()))
    _show(found, [[each.username, each.role, ", ".join(each.workspaces)] for each in found], as_json)


@users.command("reset")
@click.argument("username")
@home_option
@json_option
@click.option("--api-key", is_flag=True, help="Make a new API key too; the old one ends.")
def users_reset(username: str, folder: Path, as_json: bool, api_key: bool) -> None:
    """Give a user a new random password, shown once.

    \b
    Example:
      argilla-embedded users reset alice
    """
    from argilla_embedded import users as people

    _show_credentials(people.reset(Home(folder.absolute()), username, api_key), as_json)


@click.group()
def workspaces() -> None:
    """Add and list workspaces: who is not in one sees nothing of it."""


@workspaces.command("add")
@click.argument("name")
@home_option
@json_option
@click.option("--member", "members", multiple=True, help="A user to let in; repeat for more.")
def workspaces_add(name: str, folder: Path, as_json: bool, members: tuple[str, ...]) -> None:
    """Make a workspace, or let more people into one.

    \b
    Example:
      argilla-embedded workspaces add helpcentre --member alice --member bob
    """
    from argilla_embedded import users as people

    place = people.add_workspace(Home(folder.absolute()), name, members)
    _show([place], [[place.name, ", ".join(place.members), str(place.datasets)]], as_json)


@workspaces.command("list")
@home_option
@json_option
def workspaces_list(folder: Path, as_json: bool) -> None:
    """List workspaces, their members and how many datasets they hold.

    \b
    Example:
      argilla-embedded workspaces list
    """
    from argilla_embedded import users as people

    found = people.workspaces(Home(folder.absolute()))
    _show(found, [[each.name, ", ".join(each.members), str(each.datasets)] for each in found], as_json)


def _show_credentials(made: BaseModel, as_json: bool) -> None:
    if as_json:
        click.echo(made.model_dump_json())
        return
    for name, value in made.model_dump().items():
        click.echo(f"{name.replace('_', ' '):<12} {', '.join(value) if isinstance(value, list) else value}")
    click.echo("Shown this once: pass it on by a private way.", err=True)


def _show(found: Sequence[BaseModel], rows: list[list[str]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([each.model_dump() for each in found]))
        return
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
