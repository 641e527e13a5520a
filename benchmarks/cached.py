"""The same judgements again, in a new run, all from the response cache."""

from __future__ import annotations

from benchmarks.endpoint import Endpoint, endpoint
from benchmarks.figures import Figure, Goal
from benchmarks.process import Took, take
from benchmarks.project import JUDGED, Project, write_project
from benchmarks.setting import Setting

NAME = "cached"
HOME = "home"


def cached(setting: Setting) -> list[Figure]:
    """Measure the whole command for a small and a large run whose every verdict is in the cache."""
    goals = {setting.sizes.judgements: Goal("<=", 1), setting.sizes.many: Goal("<=", 2)}
    made: dict[int, list[Took]] = {n: [] for n in goals}
    with endpoint() as server:
        projects = {n: _filled(setting, server, n) for n in goals}
        server.reset(0)
        for number in setting.each_round():
            for n, project in projects.items():
                setting.say(f"round {number}, {n:,} cached judgements")
                made[n].append(take(project.run(HOME), setting.log()))
                project.check(HOME, n)
        if calls := server.seen().n:
            raise RuntimeError(f"{calls} calls reached the endpoint although every answer was in the cache")
    return [figure for n in goals for figure in _figures(n, made[n], goals[n])]


def _figures(n: int, made: list[Took], goal: Goal) -> list[Figure]:
    again = f"{n:,} judgements again"
    return [
        Figure(NAME, f"{again}, whole command", "s", tuple(t.wall for t in made), goal),
        Figure(NAME, f"{again}, CPU", "s", tuple(t.cpu for t in made)),
    ]


def _filled(setting: Setting, server: Endpoint, n: int) -> Project:
    """Return a project that was evaluated once."""
    setting.say(f"filling the cache with {n:,} judgements")
    project = write_project(setting.folder / f"{NAME}-{n}", n, JUDGED, server.base_url, setting.sizes.in_flight)
    server.reset(1)
    take(project.run(HOME), setting.log())
    project.check(HOME, n)
    return project
