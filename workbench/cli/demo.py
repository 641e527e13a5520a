"""`workbench demo`: the whole way once, on the tiny models that come with the project."""

from __future__ import annotations

import click

from workbench.cli.options import config_of

ABOUT = """\
The demo asks {n} questions about a made-up product's help centre ('{evalset}', the dev side of the firewall).
Both the model that answers and the model that judges are tiny (0.9 million parameters), made for this demo, and know
nothing else: draw no conclusion about real models. Nothing leaves this machine.
"""
REAL = """
To put a real model and a real judge in their place, change these lines of {file}:

  candidate: {{kind: endpoint, base_url: "https://api.example.com/v1", model: your-model, api_key_env: EXAMPLE_API_KEY}}
  judge:     {{kind: endpoint, base_url: "http://127.0.0.1:8000/v1", model: your-judge, structured: json_schema}}
  candidate: candidate

Next:  workbench eval show          the run again           workbench eval list     all runs
       workbench init my-project    a project of your own   make eval               the gate side
"""


@click.command("demo")
@click.option("--limit", type=click.IntRange(1, 10**9), default=None, help="Only so many questions.")
@click.pass_context
def demo(ctx: click.Context, limit: int | None) -> None:
    """Evaluate the demo model on the help centre, judge its answers and set the judge beside the gold labels.

    Answers are cached: the second time is quick.
    """
    from workbench.cli.running import run_evalsets
    from workbench.cli.show import show_judge_check
    from workbench.evaluation.agreement import check_judge
    from workbench.evaluation.run import read_run
    from workbench.jobs.planning import Asked, select

    bench = config_of(ctx)
    (evalset,) = select(bench, ["helpcentre"], "dev")
    n = evalset.rows("dev", bench.home).manifest.n
    click.echo(ABOUT.format(n=min(n, limit or n), evalset=evalset.name))
    code = run_evalsets(
        bench, [evalset.name], Asked("", "dev", bench.candidate(), limit), fresh=False, as_json=False, quiet=False
    )
    if code == 0:
        folder = bench.home.run("latest")
        run = read_run(folder)
        # Where a few words are asked for, exact match is the truth about the fact; elsewhere it asks for the form too.
        show_judge_check(check_judge(run, folder, "correct", "exact_match", ("format", "short")))
        click.echo(REAL.format(file=bench.file.name))
    ctx.exit(code)
