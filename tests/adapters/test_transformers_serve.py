from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from workbench.adapters import transformers_serve
from workbench.adapters.transformers_serve import Served, prepare, serve
from workbench.errors import MissingExtra, ModelError
from workbench.models import Limits, LocalSpec, Sampling

WriteModel = Callable[..., Path]


def local(base: Path, **fields: Any) -> LocalSpec:
    return LocalSpec(kind="local", base=str(base), **fields)


async def ask(model: Served, text: str = "w1 w2 w3", **options: Any) -> Any:
    """Put one question through the real `openai` client."""
    async with openai.AsyncOpenAI(base_url=model.endpoint.base_url, api_key="none", max_retries=0) as client:
        return await client.chat.completions.create(
            model=model.endpoint.model, messages=[{"role": "user", "content": text}], **{"max_tokens": 8} | options
        )


# ---------------------------------------------------------------- a real server


@pytest.mark.served
async def test_each_model_answers_under_the_name_it_is_asked_by(served: dict[str, Served]) -> None:
    answers = {name: await ask(model, temperature=0) for name, model in served.items()}
    for name, model in served.items():
        assert answers[name].model == model.endpoint.model
        assert answers[name].usage.prompt_tokens == 5
    assert served["judge/one@1"].endpoint.model.startswith("judge%2Fone%401@")
    texts = {answer.choices[0].message.content for answer in answers.values()}
    assert len(texts) == 3, "base, base with adapter and judge are three different models"


@pytest.mark.served
async def test_greedy_answers_repeat_whatever_the_seed_and_the_company(served: dict[str, Served]) -> None:
    alone = (await ask(served["base"], temperature=0, seed=0)).choices[0].message.content
    crowd = [ask(served[name], temperature=0, seed=seed) for seed in range(4) for name in ("base", "judge/one@1")]
    together = [answer.choices[0].message.content for answer in await asyncio.gather(*crowd)]
    assert set(together[::2]) == {alone}


@pytest.mark.served
async def test_max_tokens_is_honoured_and_a_cut_answer_says_length(served: dict[str, Served]) -> None:
    answer = await ask(served["base"], temperature=0, max_tokens=3)
    assert answer.usage.completion_tokens == 3
    assert answer.choices[0].finish_reason == "length"


@pytest.mark.served
async def test_an_unknown_model_is_an_error_of_the_server(served: dict[str, Served]) -> None:
    other = served["base"].endpoint.model_copy(update={"model": "nobody@1"})
    with pytest.raises(openai.InternalServerError):
        await ask(Served(other, "", None))


@pytest.mark.served
def test_models_of_one_device_and_precision_share_a_server_and_say_what_they_are(served: dict[str, Served]) -> None:
    assert len({model.endpoint.base_url for model in served.values()}) == 1
    assert len({model.identity for model in served.values()}) == 3
    assert {model.context for model in served.values()} == {256}
    assert served["base"].endpoint.base_url.startswith("http://127.0.0.1:")
    assert served["base"].endpoint.check_model


@pytest.mark.served
async def test_a_model_that_samples_has_a_server_to_itself_and_its_seed_counts(
    tmp_path: Path, new_model: WriteModel
) -> None:
    base = new_model("base", do_sample=True)
    spec = local(base, sampling=Sampling(temperature=1.0), limits=Limits(concurrency=8))
    told: list[str] = []
    async with serve({"warm": prepare(spec)}, tmp_path / "logs", told.append) as models:
        warm = models["warm"]
        texts = [(await ask(warm, temperature=1, seed=s)).choices[0].message.content for s in (0, 0, 1)]
        greedy = {(await ask(warm, temperature=0, seed=s)).choices[0].message.content for s in (0, 1)}
    assert texts[0] == texts[1] != texts[2]
    assert len(greedy) == 1
    assert warm.endpoint.limits.concurrency == 1
    assert "as process" in told[0] and told[1] == "loading warm" and told[-1].startswith("warm ready after")
    with pytest.raises(openai.APIConnectionError):
        await ask(warm)


PARENT = """
import asyncio, sys
from pathlib import Path
from workbench.adapters.transformers_serve import prepare, serve
from workbench.models import LocalSpec

async def main(base, logs):
    async with serve({"m": prepare(LocalSpec(kind="local", base=base))}, Path(logs), lambda s: print(s, flush=True)):
        await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.served
@pytest.mark.parametrize("moment", ["as process ", "ready after"])
async def test_no_server_outlives_a_parent_that_is_killed(tmp_path: Path, new_model: WriteModel, moment: str) -> None:
    words = (sys.executable, "-c", PARENT, str(new_model("base")), str(tmp_path / "logs"))
    parent = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    line = await parent.stdout.readline()
    pid = int(line.decode().partition("as process ")[2].partition(";")[0])
    while moment not in line.decode():
        line = await parent.stdout.readline()
        assert line, "the server did not become ready"
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    deadline = time.monotonic() + 30
    while is_alive(pid) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and that nobody has waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_server_that_dies_early_is_reported_with_the_end_of_its_log(
    tmp_path: Path, new_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_serve, "CHILD", "import sys; print('no luck today', file=sys.stderr); sys.exit(3)")
    with pytest.raises(ModelError, match=r"ended with status 3 before it was ready(.|\n)*no luck today"):
        async with serve({"m": prepare(local(new_model("base")))}, tmp_path / "logs"):
            pytest.fail("nothing was served")


async def test_a_server_that_is_not_ready_in_time_is_stopped(
    tmp_path: Path, new_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_serve, "CHILD", "import sys; sys.stdin.read()")
    told: list[str] = []
    spec = local(new_model("base"), startup_timeout=0.2)
    with pytest.raises(ModelError, match="not ready in time; raise startup_timeout"):
        async with serve({"m": prepare(spec)}, tmp_path / "logs", told.append):
            pytest.fail("nothing was served")
    assert not is_alive(int(told[0].partition("as process ")[2].partition(";")[0]))


async def test_a_server_that_does_not_listen_to_sigterm_is_killed(
    tmp_path: Path, new_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    monkeypatch.setattr(transformers_serve, "CHILD", deaf)
    monkeypatch.setattr(transformers_serve, "STOP_SECONDS", 0.2)
    told: list[str] = []
    with pytest.raises(ModelError, match="not ready in time"):
        async with serve({"m": prepare(local(new_model("base"), startup_timeout=1.0))}, tmp_path / "logs", told.append):
            pytest.fail("nothing was served")
    assert not is_alive(int(told[0].partition("as process ")[2].partition(";")[0]))


# ---------------------------------------------------------------- before a server is started


def test_the_hash_of_what_is_served_covers_base_and_adapter(new_model: WriteModel, new_adapter: WriteModel) -> None:
    base, first, second = new_model("base"), new_adapter("one", seed=1), new_adapter("two", seed=2)
    hashes = {prepare(local(base, adapter=str(a) if a else None)).weights for a in (None, first, second)}
    assert len(hashes) == 3


def test_a_temperature_that_the_server_would_ignore_is_refused(new_model: WriteModel) -> None:
    with pytest.raises(ModelError, match=r"temperature 0.7 would be ignored.*do_sample"):
        prepare(local(new_model("base"), sampling=Sampling(temperature=0.7)))


def test_a_base_that_is_neither_folder_nor_hub_id_is_refused_without_asking_the_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model folder .*/nowhere does not exist"):
        prepare(local(tmp_path / "nowhere"))


def test_a_missing_package_names_the_extra(new_model: WriteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers_serve.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"transformers is not installed; run: pip install 'workbench\[train\]'"):
        prepare(local(new_model("base")))
