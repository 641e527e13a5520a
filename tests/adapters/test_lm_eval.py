"""lm-eval's tasks in a run: the scores of `simple_evaluate` to the last digit, local and by endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.conftest import WORDS, write_adapter, write_model
from workbench.config.workbench_yaml import load_workbench
from workbench.errors import ConfigError, ModelError
from workbench.evaluation.engine import Halt, Progress
from workbench.jobs.evaluating import Job, evaluate_all
from workbench.jobs.planning import Asked, folder_for, plan, select
from workbench.runs import EvalRun
from workbench.simulated.endpoint import simulated_endpoint
from workbench.simulated.plan import EndpointFault, Plan
from workbench.tables import connection

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # lm-eval, datasets and torch warn of each other
]
CHOOSING = """\
task: choosing
dataset_path: json
dataset_kwargs: {data_files: {test: data/test.jsonl, train: data/train.jsonl}}
output_type: multiple_choice
training_split: train
test_split: test
num_fewshot: 2
doc_to_text: "{{question}}"
doc_to_choice: choices
doc_to_target: right
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
  - {metric: mcc, aggregation: matthews_corrcoef, higher_is_better: true}
"""
ANSWERING = """\
task: answering
dataset_path: json
dataset_kwargs: {data_files: {test: data/test.jsonl}}
output_type: generate_until
test_split: test
num_fewshot: 0
doc_to_text: "{{question}}"
doc_to_target: "{{choices[right]}}"
generation_kwargs: {until: ["w3"], do_sample: false, max_gen_toks: 6}
filter_list:
  - {name: none, filter: [{function: take_first}]}
  - {name: one, filter: [{function: regex, regex_pattern: "(w[0-9]+)"}, {function: take_first}]}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""
SCORERS = """\
  - {kind: lm_eval, task: choosing, metric: acc}
  - {kind: lm_eval, task: choosing, metric: acc_norm}
  - {kind: lm_eval, task: answering, metric: exact_match}
  - {kind: lm_eval, task: answering, metric: exact_match, filter: one}
"""


