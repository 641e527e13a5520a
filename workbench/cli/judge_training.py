"""`workbench judge train`: a judge made of labels."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.options import config_of, json_option, quiet_option

PATH = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("train", epilog="Example: workbench judge train few-shot latest --judge correct")
def train_group() -> None:
    """Make a judge of labels: examples for its prompt, a small encoder, or a LoRA adapter that judge as people do.

    What is learnt from is the train part of the labels, and for encoder and adapter the part to work on; the test part
    is never looked at, and labels of gate sets are refused.
    """


@train_group.command("encoder", epilog="Example: workbench judge train encoder latest --judge correct")
@click.argument("source", metavar="RUN|FILE")
@click.option("--judge", "metric", required=True, help="The judged metric; of a file of rows, the new judge's name.")
@click.option("--base", default="all-MiniLM-L6-v2", show_default=True, help="Encoder to start from: folder or hub id.")
@click.option("--epochs", type=click.IntRange(1, 100), default=3, show_default=True, help="Passes over the labels.")
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=1e-4, help="Highest learning rate [1e-4].")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--test", "with_test", is_flag=True, help="Of a file: open its test part, once, and write it down.")
@json_option
@click.pass_context
def encoder_command(
    ctx: click.Context, source: str, metric: str, base: str, epochs: int, rate: float, seed: int, with_test: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Train an encoder on the labels of a run, or of a file of rows: id, question, answer, passes, and maybe passages,
    reference, group.

    It is written to the home, and takes a judge's place by two lines of workbench.yaml, which are told at the end.
    """
    from workbench.adapters.encoder_judge import Learning
    from workbench.cli.judge_training_shown import show_made, train_and_measure
    from workbench.jobs.judge_training import EncoderAsked

    asked = EncoderAsked(source, metric, base, Learning(epochs=epochs, rate=rate, seed=seed))
    made, opened = train_and_measure(config_of(ctx), asked, with_test)
    show_made(made, opened, as_json=as_json)


@train_group.command("lora", epilog="Example: workbench judge train lora latest --judge correct --base models/base")
@click.argument("source", metavar="RUN|FILE")
@click.option("--judge", "metric", required=True, help="The judged metric; of a file of rows, the new judge's name.")
@click.option("--base", required=True, help="Model to tune: a folder, relative to workbench.yaml.")
@click.option("--rubric", type=PATH, default=None, help="Of a file: the rubric of pass and fail that it judges by.")
@click.option("--rank", type=click.IntRange(1, 1024), default=16, show_default=True, help="Of the adapter.")
@click.option("--epochs", type=click.FloatRange(0, 100, min_open=True), default=3.0, show_default=True,
              help="Passes over the labels.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=None, help="Peak learning rate [2e-4].")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@json_option
@quiet_option
@click.pass_context
def lora_command(
    ctx: click.Context, source: str, metric: str, base: str, rubric: Path | None, rank: int, epochs: float,
    rate: float | None, seed: int, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Tune a model to judge, on the labels of a run or of a file of rows (see `judge train encoder`).

    Labels become conversations, the judge's prompt and the reply that it should have given, stored as a dataset; a
    training run as of `train sft` makes the adapter, which is served and asked as any model.
    """
    from workbench.cli.judge_training_shown import tune_and_show
    from workbench.jobs.judge_lora import LoraAsked

    asked = LoraAsked(source, metric, base, rubric, rank, epochs, rate, seed)
    ctx.exit(tune_and_show(config_of(ctx), asked, as_json=as_json, quiet=quiet))


@train_group.command("few-shot", epilog="Example: workbench judge train few-shot latest --judge correct --shots 4")
@click.argument("run_id", metavar="[RUN]", default="latest")
@click.option("--judge", "metric", required=True, help="The judged metric of a rubric_judge.")
@click.option("--shots", type=click.IntRange(2, 32), default=4, show_default=True, help="Examples a choice.")
@click.option("--tries", type=click.IntRange(1, 50), default=4, show_default=True, help="Choices that are tried.")
@click.option("--dev", type=click.IntRange(10, 2000), default=60, show_default=True, help="Labels they are tried on.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choices.")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), default=None, help="Money after which it stops.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="File to write.")
@json_option
@click.pass_context
def few_shot_command(
    ctx: click.Context, run_id: str, metric: str, shots: int, tries: int, dev: int, seed: int, budget: float | None,
    out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Choose examples for a judge's prompt from the train labels, by how the judge does with them on the dev labels.

    The best choice is written to examples/METRIC.jsonl of the evalset; `examples:` in the scorer names it.
    """
    from workbench.cli.judge_training_shown import choose_and_show
    from workbench.jobs.judge_shots import ShotsAsked

    asked = ShotsAsked(run_id, metric, shots, tries, dev, seed, budget)
    choose_and_show(config_of(ctx), asked, out, as_json=as_json)
