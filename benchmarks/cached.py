"""The same judgements again, in a new run, all from the response cache."""

from __future__ import annotations

from benchmarks.endpoint import Endpoint, endpoint
from benchmarks.figures import Figure, Goal
from benchmarks.process import take
from benchmarks.project import JUDGED, Project, write_project
from benchmarks.setting import Setting

NAME = "cached"
HOME = "home"


def cached(setting: Setting) -> list[Figure]:
    """Measure the whole command for a small and a large run whose every verdict is in the cache."""
    goals = {setting.sizes.judgements: Goal("<=", 1), setting.sizes.many: Goal("<=", 2)}
    walls: dict[int, list[float]] = {n: [] for n in goals}
    with endpoint() as server:
        projects = {n: _filled(setting, server, n) for n in goals}
        server.reset(0)
        for number in setting.each_round():
            for n, project in projects.items():
                setting.say(f"round {number}, {n:,} cached judgements")
                walls[n].append(take(project.run(HOME), setting.log()).wall)
                project.check(HOME, n)
        if calls := server.seen().n:
            raise RuntimeError(f"{calls} calls reached the endpoint although every answer was in the cache")
    return [Figure(NAME, f"{n:,} judgements again, whole command", "s", tuple(walls[n]), goals[n]) for n in goals]


def _filled(setting: Setting, server: Endpoint, n: int) -> Project:
    """Return a project that was evaluated once."""
    setting.say(f"filling the cache with {n:,} judgements")
    project = write_project(setting.folder / f"{NAME}-{n}", n, JUDGED, server.base_url, setting.sizes.in_flight)
    server.reset(1)
    take(project.run(HOME), setting.log())
    project.check(HOME, n)
    return project
