"""Opening models: what the processes of a home share."""

from __future__ import annotations

from pathlib import Path

from tests.faults.project import server
from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import load_workbench
from workbench.jobs.opening import open_models
from workbench.models import Output, Request
from workbench.records import Message

REQUEST = Request(messages=(Message(role="user", content="Hello"),), sample_id="s")


async def test_models_behind_one_account_share_the_pace_of_all_processes_and_others_have_none(tmp_path: Path) -> None:
    with server(tmp_path / "server", 0) as endpoint:
        where = f"kind: endpoint, base_url: '{endpoint.base_url}', cache: false"
        (tmp_path / "workbench.yaml").write_text(
            f"models:\n  one: {{{where}, model: simulated, limits: {{requests_per_minute: 60000}}}}\n"
            f"  two: {{{where}, model: simulated, system: Hi, limits: {{tokens_per_minute: 90000000}}}}\n"
            f"  free: {{{where}, model: simulated-free}}\ncandidate: one\n"
        )
        bench = load_workbench(tmp_path / "workbench.yaml")
        async with open_models(bench, ["one", "two", "free"], Budget(None), print) as opened:
            for model in opened.models.values():
                assert isinstance(await model.generate(REQUEST), Output)
    assert len(list((bench.home.cache / "pace").iterdir())) == 1
