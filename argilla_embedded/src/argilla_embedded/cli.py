"""The command `argilla-embedded`: parse, call one function, show."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from argilla_embedded import __version__
from argilla_embedded.errors import EmbeddedError
from argilla_embedded.home import Home
from argilla_embedded.options import home_option, json_option
from argilla_embedded.people_cli import users, workspaces


class Friendly(click.Group):
    """A group that reports `EmbeddedError` in a line, exit code 2, instead of a traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except EmbeddedError as exc:
            click.echo(f"Error: {exc}", err=True)
            context.exit(2)


def main() -> None:
    """Run the command line."""
    cli()


@click.group(cls=Friendly, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Argilla's own server in one process: no Docker, no Elasticsearch, no Redis.

    \b
    Example:
      argilla-embedded up
      argilla-embedded users add alice --workspace default
    """


@cli.command()
@home_option
@json_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port; the first time 6900 or a free one, then the same.")
@click.option(
    "--host", help="Address to listen on, by default this machine only; any other serves everyone who reaches it."
)
@click.option("--database-url", help="postgresql://USER@HOST:PORT/DATABASE; the password comes from PGPASSWORD.")
@click.option(
    "--remote-content/--no-remote-content", default=None, help="Let pages load images and media from other hosts."
)
def up(
    folder: Path,
    as_json: bool,
    port: int | None,
    host: str | None,
    database_url: str | None,
    remote_content: bool | None,
) -> None:
    """Start the server in the background and wait until it answers.

    \b
    Example:
      argilla-embedded up --home ./argilla --port 6901
    """
    from argilla_embedded import lifecycle

    home = Home(folder.absolute())
    wanted = lifecycle.Wanted(host=host, port=port, database_url=database_url, remote_content=remote_content)
    started = lifecycle.up(home, wanted, _progress())
    if as_json:
        click.echo(started.model_dump_json())
        return
    click.echo(f"Argilla is {'already running' if started.already else 'ready'}: {started.url}")
    if started.new_owner:
        click.echo(f"  user      {started.new_owner.username}")
        click.echo(f"  password  {started.new_owner.password}")
        click.echo(f"  API key   {started.new_owner.api_key}")
        click.echo(f"  Shown this once; kept in {home.owner_file}, which only you can read.")
    elif home.owner_file.exists():
        click.echo(f"  user      owner; the password and API key are in {home.owner_file}")
    if host is not None and not lifecycle.is_loopback(host):
        click.echo("  Reachable from other machines, unencrypted: put a proxy with TLS in front.", err=True)


@cli.command()
@home_option
def down(folder: Path) -> None:
    """Stop the server; running requests and the running job may end first.

    \b
    Example:
      argilla-embedded down --home ./argilla
    """
    from argilla_embedded import lifecycle

    stopped = lifecycle.down(Home(folder.absolute()), _progress())
    click.echo("Argilla is stopped." if stopped else "Argilla was not running.")


@cli.command()
@home_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """Say whether the server runs and is well; exit code 1 when it does not answer.

    \b
    Example:
      argilla-embedded status --json
    """
    from argilla_embedded import looking

    found = looking.status(Home(folder.absolute()))
    if as_json:
        click.echo(found.model_dump_json())
    else:
        for name, value in found.model_dump(exclude_none=True).items():
            click.echo(f"{name:<13} {value}")
    if not found.healthy:
        sys.exit(1)


@cli.command()
@home_option
@click.option("-f", "--follow", is_flag=True, help="Keep showing what is added.")
@click.option("-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="Lines from the end.")
def logs(folder: Path, follow: bool, lines: int) -> None:
    """Show what the server wrote.

    \b
    Example:
      argilla-embedded logs -f
    """
    log = Home(folder.absolute()).log
    if not log.exists():
        raise EmbeddedError(f"there is no log at {log}: the server was never started")
    with log.open(encoding="utf-8", errors="replace") as file:
        click.echo("".join(file.readlines()[-lines:] if lines else []), nl=False)
        while follow:
            text = file.read()
            click.echo(text, nl=False)
            if not text:
                time.sleep(0.3)


cli.add_command(users)
cli.add_command(workspaces)


def _progress() -> Callable[[str], None]:
    def tell(words: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"{words} …", err=True)

    return tell
