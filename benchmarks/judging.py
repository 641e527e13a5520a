"""A thousand rubric judgements of recorded answers: the whole `workbench eval run` beside the smallest loop."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.endpoint import Endpoint, endpoint
from benchmarks.figures import Figure, Goal, ratios
from benchmarks.process import Took, take
from benchmarks.project import JUDGED, Project, write_project
from benchmarks.setting import Setting

NAME = "judging"


@dataclass(frozen=True)
class Made:
    """One measured command, and the calls a second that the endpoint saw."""

    took: Took
    rate: float


@dataclass(frozen=True)
class Bench:
    """What both sides of a round need."""

    setting: Setting
    server: Endpoint
    project: Project
    bodies: Path

    def limit(self, latency_ms: float) -> Made:
        """Send the bodies with the smallest loop."""
        in_flight = str(self.setting.sizes.in_flight)
        command = [sys.executable, "-m", "benchmarks.bare", self.server.base_url, str(self.bodies), in_flight]
        return self._made(command, latency_ms)

    def workbench(self, latency_ms: float, home: str) -> Made:
        """Judge in a home that holds nothing yet: reading the files in is part of the command."""
        made = self._made(self.project.run(home), latency_ms)
        self.project.check(home, self.setting.sizes.judgements)
        return made

    def _made(self, command: list[str], latency_ms: float) -> Made:
        self.server.reset(latency_ms)
        took = take(command, self.setting.log())
        seen = self.server.seen()
        if seen.n != self.setting.sizes.judgements:
            raise RuntimeError(f"{seen.n} calls instead of {self.setting.sizes.judgements}: {' '.join(command)}")
        return Made(took, seen.rate())


def judging(setting: Setting) -> list[Figure]:
    """Measure calls a second, wall time, CPU and memory, at a low and a high latency."""
    sizes, limits, ours = setting.sizes, dict[int, list[Made]](), dict[int, list[Made]]()
    with endpoint() as server:
        project = write_project(setting.folder / NAME, sizes.judgements, JUDGED, server.base_url, sizes.in_flight)
        bench = Bench(setting, server, project, setting.folder / "bodies.jsonl")
        setting.say("writing down what the workbench sends")
        server.reset(1, keep=True)
        take(project.run("warm-up"), setting.log())
        bench.bodies.write_bytes(server.bodies())
        for number in setting.each_round():
            for latency in sizes.latencies_ms:
                setting.say(f"round {number}, {latency} ms, bare loop")
                limits.setdefault(latency, []).append(bench.limit(latency))
                setting.say(f"round {number}, {latency} ms, workbench")
                ours.setdefault(latency, []).append(bench.workbench(latency, f"home-{number}-{latency}"))
    low, high = sizes.latencies_ms
    return [
        *_figures(low, limits[low], ours[low], sizes.judgements, Goal(">=", 0.75), None),
        *_figures(high, limits[high], ours[high], sizes.judgements, Goal(">=", 0.95), Goal("<=", 1.25)),
    ]


def _figures(
    latency: int, limits: list[Made], ours: list[Made], n: int, share: Goal, times: Goal | None
) -> list[Figure]:
    def figure(name: str, unit: str, values: tuple[float, ...], goal: Goal | None = None) -> Figure:
        return Figure(NAME, f"{name}, {latency} ms", unit, values, goal)

    walls, floors = [m.took.wall for m in ours], [m.took.wall for m in limits]
    return [
        figure("bare loop: calls a second", "1/s", tuple(m.rate for m in limits)),
        figure("calls a second", "1/s", tuple(m.rate for m in ours)),
        figure(
            "calls a second, share of the bare loop's",
            "",
            ratios([m.rate for m in ours], [m.rate for m in limits]),
            share,
        ),
        figure("bare loop: whole command", "s", tuple(floors)),
        figure("whole command", "s", tuple(walls)),
        figure("whole command, × the bare loop's", "×", ratios(walls, floors), times),
        figure("bare loop: CPU a call", "ms", tuple(1000 * m.took.cpu / n for m in limits)),
        figure("CPU a call, whole command", "ms", tuple(1000 * m.took.cpu / n for m in ours), Goal("<=", 3)),
        figure("peak memory", "MB", tuple(m.took.peak_mb for m in ours)),
    ]
