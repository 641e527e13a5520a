"""A thousand judgements of faithfulness: `workbench eval run` with a scorer of ragas beside ragas' own `evaluate`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.endpoint import Endpoint, endpoint
from benchmarks.figures import Figure, Goal, ratios
from benchmarks.process import Took, take
from benchmarks.project import write_project
from benchmarks.setting import Setting

NAME = "ragas"
SCORERS = [{"kind": "ragas", "metric": "faithfulness", "judge": "judge"}]
CALLS = 2
"""Of one judgement: the claims, and whether the passages support them."""


@dataclass(frozen=True)
class Made:
    """One measured command, and the judgements a second that the endpoint saw."""

    took: Took
    rate: float


def ragas(setting: Setting) -> list[Figure]:
    """Measure judgements a second between first request and last answer, whole commands and CPU."""
    sizes, theirs, ours = setting.sizes, list[Made](), list[Made]()
    latency = sizes.latencies_ms[0]
    with endpoint() as server:
        project = write_project(setting.folder / NAME, sizes.judgements, SCORERS, server.base_url, sizes.in_flight)
        alone = [sys.executable, "-m", "benchmarks.ragas_alone", server.base_url, str(project.folder)]
        for number in setting.each_round():
            setting.say(f"round {number}, ragas' evaluate")
            theirs.append(_made(setting, server, [*alone, str(sizes.in_flight)], latency))
            setting.say(f"round {number}, workbench")
            ours.append(_made(setting, server, project.run(f"home-{number}"), latency))
            project.check(f"home-{number}", sizes.judgements)
    rates, floors = [m.rate for m in ours], [m.rate for m in theirs]
    per = 1000 / sizes.judgements
    return [
        Figure(NAME, f"ragas' evaluate: judgements a second, {latency} ms", "1/s", tuple(floors), None),
        Figure(NAME, f"judgements a second, {latency} ms", "1/s", tuple(rates), None),
        Figure(NAME, "judgements a second, × ragas' evaluate", "×", ratios(rates, floors), Goal(">=", 3)),
        Figure(NAME, "ragas' evaluate: whole command", "s", tuple(m.took.wall for m in theirs), None),
        Figure(NAME, "whole command", "s", tuple(m.took.wall for m in ours), None),
        Figure(NAME, "ragas' evaluate: CPU a judgement", "ms", tuple(per * m.took.cpu for m in theirs), None),
        Figure(NAME, "CPU a judgement, whole command", "ms", tuple(per * m.took.cpu for m in ours), None),
    ]


def _made(setting: Setting, server: Endpoint, command: list[str], latency: float) -> Made:
    server.reset(latency)
    took = take(command, setting.log())
    seen = server.seen()
    wanted = CALLS * setting.sizes.judgements
    if seen.n != wanted:
        raise RuntimeError(f"{seen.n} calls instead of {wanted}: {' '.join(command)}")
    return Made(took, seen.rate() / CALLS)
