"""`workbench demo`: the whole way once, on the tiny models that come with the project."""

from __future__ import annotations

import click
import orjson

from workbench.cli.options import config_of, json_option, quiet_option

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

Next:  workbench eval show          the run again           workbench eval ls       all runs
       workbench init my-project    a project of your own   make eval               the gate side
"""


FAST = 20
"""Questions of a fast demo: enough to see every part of the report."""


@click.command("demo", epilog="Example: workbench demo --fast")
@click.option("--fast", is_flag=True, help=f"Only {FAST} questions.")
@click.option("--loop", "whole", is_flag=True, help="The loop instead: simulated annotators label in the real Argilla.")
@json_option
@quiet_option
@click.pass_context
def demo(ctx: click.Context, fast: bool, whole: bool, as_json: bool, quiet: bool) -> None:
    """Evaluate the demo model on the help centre, judge its answers and set the judge beside the gold labels.

    Answers are cached: the second time is quick. With --loop, sampled answers are labelled in Argilla by SIMULATED
    annotators of stated error rates, and become preference pairs and conversations; it needs `make setup-argilla`.
    """
    if whole:
        from workbench.cli.looping import run_loop
        from workbench.jobs.loop import PROMPTS

        ctx.exit(run_loop(config_of(ctx), FAST if fast else PROMPTS, as_json=as_json, quiet=quiet))
    from workbench.cli.running import evaluated, jobs_for, plans_for
    from workbench.cli.show import show_judge_check, show_run
    from workbench.evaluation.agreement import check_judge
    from workbench.jobs.planning import Asked

    bench = config_of(ctx)
    limit = FAST if fast else None
    (plan,) = plans_for(bench, ["helpcentre"], Asked("", "dev", bench.candidate(), limit))
    n = plan.rows.manifest.n
    click.echo(ABOUT.format(n=min(n, limit or n), evalset=plan.spec.evalset), err=as_json)
    (job,) = jobs_for(bench, [plan], False, quiet)
    runs, code = evaluated(bench, [job], quiet)
    if code:
        ctx.exit(code)
    # Where a few words are asked for, exact match is the truth about the fact; elsewhere it asks for the form too.
    check = check_judge(runs[0], job.folder, "correct", "exact_match", ("format", "short"))
    if as_json:
        plain = {"run": runs[0].model_dump(mode="json"), "judge": check.model_dump(mode="json")}
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    show_run(runs[0], job.folder)
    show_judge_check(check)
    click.echo(REAL.format(file=bench.file.name))
