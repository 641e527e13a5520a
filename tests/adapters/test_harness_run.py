"""One whole run: a served model answers, ragas and TruLens judge by a faulty endpoint, and every row is theirs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.test_lm_eval import evaluated
from tests.adapters.test_ragas_metrics import REPLIES as RAGAS
from tests.adapters.test_ragas_metrics import verdicts
from tests.adapters.test_trulens_feedback import ALONE, grade
from tests.adapters.test_trulens_feedback import REPLIES as TRULENS
from workbench.adapters.ragas_metrics import load
from workbench.models import Output
from workbench.records import Passage
from workbench.runs import EvalRun
from workbench.simulated.endpoint import simulated_endpoint
from workbench.simulated.plan import EndpointFault, Plan, Said
from workbench.tables import connection

pytestmark = [pytest.mark.long, pytest.mark.served, pytest.mark.filterwarnings("ignore")]
ROOT = Path(__file__).parents[2]
N = 4
RAGAS_METRICS = ("faithfulness", "factual_correctness")
FEEDBACK = ("answer_relevance", "groundedness")
JUDGE = (
    "{{kind: endpoint, base_url: '{url}', model: simulated, structured: json_schema, "
    "price: {{input: 1.0, output: 2.0}}, "
    "limits: {{attempts: {attempts}, concurrency: 8, backoff: 0.001}}}}"
)


def rows() -> list[dict[str, Any]]:
    """Return a few questions of the help centre with their passages."""
    lines = (ROOT / "evalsets" / "helpcentre" / "samples.jsonl").read_text().splitlines()
    found = [row for row in map(json.loads, lines) if row["tags"]["format"] == "short"]
    return [{**row, "id": f"s{at}"} for at, row in enumerate(found[:: len(found) // N][:N])]


def replies(asked: list[dict[str, Any]]) -> tuple[Said, ...]:
    """Return what the judge says: another verdict for each sample."""
    own: list[Said] = []
    for at, row in enumerate(asked):
        mark = json.dumps(row["contexts"][0]["text"])[1:40]
        own.append(Said(containing=("NLIStatementOutput", mark), reply=verdicts(*(int(i <= at) for i in range(N)))))
        question = row["messages"][-1]["content"].rpartition("Question: ")[2]
        own.append(Said(containing=("RELEVANCE", question), reply=grade(at % 4)))
    return (*own, *RAGAS, *TRULENS)


def project(folder: Path, url: str, attempts: int) -> Path:
    folder.mkdir(exist_ok=True)
    home = folder / "evalsets" / "e"
    home.mkdir(parents=True)
    (home / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    scorers = [
        *(f"  - {{kind: ragas, metric: {name}, judge: j}}" for name in RAGAS_METRICS),
        *(f"  - {{kind: trulens, feedback: {name}, judge: j}}" for name in FEEDBACK),
    ]
    (home / "evalset.yaml").write_text("name: e\nversion: '1'\nuse: dev\nscorers:\n" + "\n".join(scorers) + "\n")
    base = ROOT / "demo" / "models" / "base"
    model = f"  m: {{kind: local, base: {base}, device: cpu, sampling: {{max_tokens: 48}}}}\n"
    judge = JUDGE.format(url=url, attempts=attempts)
    (folder / "workbench.yaml").write_text(f"models:\n{model}  j: {judge}\ncandidate: m\n")
    return folder / "workbench.yaml"


def answers(folder: Path, run: EvalRun) -> dict[str, str]:
    table = folder / ".workbench" / "runs" / run.id / "samples.parquet"
    with connection(samples=table) as db:
        found = db.sql("select sample_id, output from samples").fetchall()
    return {str(name): str(text) for name, text in found}


async def ragas_alone(url: str, row: dict[str, Any], answer: str) -> dict[str, float]:
    """Return what ragas says by its own client."""
    metrics = load()
    from openai import AsyncOpenAI
    from ragas.llms import llm_factory

    contexts = [passage["text"] for passage in row["contexts"]]
    question = row["messages"][-1]["content"]
    async with AsyncOpenAI(base_url=url, api_key="none") as client:
        llm = llm_factory("simulated", client=client)
        faithful = await metrics.Faithfulness(llm=llm).ascore(question, answer, contexts)
        correct = await metrics.FactualCorrectness(llm=llm).ascore(answer, row["references"][0])
    return {"ragas_faithfulness": float(faithful.value), "ragas_factual_correctness": float(correct.value)}


def trulens_alone(url: str, row: dict[str, Any], answer: str) -> dict[str, float]:
    """Return what TruLens says by its own provider, in a process of its own."""
    passages = [passage["text"] for passage in row["contexts"]]
    command = [sys.executable, "-c", ALONE, url, row["messages"][-1]["content"], answer, *passages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return {f"trulens_{name}": told[name] for name in FEEDBACK}


def test_each_row_of_a_run_is_what_the_harness_says_alone_and_faults_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    asked = rows()

    async def run_it() -> None:
        async with simulated_endpoint(Plan(replies=replies(asked), reply=grade(2))) as server:
            file = project(tmp_path / "whole", server.base_url, attempts=1)
            run, scores = await asyncio.to_thread(evaluated, file)
            said = answers(tmp_path / "whole", run)
            assert run.n_output == N and all(text.strip() for text in said.values())
            alone: dict[str, dict[str, float]] = {}
            for row in asked:
                theirs = await ragas_alone(server.base_url, row, said[row["id"]])
                theirs |= await asyncio.to_thread(trulens_alone, server.base_url, row, said[row["id"]])
                alone[row["id"]] = theirs
        ours = {name: {r["scorer"]: r["value"] for r in scores if r["sample_id"] == name} for name in alone}
        assert ours == alone
        assert len({values["ragas_faithfulness"] for values in alone.values()}) == N, "each sample has its own verdict"
        assert run.judging.cost is not None and run.judging.cost > 0 and run.judging.unpriced_calls == 0

        faults = tuple(EndpointFault(fault=kind, share=0.034) for kind in ("500", "reset_mid_body", "truncated_json"))
        async with simulated_endpoint(Plan(seed=1, replies=replies(asked), reply=grade(2), faults=faults)) as server:
            faulty = project(tmp_path / "faulty", server.base_url, attempts=8)
            hit, again = await asyncio.to_thread(evaluated, faulty)
            assert any(line.fault for line in server.log), "no fault struck"
            assert hit.judging.calls == server.arrived, "each call is counted, those that failed too"
        assert {(r["sample_id"], r["scorer"]): r["value"] for r in again} == {
            (name, scorer): value for name, values in alone.items() for scorer, value in values.items()
        }

    asyncio.run(run_it())


def test_the_inputs_of_the_harnesses_are_the_samples_own() -> None:
    from workbench.datasets import Sample
    from workbench.scoring.ragas import Ragas

    row = rows()[0]
    sample = Sample.model_validate_json(json.dumps(row))
    given = Ragas.model_validate({"kind": "ragas", "metric": "faithfulness", "judge": "j"}).inputs(
        sample, Output(text="x", contexts=(Passage(id="a", text="found"),))
    )
    assert given == {"user_input": row["messages"][-1]["content"], "response": "x", "retrieved_contexts": ["found"]}
