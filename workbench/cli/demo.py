"""`workbench demo`: the whole loop once, on the tiny models that come with the project."""

from __future__ import annotations

import click

from workbench.cli.options import config_of, json_option, quiet_option

FAST = 20
"""Prompts of a fast loop: enough to see every part of it."""


@click.command("demo", epilog="Example: workbench demo --fast")
@click.option("--fast", is_flag=True, help="Few questions, short training, no look at the gate: does it run here?")
@click.option("--loop", "whole", is_flag=True, help="Labelling and curation alone, with planted flaws and a leak.")
@json_option
@quiet_option
@click.pass_context
def demo(ctx: click.Context, fast: bool, whole: bool, as_json: bool, quiet: bool) -> None:
    """Evaluate, label, curate, train by SFT and DPO, and see on held-out families whether each step is better.

    On the tiny demo models, with SIMULATED annotators of stated error rates in the real Argilla (`make setup-argilla`;
    without it, what rests on labels is left out). Stop it whenever you like: the same command goes on, and what is
    finished is found by its content. It ends with one table and what to open next.
    """
    if whole:
        from workbench.cli.looping import run_loop
        from workbench.jobs.loop import PROMPTS

        ctx.exit(run_loop(config_of(ctx), FAST if fast else PROMPTS, as_json=as_json, quiet=quiet))
    from workbench.cli.demonstrating import run_demo
    from workbench.jobs.demo import FULL, SMALL

    ctx.exit(run_demo(config_of(ctx), SMALL if fast else FULL, as_json=as_json, quiet=quiet))
