"""The demo models behind a real `transformers serve`: under test, as judge, and through the `openai` client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.adapters.openai_endpoint import OpenAIEndpoint
from workbench.adapters.transformers_serve import prepare, serve
from workbench.config.evalset_yaml import load_evalset
from workbench.models import LocalSpec, Output, Request, Sampling
from workbench.scoring.judge import RubricJudge
from workbench.scoring.verdicts import parse_verdict
from workbench.store.home import Home

pytestmark = pytest.mark.served
ROOT = Path(__file__).parents[2]


async def test_the_demo_model_answers_and_the_demo_judge_judges_through_the_openai_client(tmp_path: Path) -> None:
    import openai

    evalset = load_evalset(ROOT / "evalsets" / "helpcentre")
    samples = [s for batch in evalset.rows("dev", Home(tmp_path)).iter_samples() for _, s in batch]
    sample = next(s for s in samples if s.tags["format"] == "short")
    judge = next(s for s in evalset.scorers if isinstance(s, RubricJudge))
    specs = {name: LocalSpec(kind="local", base=str(ROOT / "demo" / "models" / name)) for name in ("base", "judge")}
    models = {name: prepare(s.model_copy(update={"sampling": Sampling(max_tokens=96)})) for name, s in specs.items()}
    async with serve(models, tmp_path / "logs") as served:
        base, grader = served["base"].endpoint, served["judge"].endpoint
        async with openai.AsyncOpenAI(base_url=base.base_url, api_key="none", max_retries=0) as client:
            messages = [{"role": m.role, "content": m.content} for m in sample.messages]
            said = await client.chat.completions.create(
                model=base.model, messages=messages, max_tokens=48, temperature=0
            )  # type: ignore[arg-type]
        answer = said.choices[0].message.content
        assert answer and said.usage is not None and said.usage.completion_tokens > 0
        endpoint, own = OpenAIEndpoint(grader, None, None, "judge"), OpenAIEndpoint(base, None, None, "base")
        gold = Output(text=sample.references[0])
        verdict = await endpoint.generate(judge.request(sample, gold))
        same = await own.generate(Request(messages=sample.messages, sample_id="x"))
        await endpoint.aclose()
        await own.aclose()
    assert isinstance(same, Output) and same.text == answer, "our client and the package's get one answer"
    assert isinstance(verdict, Output)
    assert parse_verdict(verdict.text, "binary", gold.text).value == 1


def test_the_command_serves_both_models_and_scores_every_sample(tmp_path: Path) -> None:
    config = (ROOT / "workbench.yaml").read_text()
    absolute = config.replace("demo/models", str(ROOT / "demo" / "models"))
    (tmp_path / "workbench.yaml").write_text(f"evalsets: {ROOT / 'evalsets'}\n{absolute}")
    words = ["--config", str(tmp_path / "workbench.yaml"), "eval", "run", "helpcentre", "--limit", "6", "--json", "-q"]
    done = subprocess.run([sys.executable, "-m", "workbench", *words], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run["n_attempted"] == 6 == run["n_output"] + run["n_output_failed"]
    assert run["candidate"]["calls"] == 6 and run["judging"]["calls"] > 0
    for metric in (m for m in run["metrics"] if not m["slice"]):
        assert metric["n"] + metric["n_failed"] == 6
    again = subprocess.run([sys.executable, "-m", "workbench", *words], capture_output=True, text=True, timeout=60)
    assert json.loads(again.stdout)["candidate"] == {
        **run["candidate"],
        "calls": 0,
        "cached": 6,
        "input_tokens": 0,
        "output_tokens": 0,
    }
    assert "starting transformers serve" not in again.stderr, "cached answers need no server"
