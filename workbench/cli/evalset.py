"""`workbench evalset`: list and validate; build, audit and diff stand in `evalset_curation`."""

from __future__ import annotations

import click
import orjson

from workbench.cli.evalset_curation import audit_command, build_command, diff_command
from workbench.cli.options import config_of, json_option


@click.group("evalset", epilog="Example: workbench evalset ls")
def evalset_group() -> None:
    """List, validate, build and audit evalsets."""


@evalset_group.command("ls", epilog="Example: workbench evalset ls --json")
@json_option
@click.pass_context
def ls_command(ctx: click.Context, as_json: bool) -> None:
    """List every evalset with the size of each side of the firewall. Reads, checks and stores all rows."""
    from workbench.cli.show import grid
    from workbench.config.evalset_yaml import find_evalsets

    bench = config_of(ctx)
    manifests = [e.stored(use, bench.home).manifest for e in find_evalsets(bench) for use in e.uses()]
    if as_json:
        click.echo(orjson.dumps([m.model_dump(mode="json") for m in manifests], option=orjson.OPT_INDENT_2).decode())
        return
    head = ("evalset", "use", "samples", "families", "duplicates", "quarantined", "fingerprint")
    grid(
        head,
        [
            (m.name, m.use, str(m.n), str(m.n_groups), str(m.n_duplicates), str(m.n_quarantined), m.fingerprint[:12])
            for m in manifests
        ],
    )


@evalset_group.command("validate", epilog="Example: workbench evalset validate helpcentre")
@click.argument("names", nargs=-1)
@json_option
@click.pass_context
def validate_command(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Read evalsets whole, rows and rubrics, and report every fault; without NAMES all of them."""
    from workbench.config.evalset_yaml import find_evalsets
    from workbench.jobs.planning import select
    from workbench.jobs.sides import refuse_overlap

    bench = config_of(ctx)
    evalsets = select(bench, names, "dev") if names else find_evalsets(bench)
    found = [evalset.stored(use, bench.home) for evalset in evalsets for use in evalset.uses()]
    for evalset in evalsets:
        refuse_overlap(evalset, bench.home, whole=True)
    if as_json:
        plain = [{**s.manifest.model_dump(mode="json"), "notes": s.notes} for s in found]
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    for stored in found:
        m, notes = stored.manifest, "".join(f", {n} × {code}" for code, n in sorted(stored.notes.items()))
        click.echo(f"{m.name} {m.use}: {m.n} samples in {m.n_groups} families{notes}")


evalset_group.add_command(audit_command)
evalset_group.add_command(build_command)
evalset_group.add_command(diff_command)
