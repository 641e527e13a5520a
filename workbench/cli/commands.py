"""The commands of `workbench`: each one's module is imported when it is called, so that `--help` stays quick.

docs/cli.md is made from the help texts below by `python -m workbench.cli.reference`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from workbench import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("workbench.cli.demo:demo", "Walk the whole loop on the tiny demo models and the made-up help centre."),
    "init": ("workbench.cli.init:init", "Write a first workbench.yaml and a first evalset here."),
    "eval": ("workbench.cli.evaluate:eval_group", "Run evaluations, rescore, show and compare them."),
    "gate": ("workbench.cli.gate:gate_group", "Decide whether the candidate may be released."),
    "judge": ("workbench.cli.judge:judge_group", "Measure judges against people, and correct what they say."),
    "model": ("workbench.cli.model:model_group", "Try, serve, merge and export models, also those that training made."),
    "rag": ("workbench.cli.rag:rag_group", "Build indexes of documents, ask a RAG pipeline, compare its choices."),
    "evalset": ("workbench.cli.evalset:evalset_group", "List, validate, build and audit evalsets."),
    "failures": ("workbench.cli.failures:failures_group", "Find, group and code failing answers, and send them on."),
    "pairs": ("workbench.cli.pairs:pairs_group", "Build preference pairs from labels and runs, and lint them."),
    "argilla": ("workbench.cli.argilla:argilla_group", "Run Argilla's own server here, without Docker."),
    "label": ("workbench.cli.label:label_group", "Put records before annotators, and get their labels back."),
    "data": ("workbench.cli.data:data_group", "Bring datasets in and out, and look at what is stored."),
    "synth": ("workbench.cli.synth:synth_group", "Let models write questions, answers and feedback, from a recipe."),
    "train": ("workbench.cli.train:train_group", "Tune a base model on curated data."),
    "jobs": ("workbench.cli.jobs:jobs_group", "See, follow and stop what the pages started."),
    "dashboards": ("workbench.cli.dashboards:dashboards", "Serve the pages to a browser."),
    "doctor": ("workbench.cli.doctor:doctor", "Check configuration, keys, endpoints, packages and disk."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as exc:
            # Leaving with a code is no trouble, and an interrupt has nothing to show.
            if ctx.params["debug"] and not isinstance(exc, click.exceptions.Exit | click.Abort):
                import traceback

                traceback.print_exc()
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as exc:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if near and "No such command" in exc.format_message():
                ctx.fail(f"No such command {args[0]!r}; did you mean {near[0]!r}?")
            raise


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Example: workbench --config project/workbench.yaml eval run",
)
@click.version_option(__version__, prog_name="workbench")
@click.option("--config", type=click.Path(), default=None, help="workbench.yaml to use; else the nearest one upwards.")
@click.option("--debug", is_flag=True, help="Show the traceback of whatever ends the command.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, debug: bool) -> None:
    """Evaluate models and RAG pipelines, and turn their failures into better data.

    Exit codes: 0 pass · 1 fail · 2 usage or config · 3 bad data · 4 inconclusive or incomplete · 5 locked ·
    130/143 stopped.
    """
    ctx.obj = config
