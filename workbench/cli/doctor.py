"""`workbench doctor`: is everything there, and if not, how is it mended?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from workbench.cli.options import json_option

if TYPE_CHECKING:
    from workbench.jobs.doctor.check import Check

FAULTY = 2


@click.command("doctor", epilog="Example: workbench doctor --json")
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check configuration, keys, endpoints, Argilla, packages and disk, and say how to mend each.

    Endpoints are asked for their list of models, or for one token where they have none. Keys are never shown.
    Exit code 0 when nothing has to be mended, else 2.
    """
    from workbench.jobs.doctor.examine import examine

    given = ctx.find_root().obj
    checks = asyncio.run(examine(Path(given) if given else None))
    faults = [check for check in checks if check.state == "fault"]
    if as_json:
        plain = {"ok": not faults, "checks": [check.model_dump(mode="json") for check in checks]}
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(checks)
        click.echo(f"\n{len(faults)} to mend." if faults else "\nNothing has to be mended.")
    ctx.exit(FAULTY if faults else 0)


MARKS = {"ok": "ok     ", "note": "note   ", "skipped": "skipped", "fault": "FAULT  "}


def _show(checks: list[Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        first, *more = check.found.split("\n")
        click.echo(f"{MARKS[check.state]}  {check.name:<{width}}  {first}")
        for line in (*more, *([f"→ {check.fix}"] if check.fix else [])):
            click.echo(f"{' ' * (width + 11)}{line}")
