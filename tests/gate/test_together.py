"""Gates with several metrics are right as often as promised: fails held together, passes needing every rule."""

from __future__ import annotations

from collections import Counter
from zlib import crc32

import numpy as np
import pytest

from tests.evaluation.made import RIGHT, in_memory, made, numbered
from workbench.evaluation.arms import Finished
from workbench.gate.claims import Evidence, claims
from workbench.gate.decision import joint
from workbench.gate.judging import judged
from workbench.gate.policy import Policy

MARGIN = 0.05
NAMES = ("right", "second", "third")
POLICY = Policy.model_validate({"metrics": {name: {"margin": MARGIN} for name in NAMES}})
N = 600
PROMISES = [
    ("none is worse", (0.0, 0.0, 0.0), "fail", 28, 0),
    ("one lies at its margin", (MARGIN, 0.0, 0.0), "pass", 28, 0),
    ("all lie at their margins", (MARGIN, MARGIN, MARGIN), "pass", 28, 0),
    ("one is worse by the margin and ten points", (MARGIN + 0.1, 0.0, 0.0), "fail", 400, 307),
]
"""Name, true drops, the verdict that is counted, and how often it may and must be given in 400 gates."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    some = numbered([1.0, 0.0])
    more = {RIGHT.model_copy(update={"name": name}): some for name in NAMES[1:]}
    return made(tmp_path_factory.mktemp("run"), some, more)


def counted(run: Finished, name: str, drops: tuple[float, ...], gates: int) -> Counter[str]:
    rng = np.random.default_rng(crc32(name.encode()))
    return Counter(_gate(rng, run, drops) for _ in range(gates))


def _gate(rng: np.random.Generator, run: Finished, drops: tuple[float, ...]) -> str:
    families = {f"s{i:04d}": str(i // 2) for i in range(N)}
    read = {}
    for name, drop in zip(NAMES, drops, strict=True):
        hard = 0.3 + 0.55 * rng.beta(2, 1, N // 2).repeat(2)
        for of_baseline, rate in ((False, hard - drop), (True, hard)):
            scores = numbered((rng.random(N) < rate).astype(float).tolist())
            read[of_baseline, name] = in_memory(scores, families)
    rows = judged(claims(POLICY, Evidence("set", [run], [run], "", read=read)), POLICY.alpha, {})
    return joint(row.verdict for row in rows)


@pytest.mark.parametrize(("name", "drops", "verdict", "most", "least"), PROMISES, ids=[p[0] for p in PROMISES])
def test_a_few_gates_are_right_as_often_as_promised(run, name, drops, verdict, most, least) -> None:
    gates = 40
    found = counted(run, name, drops, gates)[verdict]
    slack = 2 * (gates * 0.1) ** 0.5
    assert least * gates / 400 - slack <= found <= most * gates / 400 + slack


@pytest.mark.long
@pytest.mark.parametrize(("name", "drops", "verdict", "most", "least"), PROMISES, ids=[p[0] for p in PROMISES])
def test_400_gates_are_right_as_often_as_promised(run, name, drops, verdict, most, least) -> None:
    assert least <= counted(run, name, drops, 400)[verdict] <= most
