"""Where the demo is: which step, about how long still, and what it will tell at its end."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, field

import click

from workbench.cli.progress import say
from workbench.cli.running import evaluated, jobs_for
from workbench.config.workbench_yaml import Workbench
from workbench.evaluation.arms import Finished
from workbench.jobs.demo import Size
from workbench.jobs.planning import Plan, finished_run
from workbench.training.folder import TrainRun

STEPS = {
    "base": 45,
    "round 1": 60,
    "SFT": 40,
    "round 2": 110,
    "DPO": 80,
    "dev": 60,
    "gate": 110,
    "RAG": 60,
    "judge": 20,
}
"""Steps and their seconds on two quiet cores, by which the time left is guessed."""
OF_LABELS = {"round 1", "SFT", "round 2", "DPO", "gate", "judge"}
"""Steps that rest on labels."""


class Ended(Exception):
    """A step was stopped; `code` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Tour:
    """Where the demo is."""

    outer: Workbench
    size: Size
    quiet: bool
    bench: Workbench
    labels: bool
    """Whether Argilla's environment is set up, on which all that rests on labels depends."""
    runs: dict[str, TrainRun] = field(default_factory=dict)
    """Finished trainings by model name."""
    seconds: dict[str, float] = field(default_factory=dict)
    """What each step took this time."""
    told: dict[str, object] = field(default_factory=dict)
    """What `--json` prints."""
    table: list[tuple[str, str, str, str]] = field(default_factory=list)
    """The last table: what, mean or difference, interval, n."""
    began: float = 0.0

    def begin(self, name: str, what: str, *commands: str) -> None:
        """Say which step begins, about how long all will take, and which commands it is."""
        self.end()
        self.began = time.monotonic()
        left = sum(seconds for step, seconds in self.steps().items() if step not in self.seconds)
        self.seconds[name] = 0.0
        at = f"{len(self.seconds)} of {len(self.steps())}"
        click.echo(f"\n{click.style(f'[{at}] {what}', bold=True)}   at most {max(1, round(left / 60))} min left")
        for command in commands:
            click.echo(f"$ workbench {shlex.join(shlex.split(command))}")

    def steps(self) -> dict[str, int]:
        """Return the steps that there are, each with about its seconds."""
        without = {"gate"} if self.labels and not self.size.gate else set() if self.labels else OF_LABELS
        return {name: seconds for name, seconds in STEPS.items() if name not in without}

    def end(self) -> None:
        """Note what the step under way took."""
        if self.seconds:
            self.seconds[next(reversed(self.seconds))] = time.monotonic() - self.began

    def finished(self, bench: Workbench, *plans: Plan) -> list[Finished]:
        """Return the finished run of each plan; those that are missing are run, side by side."""
        missing = [plan for plan in plans if finished_run(bench, plan.spec) is None]
        if missing:
            _, code = evaluated(bench, jobs_for(bench, missing, fresh=False, quiet=self.quiet), self.quiet)
            if code:
                raise Ended(code)
        else:
            say("There already.")
        folders = [finished_run(bench, plan.spec) for plan in plans]
        return [Finished.read(folder) for folder in folders if folder is not None]