def project(folder: Path, model: str, tasks: str = "choosing, answering", settings: str = "", docs: int = 12) -> Path:
    """Write a workbench with an evalset of two tasks; return its file."""
    home = folder / "evalsets" / "e"
    (home / "tasks").mkdir(parents=True)
    (home / "data").mkdir()
    chance = random.Random(0)
    words = [word for word in WORDS if word.startswith("w")]
    for split in ("test", "train"):
        lines = [
            {"question": f"w1 w2 {' '.join(chance.sample(words, 1 + n % 5))}", "choices": chance.sample(words, 3),
             "right": chance.randrange(3)} for n in range(docs)
        ]  # fmt: skip
        (home / "data" / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name, text in {"choosing": CHOOSING, "answering": ANSWERING}.items():
        (home / "tasks" / f"{name}.yaml").write_text(text)
    named = [name.strip() for name in tasks.split(",")]
    files = ", ".join(f"tasks/{name}.yaml" for name in named)
    scorers = "".join(line + "\n" for line in SCORERS.splitlines() if any(f"task: {name}," in line for name in named))
    (home / "evalset.yaml").write_text(
        f"name: e\nversion: '1'\nuse: dev\nharness: {{kind: lm_eval, tasks: [{files}]{settings}}}\nscorers:\n{scorers}"
    )
    (folder / "workbench.yaml").write_text(f"models:\n  m: {model}\ncandidate: m\n")
    return folder / "workbench.yaml"


@contextlib.contextmanager
def quiet(_: str) -> Iterator[Callable[[Progress], None]]:
    yield lambda progress: None


def evaluated(file: Path) -> tuple[EvalRun, list[dict[str, Any]]]:
    """Run the evalset; return the run and its scores."""
    bench = load_workbench(file)
    asked = Asked("e", "dev", "m")
    planned = plan(bench, asked, select(bench, ["e"], "dev")[0])
    folder, _ = folder_for(bench, planned.spec, fresh=True)
    (run,) = asyncio.run(evaluate_all(bench, [Job(planned, folder)], Halt(), quiet, print)) or [None]
    assert run is not None
    with connection(scores=folder.scores) as db:
        rows = db.sql("select * from scores").to_arrow_table().to_pylist()
    return run, rows


def directly(folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> dict[str, Any]:
    """Return what lm-eval says by itself."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    home = folder / "evalsets" / "e"
    monkeypatch.chdir(home)  # lm-eval takes data files from here
    manager = TaskManager(include_path=str(home / "tasks"), include_defaults=False)
    found = simple_evaluate(task_manager=manager, bootstrap_iters=0, **settings)
    assert found is not None
    return dict(found)


def same(run: EvalRun, rows: list[dict[str, Any]], direct: dict[str, Any]) -> int:
    """Assert that every number is lm-eval's; return how many were compared."""
    compared = 0
    for metric in (m for m in run.metrics if not m.slice):
        _, task, name, *rest = metric.scorer.split(":")
        filter = rest[0] if rest else "none"
        samples = [s for s in direct["samples"][task] if s["filter"] == filter]
        assert metric.value == float(direct["results"][task][f"{name},{filter}"]) and metric.n == len(samples)
        ours = {row["sample_id"]: row["value"] for row in rows if row["scorer"] == metric.scorer}
        for sample in samples:
            assert ours[f"{task}:{sample['doc_id']}"] == float(sample[name])
            compared += 1
    return compared


@pytest.mark.parametrize("template", [False, True])
def test_a_local_model_and_its_adapter_score_as_in_simple_evaluate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: bool
) -> None:
    base = write_model(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter") if template else None
    own = f", adapter: {adapter}" if adapter else ""
    file = project(
        tmp_path,
        f"{{kind: local, base: {base}{own}, device: cpu, dtype: float32}}",
        settings=f", chat_template: {str(template).lower()}, batch_size: {4 if template else 1}",
    )
    run, rows = evaluated(file)
    arguments = {"pretrained": str(base), "dtype": "float32", **({"peft": str(adapter)} if adapter else {})}
    direct = directly(
        tmp_path, monkeypatch, model="hf", model_args=arguments, tasks=["choosing", "answering"], device="cpu",
        batch_size=4 if template else 1, apply_chat_template=template,
    )  # fmt: skip
    assert same(run, rows, direct) == 48
    assert run.spec.harness["chat_template"] is template and run.spec.harness["lm_eval"].startswith("0.4.")
    assert run.spec.harness["batch_size"] == (4 if template else 1)
    assert run.n_output_failed == 0


def test_a_local_run_reaches_no_other_machine_and_is_not_computed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"{address} was called")

    monkeypatch.setattr(socket.socket, "connect", refused)
    base = write_model(tmp_path / "base")
    file = project(tmp_path, f"{{kind: local, base: {base}, device: cpu}}", docs=4)
    first, _ = evaluated(file)
    monkeypatch.setattr("lm_eval.models.huggingface.HFLM.__init__", refused)
    again, _ = evaluated(file)
    assert [m.value for m in again.metrics] == [m.value for m in first.metrics]


REPLIES = Plan(reply="w5 w9 w3 w1")
ENDPOINT = (
    "{{kind: endpoint, base_url: '{url}', model: simulated, price: {{input: 1.0, output: 2.0}}, limits: {limits}}}"
)


def test_a_chat_endpoint_scores_as_in_simple_evaluate_and_costs_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both() -> tuple[EvalRun, list[dict[str, Any]], dict[str, Any]]:
        async with simulated_endpoint(Plan(replies=REPLIES.replies, reply="w5")) as server:
            model = ENDPOINT.format(url=server.base_url, limits="{attempts: 2}")
            file = project(tmp_path, model, tasks="answering", settings=", chat_template: true")
            run, rows = await asyncio.to_thread(evaluated, file)
            monkeypatch.setenv("OPENAI_API_KEY", "none")
            arguments = {"base_url": f"{server.base_url}/chat/completions", "model": "simulated", "eos_string": "</s>"}
            direct = await asyncio.to_thread(
                directly, tmp_path, monkeypatch, model="local-chat-completions", model_args=arguments,
                tasks=["answering"], apply_chat_template=True,
            )  # fmt: skip
            return run, rows, direct

    run, rows, direct = asyncio.run(both())
    assert same(run, rows, direct) == 24
    assert run.candidate.calls == 12 and run.candidate.cost is not None and run.candidate.cost > 0


def test_faults_of_one_request_in_ten_lose_nothing(tmp_path: Path) -> None:
    async def run_it() -> tuple[EvalRun, EvalRun]:
        faults = (EndpointFault(fault="500", share=0.05), EndpointFault(fault="reset_mid_body", share=0.05))
        async with simulated_endpoint(Plan(reply="w5 w9 w3", faults=faults)) as bad:
            model = ENDPOINT.format(url=bad.base_url, limits="{attempts: 8, backoff: 0.001}")
            hit, _ = await asyncio.to_thread(evaluated, project(tmp_path / "a", model, tasks="answering", docs=60))
            assert any(logged.fault for logged in bad.log)
        async with simulated_endpoint(Plan(reply="w5 w9 w3")) as good:
            model = ENDPOINT.format(url=good.base_url, limits="{attempts: 1}")
            whole, _ = await asyncio.to_thread(evaluated, project(tmp_path / "b", model, tasks="answering", docs=60))
        return hit, whole

    hit, whole = asyncio.run(run_it())
    assert hit.n_output == whole.n_output == 60 and hit.candidate.calls > 60
    assert [(m.scorer, m.value, m.n, m.n_failed) for m in hit.metrics] == [
        (m.scorer, m.value, m.n, m.n_failed) for m in whole.metrics
    ]


def test_log_likelihoods_of_a_server_that_has_none_are_refused_with_the_reason(tmp_path: Path) -> None:
    async def run_it() -> None:
        async with simulated_endpoint(REPLIES) as server:
            model = ENDPOINT.format(url=server.base_url, limits="{attempts: 1}")
            await asyncio.to_thread(evaluated, project(tmp_path, model, tasks="choosing"))

    with pytest.raises(ModelError, match="gives no log-likelihoods: it has no /completions"):
        asyncio.run(run_it())
    scripted = project(tmp_path / "s", "{kind: scripted}", tasks="choosing")
    with pytest.raises(ConfigError, match="kind 'scripted' gives no log-likelihoods"):
        evaluated(scripted)


@asynccontextmanager
async def completions(base: Path) -> AsyncIterator[str]:
    """A server of /v1/completions with `echo`, as vLLM and llama.cpp have it, over a model computed here."""
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=str(base), device="cpu", dtype="float32")

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        assert asked["echo"] and asked["max_tokens"] == 1
        return web.json_response({"model": asked["model"], "choices": [{"logprobs": echoed(model, asked["prompt"])}],
                                  "usage": {"prompt_tokens": 3, "completion_tokens": 1}})  # fmt: skip

    app = web.Application()
    app.router.add_post("/v1/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def echoed(model: Any, prompt: str) -> dict[str, Any]:
    """Return the log-probabilities of a prompt's tokens."""
    import torch

    found = model.tokenizer(prompt, return_offsets_mapping=True, return_tensors="pt")
    with torch.no_grad():
        each = torch.log_softmax(model.model(found["input_ids"]).logits[0], dim=-1)
    ids, offsets = found["input_ids"][0].tolist(), [int(pair[0]) for pair in found["offset_mapping"][0]]
    names = model.tokenizer.convert_ids_to_tokens(ids)
    values = [None, *(float(each[at - 1][ids[at]]) for at in range(1, len(ids)))]
    best = [None, *({model.tokenizer.convert_ids_to_tokens(int(each[at - 1].argmax())): float(each[at - 1].max())}
                    for at in range(1, len(ids)))]  # fmt: skip
    # The one token that is generated stands behind the prompt.
    return {"tokens": [*names, "w1"], "text_offset": [*offsets, len(prompt)], "token_logprobs": [*values, -1.0],
            "top_logprobs": [*best, {"w1": -1.0}]}  # fmt: skip


def test_log_likelihoods_by_endpoint_are_those_of_the_model_behind_it(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base")

    async def run_it() -> tuple[EvalRun, list[dict[str, Any]]]:
        async with completions(base) as url:
            model = ENDPOINT.format(url=url, limits="{attempts: 1}")
            return await asyncio.to_thread(evaluated, project(tmp_path / "a", model, tasks="choosing"))

    _, there = asyncio.run(run_it())
    local = f"{{kind: local, base: {base}, device: cpu, dtype: float32}}"
    _, here = evaluated(project(tmp_path / "b", local, tasks="choosing"))
    assert [(r["sample_id"], r["scorer"], r["value"]) for r in there] == [
        (r["sample_id"], r["scorer"], r["value"]) for r in here
    ]


def test_a_metric_over_all_samples_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    file = project(tmp_path, "{kind: scripted}")
    evalset = tmp_path / "evalsets" / "e" / "evalset.yaml"
    evalset.write_text(
        evalset.read_text()
        + "  - {kind: lm_eval, task: choosing, metric: mcc}\n  - {kind: lm_eval, task: answering, metric: bleu}\n"
        + "  - {kind: lm_eval, task: answering, metric: exact_match, better: lower, name: turned}\n"
    )
    with pytest.raises(ConfigError) as caught:
        evaluated(file)
    said = "\n".join(str(problem) for problem in caught.value.problems)
    assert "over all samples at once" in said and "no such metric" in said and "which direction is good" in said


def test_a_template_that_reaches_for_python_is_stopped_by_the_sandbox(tmp_path: Path) -> None:
    file = project(tmp_path, "{kind: scripted}", tasks="answering")
    task = tmp_path / "evalsets" / "e" / "tasks" / "answering.yaml"
    hostile = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    task.write_text(task.read_text().replace('"{{question}}"', json.dumps(hostile)))
    with pytest.raises(ConfigError, match="template"):
        evaluated(file)


def test_a_task_of_lm_eval_by_name_is_read_with_its_examples_and_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's folder stands here under its name, where `datasets` looks first."""
    hub = tmp_path / "openai" / "gsm8k"
    hub.mkdir(parents=True)
    for split, n in (("train", 8), ("test", 3)):
        lines = [
            {"question": f"What is {at} + {at}?", "answer": f"It is twice {at}.\n#### {2 * at}"} for at in range(n)
        ]
        (hub / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    files = "".join(f"  - {{split: {split}, path: {split}.jsonl}}\n" for split in ("train", "test"))
    (hub / "README.md").write_text(f"---\nconfigs:\n- config_name: main\n  data_files:\n{files}---\n")
    replies = "{'gsm8k:0': 'It is 0.\\n#### 0', 'gsm8k:1': 'I think 2', 'gsm8k:2': 'It is 5.\\n#### 5'}"
    file = project(tmp_path, f"{{kind: scripted, replies: {replies.replace(chr(39), chr(34))}}}", tasks="answering")
    evalset = tmp_path / "evalsets" / "e" / "evalset.yaml"
    scorers = [f"  - {{kind: lm_eval, task: gsm8k, metric: exact_match, filter: {f}}}" for f in FILTERS]
    head = evalset.read_text().replace("tasks/answering.yaml", "gsm8k").partition("scorers:")[0]
    evalset.write_text(head + "scorers:\n" + "\n".join(scorers) + "\n")
    monkeypatch.chdir(tmp_path)
    run, rows = evaluated(file)
    got = {(row["sample_id"], row["scorer"].rpartition(":")[2]): row["value"] for row in rows}
    assert [got[f"gsm8k:{at}", "strict-match"] for at in range(3)] == [1.0, 0.0, 0.0]
    assert [got[f"gsm8k:{at}", "flexible-extract"] for at in range(3)] == [1.0, 1.0, 0.0]
    assert {metric.scorer for metric in run.metrics} == {f"lm-eval:gsm8k:exact_match:{f}" for f in FILTERS}


FILTERS = ("strict-match", "flexible-extract")
