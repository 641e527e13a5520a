"""Options and context that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workbench.config.workbench_yaml import Workbench

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress.")


def config_of(ctx: click.Context) -> Workbench:
    """Load the workbench.yaml that the command was given, or the nearest one upwards."""
    from workbench.config.workbench_yaml import load_workbench

    given = ctx.find_root().obj
    return load_workbench(Path(given) if given else None)
