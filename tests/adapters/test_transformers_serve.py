from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest

from workbench.adapters import transformers_serve
from workbench.adapters.openai_endpoint import OpenAIEndpoint
from workbench.adapters.transformers_serve import LocalModel, Served, prepare, serve
from workbench.errors import MissingExtra, ModelError
from workbench.models import EndpointSpec, Limits, LocalSpec, Output, OutputFailure, Request, Sampling, Usage
from workbench.records import Message
from workbench.store.cache import ResponseCache

WriteModel = Callable[..., Path]
ENDS = "w21 w2"
"""A prompt whose answer by the tuned model is four tokens long."""
CUT = "w7 w2"
"""One whose answer is longer than eight."""


def local(base: Path, **fields: Any) -> LocalSpec:
    return LocalSpec(kind="local", base=str(base), **fields)


async def ask(model: Served, text: str = "w1 w2 w3", **options: Any) -> Any:
    """Put one question through the real `openai` client."""
    async with openai.AsyncOpenAI(base_url=model.endpoint.base_url, api_key="none", max_retries=0) as client:
        return await client.chat.completions.create(
            model=model.endpoint.model, messages=[{"role": "user", "content": text}], **{"max_tokens": 8} | options
        )


def question(text: str) -> Request:
    return Request(messages=(Message(role="user", content=text),), sample_id="s")


class Echo:
    """A model that always gives the same answer."""

    concurrency = 1

    def __init__(self, answer: Output | OutputFailure) -> None:
        self.answer = answer

    async def generate(self, request: Request) -> Output | OutputFailure:
        return self.answer

    async def aclose(self) -> None:
        pass


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
        await ask(Served(other, "", None, str))


@pytest.mark.served
def test_models_of_one_device_and_precision_share_a_server_and_say_what_they_are(served: dict[str, Served]) -> None:
    assert len({model.endpoint.base_url for model in served.values()}) == 1
    assert len({model.identity for model in served.values()}) == 3
    assert {model.context for model in served.values()} == {256}
    assert served["base"].endpoint.base_url.startswith("http://127.0.0.1:")
    assert served["base"].endpoint.check_model


@pytest.mark.served
async def test_the_endpoint_client_is_answered_cut_and_cached(served: dict[str, Served], tmp_path: Path) -> None:
    model, cache = served["tuned"], ResponseCache(tmp_path / "answers.sqlite")
    local_model = LocalModel(OpenAIEndpoint(model.endpoint, cache, None, model.identity), model)
    cut = await local_model.generate(question(CUT))
    assert isinstance(cut, OutputFailure) and cut.kind == "truncated"
    longer = model.endpoint.model_copy(update={"sampling": Sampling(max_tokens=40)})
    patient = LocalModel(OpenAIEndpoint(longer, cache, None, "longer"), model)
    first, again = await patient.generate(question(ENDS)), await patient.generate(question(ENDS))
    assert isinstance(first, Output) and isinstance(again, Output)
    assert first.finish_reason == "stop" and first.model == model.endpoint.model and first.usage.attempts == 1
    assert again.usage.cached and again.text == first.text
    await local_model.aclose()
    await patient.aclose()


@pytest.mark.served
async def test_47_a_prompt_beyond_the_models_window_is_too_long_and_no_nonsense(served: dict[str, Served]) -> None:
    model = served["base"]
    local_model = LocalModel(Echo(Output(text="nonsense", usage=Usage(input_tokens=250, output_tokens=7))), model)
    answer = await local_model.generate(question("long"))
    assert isinstance(answer, OutputFailure) and answer.kind == "too_long"
    assert answer.message == "prompt and answer have 257 tokens, the model's window 256; shorten the prompt"


@pytest.mark.served
async def test_a_server_that_dies_ends_the_run_with_the_end_of_its_log(served: dict[str, Served]) -> None:
    gone = OutputFailure(kind="connection", message="refused")
    alive = LocalModel(Echo(gone), served["base"])
    assert await alive.generate(question("w1")) == gone
    dead = LocalModel(Echo(gone), replace(served["base"], died=lambda: "it was killed"))
    with pytest.raises(ModelError, match="it was killed"):
        await dead.generate(question("w1"))


