"""`workbench argilla`: the embedded Argilla of this project, a program of its own that is given our words."""

from __future__ import annotations

import sys

import click

from workbench.cli.options import config_of

SUBCOMMANDS = {
    "up": (
        "Start Argilla in the background and wait until it answers.",
        "--port N (the first time 6900 or a free one, then the same), --host ADDRESS (by default this machine only), "
        "--database-url postgresql://USER@HOST/DATABASE (password in PGPASSWORD), --remote-content, --json.",
        "workbench argilla up --port 6901",
    ),
    "down": ("Stop Argilla; requests and the job under way may end first.", "", "workbench argilla down"),
    "status": ("Say whether Argilla runs and is well.", "--json.", "workbench argilla status --json"),
    "logs": ("Show what Argilla wrote.", "-f to follow, -n LINES.", "workbench argilla logs -f"),
    "users": (
        "Add and list people, and give them new passwords.",
        "add NAME [--role annotator|admin|owner] [--workspace NAME]…, list, reset NAME [--api-key]; each with --json.",
        "workbench argilla users add alice --workspace default",
    ),
    "workspaces": (
        "Add and list workspaces: who is not in one sees nothing of it.",
        "add NAME [--member USER]…, list; each with --json.",
        "workbench argilla workspaces add helpcentre --member alice",
    ),
}


@click.group("argilla", epilog="Example: workbench argilla up")
def argilla_group() -> None:
    """Run Argilla's own server here, without Docker, and look after its people.

    It lies in the project's home; `argilla-embedded COMMAND --help` tells every option.
    """


def _given_on(name: str, does: str, options: str, example: str) -> click.Command:
    @click.pass_context
    def forward(ctx: click.Context, arguments: tuple[str, ...]) -> None:
        from workbench.adapters.argilla_server import run

        bench = config_of(ctx)
        home = bench.home.root / bench.config.labelling.argilla
        code = run([name, *arguments], home.absolute(), bench.file.absolute().parent)
        if code:
            sys.exit(code)

    return click.Command(
        name,
        callback=forward,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENTS]…")],
        help=f"{does}\n\nOptions: {options}" if options else does,
        epilog=f"Example: {example}",
        context_settings={"ignore_unknown_options": True},
    )


for _name, _told in SUBCOMMANDS.items():
    argilla_group.add_command(_given_on(_name, *_told))
