"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT_HOME = Path.home() / ".argilla-embedded"

home_option = click.option(
    "--home",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ARGILLA_EMBEDDED_HOME",
    default=DEFAULT_HOME,
    show_default="~/.argilla-embedded",
    help="Folder of the database and settings; also by ARGILLA_EMBEDDED_HOME.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