PARENT = """
import asyncio, sys
from pathlib import Path
from workbench.adapters.transformers_serve import prepare, serve
from workbench.models import LocalSpec

async def main(spec, logs):
    ready = {"warm": prepare(LocalSpec.model_validate_json(spec))}
    async with serve(ready, Path(logs), lambda text: print(text, flush=True)) as models:
        print(models["warm"].endpoint.model_dump_json(), flush=True)
        await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def parent_of_a_server(folder: Path, spec: LocalSpec) -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """Start a process that serves a model, kill it with SIGKILL, and see that its server ends and leaves no files."""
    (folder / "temporary").mkdir()
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, spec.model_dump_json(), str(folder / "logs")),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder / "temporary")},
    )
    assert parent.stdout is not None
    server = process_told((await parent.stdout.readline()).decode())
    yield parent.stdout, server
    assert is_alive(server)
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    for _ in range(600):
        if not is_alive(server):
            break
        await asyncio.sleep(0.05)
    assert not is_alive(server)
    assert not list((folder / "temporary").glob("workbench-serve-*"))


@pytest.mark.served
async def test_a_model_that_samples_heeds_its_seed_and_its_server_does_not_outlive_a_killed_parent(
    tmp_path: Path, new_model: WriteModel
) -> None:
    spec = local(new_model("base", do_sample=True), sampling=Sampling(temperature=1.0), limits=Limits(concurrency=8))
    async with parent_of_a_server(tmp_path, spec) as (lines, _):
        assert (await lines.readline()).decode() == "loading warm\n"
        assert (await lines.readline()).decode().startswith("warm ready after ")
        warm = Served(EndpointSpec.model_validate_json(await lines.readline()), "", None, str)
        texts = [(await ask(warm, temperature=1, seed=s)).choices[0].message.content for s in (0, 0, 1)]
        greedy = {(await ask(warm, temperature=0, seed=s)).choices[0].message.content for s in (0, 1)}
        assert texts[0] == texts[1] != texts[2]
        assert len(greedy) == 1
        assert warm.endpoint.limits.concurrency == 1


@pytest.mark.served
async def test_a_server_that_is_only_starting_does_not_outlive_a_killed_parent(
    tmp_path: Path, new_model: WriteModel
) -> None:
    async with parent_of_a_server(tmp_path, local(new_model("base"))):
        pass


def process_told(line: str) -> int:
    """Return the process id from the first words that `serve` tells."""
    return int(line.partition("as process ")[2].partition(";")[0])


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
    assert not is_alive(process_told(told[0]))


STUB = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        name = self.rfile.read(int(self.headers["content-length"])).decode()
        self.send_response(200)
        self.end_headers()
        bad = '{"status": "error", "message": "no such architecture"}'
        self.wfile.write(b"data: " + (bad if "bad" in name else '{"status": "ready"}').encode() + b"\\n\\n")
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(f"running on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""


async def test_a_server_that_dies_while_it_is_needed_is_noticed(
    tmp_path: Path, new_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_serve, "CHILD", STUB)
    told: list[str] = []
    async with serve({"m": prepare(local(new_model("base")))}, tmp_path / "logs", told.append) as models:
        assert not models["m"].died()
        os.kill(process_told(told[0]), signal.SIGKILL)
        for _ in range(600):
            if models["m"].died():
                break
            await asyncio.sleep(0.05)
        assert "ended with status -9 while it was needed" in models["m"].died()
        assert "running on" in models["m"].died()


async def test_models_are_grouped_by_device_precision_and_sampling(
    tmp_path: Path, new_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_serve, "CHILD", STUB)
    plain, warm = new_model("plain"), new_model("warm", do_sample=True)
    hot = Sampling(temperature=0.7)
    specs = {
        "candidate": local(plain),
        "judge": local(warm),
        "half": local(plain, dtype="bfloat16"),
        "hot": local(warm, sampling=hot),
        "hotter": local(warm, sampling=hot),
    }
    told: list[str] = []
    async with serve({name: prepare(spec) for name, spec in specs.items()}, tmp_path / "logs", told.append) as models:
        address = {name: model.endpoint.base_url for name, model in models.items()}
        assert address["candidate"] == address["judge"]
        assert len(set(address.values())) == 4
    servers = [process_told(text) for text in told if "as process" in text]
    assert len(servers) == 4
    assert not [pid for pid in servers if is_alive(pid)]


async def test_a_model_that_the_server_cannot_load_is_reported_in_its_words(
    tmp_path: Path, new_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_serve, "CHILD", STUB)
    with pytest.raises(ModelError, match="cannot load model 'bad': no such architecture"):
        async with serve({"bad": prepare(local(new_model("base")))}, tmp_path / "logs"):
            pytest.fail("nothing was served")


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
    assert not is_alive(process_told(told[0]))


# ---------------------------------------------------------------- before a server is started


def test_the_hash_of_what_is_served_covers_base_and_adapter(new_model: WriteModel, new_adapter: WriteModel) -> None:
    base, first, second = new_model("base"), new_adapter("one", seed=1), new_adapter("two", seed=2)
    hashes = {prepare(local(base, adapter=str(a) if a else None)).weights for a in (None, first, second)}
    assert len(hashes) == 3


def test_the_identity_follows_contents_and_settings_but_not_places(new_model: WriteModel) -> None:
    here, there = new_model("here"), new_model("there")
    plain = prepare(local(here)).identity()
    assert prepare(local(there)).identity() == plain
    assert prepare(local(here, limits=Limits(concurrency=1), startup_timeout=5.0)).identity() == plain
    others = [
        prepare(local(new_model("other", seed=5))),
        prepare(local(here, system="Be brief.")),
        prepare(local(here, dtype="bfloat16")),
        prepare(local(here, sampling=Sampling(max_tokens=9))),
    ]
    assert plain not in {other.identity() for other in others}


def test_a_temperature_that_the_server_would_ignore_is_refused(new_model: WriteModel) -> None:
    with pytest.raises(ModelError, match=r"temperature 0.7 would be ignored.*do_sample"):
        prepare(local(new_model("base"), sampling=Sampling(temperature=0.7)))


def test_a_base_that_is_neither_folder_nor_hub_id_is_refused_without_asking_the_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model folder .*/nowhere does not exist"):
        prepare(local(tmp_path / "nowhere"))


def test_a_missing_package_names_the_extra(new_model: WriteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"transformers is not installed; run: pip install 'workbench\[train\]'"):
        prepare(local(new_model("base")))
