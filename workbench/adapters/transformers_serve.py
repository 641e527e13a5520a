"""Models on this machine, served by `transformers serve` for as long as they are needed.

Several models share one server process. Each is served from a folder of links to exactly those files that its weights
hash covers, so no pickle, no code and no file that came later can be loaded. The server listens on 127.0.0.1 only, at
a port the kernel chooses, and ends with us, however we end.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

import orjson

from workbench.errors import MissingExtra, ModelError
from workbench.models import NOT_IDENTITY, EndpointSpec, LocalSpec, Model, Output, OutputFailure, Request
from workbench.nouns import fingerprint
from workbench.store.model_folder import check_model_folder, context_window, samples_by_default
from workbench.store.weights import hash_model_folder, model_files

Tell = Callable[[str], None]
"""Is told in a few words what is going on, for a progress line."""

FROM_THE_HUB = ["*.json", "*.jinja", "*.txt", "*.model", "*.safetensors"]
OF_AN_ADAPTER = ("adapter_", "tokenizer", "special_tokens", "added_tokens", "vocab", "merges", "chat_template")
"""How the files begin that are taken from an adapter's folder; a tokenizer or template there replaces the base's."""
STOP_SECONDS = 5.0
SMALL = 64 * 2**20
"""Bytes of weights below which torch's threads wait for each other longer than they compute: on 2 busy cores a model of
4 MB answered 3.4 calls a second with one thread and 0.9 with two."""

# The child watches its standard input: when we die, even by SIGKILL, the kernel closes the pipe and the child ends.
# PR_SET_PDEATHSIG would do on Linux only, and follows the thread that forked rather than the process.
CHILD = """
import os, shutil, sys, threading
def end_with_parent():
    sys.stdin.buffer.read()
    shutil.rmtree(os.getcwd(), ignore_errors=True)  # the folder of links
    os._exit(1)
threading.Thread(target=end_with_parent, daemon=True).start()
from transformers.cli.transformers import main
main()
"""


@dataclass(frozen=True)
class Prepared:
    """A local model whose files were found, checked and hashed; nothing runs yet."""

    spec: LocalSpec
    base: Path
    adapter: Path | None
    weights: str
    """Content hash of base and adapter."""

    def identity(self) -> str:
        """Return the fingerprint of everything that can change an answer.

        What the files hold counts, where they lie does not, so a moved folder keeps its cached answers.
        """
        told = self.spec.model_dump(mode="json", exclude={*NOT_IDENTITY, "base", "adapter", "revision"})
        return fingerprint({**told, "weights": self.weights, "transformers": _version("transformers")})


@dataclass(frozen=True)
class Served:
    """A local model that answers."""

    endpoint: EndpointSpec
    """How to ask it. The server echoes the model's name, so a wrong model is noticed."""
    identity: str
    """`Prepared.identity`; neither the server's port nor a path is in it."""
    context: int | None
    """Longest prompt plus answer, in tokens, that the model was made for."""
    died: Callable[[], str]
    """Returns what happened to the server when it is gone, and nothing while it lives."""


class LocalModel:
    """Asks a served model, and knows two things that an endpoint cannot: how long its window is, and whether it lives.

    The server accepts prompts beyond the window and answers nonsense; here that is a failure of kind `too_long`.
    """

    def __init__(self, endpoint: Model, served: Served) -> None:
        """`endpoint` asks `served.endpoint`."""
        self.concurrency = endpoint.concurrency
        self._endpoint = endpoint
        self._served = served

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer one request. Raises `ModelError` when the server is gone."""
        output = await self._endpoint.generate(request)
        if isinstance(output, OutputFailure) and output.kind == "connection" and (died := self._served.died()):
            raise ModelError(died)
        used = (output.usage.input_tokens or 0) + (output.usage.output_tokens or 0)
        window = self._served.context
        if isinstance(output, OutputFailure) or window is None or used <= window:
            return output
        message = f"prompt and answer have {used} tokens, the model's window {window}; shorten the prompt"
        return OutputFailure(kind="too_long", message=message, text=output.text, usage=output.usage)

    async def aclose(self) -> None:
        """Close the endpoint; the server ends with `serve`."""
        await self._endpoint.aclose()


def prepare(spec: LocalSpec, cache: Path | None = None) -> Prepared:
    """Find, check and hash a model's files. Raises `ModelError` or `MissingExtra` before anything is started.

    `cache` names the file that remembers hashes, see `hash_model_folder`.
    """
    _need("transformers", "torch", "fastapi", "uvicorn", *(["peft"] if spec.adapter else []))
    found = locate(spec, cache)
    check_model_folder(found.base, found.adapter, cache)
    _check_sampling(spec, found.base)
    return found


def locate(spec: LocalSpec, cache: Path | None = None) -> Prepared:
    """Find and hash a model's files, unchecked; a hub id is fetched if it is not here. Raises `ModelError`."""
    base = Path(spec.base) if Path(spec.base).is_dir() else _fetch(spec.base, spec.revision)
    adapter = None if spec.adapter is None else Path(spec.adapter)
    weights = hash_model_folder(base, cache)
    if adapter is not None:
        weights = fingerprint([weights, hash_model_folder(adapter, cache)])
    return Prepared(spec, base, adapter, weights)


@asynccontextmanager
async def serve(
    models: Mapping[str, Prepared], logs: Path, tell: Tell = lambda _: None
) -> AsyncIterator[dict[str, Served]]:
    """Serve models by name until the block ends; their servers write to `logs`.

    One process serves all models of one device and precision. A model that samples has a process to itself, because
    the server's random state is one for all requests. Raises `ModelError`, with the log's end, when a server dies or
    a model does not load in time.
    """
    groups: dict[tuple[str, str, str], dict[str, Prepared]] = {}
    for name, model in models.items():
        own = name if _samples(model) else ""
        groups.setdefault((model.spec.device, model.spec.dtype, own), {})[name] = model
    served: dict[str, Served] = {}
    async with AsyncExitStack() as stack:
        for index, group in enumerate(groups.values()):
            log = logs / f"serve-{os.getpid()}-{index}.log"
            served |= await stack.enter_async_context(_one_server(group, log, tell))
        yield served


# ---------------------------------------------------------------- one server


@asynccontextmanager
async def _one_server(models: Mapping[str, Prepared], log: Path, tell: Tell) -> AsyncIterator[dict[str, Served]]:
    started = time.monotonic()
    deadline = started + max(model.spec.startup_timeout for model in models.values())
    with tempfile.TemporaryDirectory(prefix="workbench-serve-") as stage:
        ids = {name: staged(Path(stage), name, model) for name, model in models.items()}
        small = all(_size(model.base) < SMALL for model in models.values())
        process = await _start(
            next(iter(models.values())).spec, Path(stage), log, {"OMP_NUM_THREADS": "1"} if small else {}
        )
        try:
            tell(f"starting transformers serve as process {process.pid}; its log is {log}")
            address = await _address(process, log, deadline)
            for name, model_id in ids.items():
                await _load(address, name, model_id, log, deadline, tell)
            tell(f"{', '.join(ids)} ready after {time.monotonic() - started:.1f} s")
            died = partial(_death, process, log)
            yield {name: _served(model, address, ids[name], died) for name, model in models.items()}
        finally:
            await _stop(process)


def staged(stage: Path, name: str, model: Prepared) -> str:
    """Make the model's folder of links and return its id at the server, `name@weights`.

    A folder that holds a whole base beside an adapter is loaded as that base with that adapter; the path that the
    adapter's own config names, which belongs to the machine it was trained on, is not looked at.
    """
    folder = stage / quote(name, safe="")  # a slash would be another folder, an @ a revision
    folder.mkdir()
    files = {file.relative_to(model.base): file for file in model_files(model.base)}
    if model.adapter is not None:
        own = [file for file in model_files(model.adapter) if file.name.startswith(OF_AN_ADAPTER)]
        files |= {file.relative_to(model.adapter): file for file in own}
    for name_in_folder, file in files.items():
        (folder / name_in_folder).parent.mkdir(exist_ok=True)
        (folder / name_in_folder).symlink_to(file.resolve())
    return f"{folder.name}@{model.weights[:12]}"


async def _start(spec: LocalSpec, stage: Path, log: Path, advice: dict[str, str]) -> asyncio.subprocess.Process:
    """Start the server. `advice` is environment that the user's own settings overrule."""
    log.parent.mkdir(parents=True, exist_ok=True)
    options = {"host": "127.0.0.1", "port": 0, "device": spec.device, "dtype": spec.dtype, "model-timeout": -1}
    environment = {
        **advice,
        **os.environ,
        "HF_HUB_OFFLINE": "1",  # every file is here already
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    with log.open("wb") as stream:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a model called torch must not be imported as torch
            *("-c", CHILD, "serve", *(f"--{name}={value}" for name, value in options.items())),
            cwd=stage,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=stream,
            stderr=stream,
            start_new_session=True,  # Ctrl-C is ours to handle: answers under way still arrive
        )


async def _address(process: asyncio.subprocess.Process, log: Path, deadline: float) -> str:
    """Wait until the server says where it listens, which it does once it accepts requests."""
    while True:
        if found := re.search(rb"running on (http://127\.0\.0\.1:[0-9]+)", log.read_bytes()):
            return found[1].decode()
        if process.returncode is not None:
            status = process.returncode
            raise ModelError(f"transformers serve ended with status {status} before it was ready{_end_of(log)}")
        if time.monotonic() > deadline:
            raise ModelError(f"transformers serve was not ready in time; raise startup_timeout{_end_of(log)}")
        await asyncio.sleep(0.05)


async def _load(address: str, name: str, model_id: str, log: Path, deadline: float, tell: Tell) -> None:
    """Have the server load a model now, rather than within the first request, and follow how far it is."""
    import aiohttp

    tell(f"loading {name}")
    timeout = aiohttp.ClientTimeout(total=max(1.0, deadline - time.monotonic()))
    problem = "the server stopped answering"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{address}/load_model", json={"model": model_id}) as response,
        ):
            async for line in response.content:
                event = orjson.loads(line[6:]) if line.startswith(b"data: ") else {}
                if event.get("status") == "ready":
                    return
                problem = event.get("message", problem)
    except TimeoutError as exc:
        raise ModelError(f"model '{name}' did not load in time; raise startup_timeout{_end_of(log)}") from exc
    except aiohttp.ClientError as exc:
        raise ModelError(f"transformers serve failed while loading model '{name}' ({exc}){_end_of(log)}") from exc
    raise ModelError(f"transformers serve cannot load model '{name}': {problem}{_end_of(log)}")


def _served(model: Prepared, address: str, model_id: str, died: Callable[[], str]) -> Served:
    spec = model.spec
    limits = spec.limits.model_copy(update={"concurrency": 1}) if _samples(model) else spec.limits
    endpoint = EndpointSpec(
        kind="endpoint",
        base_url=f"{address}/v1",
        model=model_id,
        revision=model.weights,
        system=spec.system,
        sampling=spec.sampling,
        limits=limits,
        structured="none",  # the server ignores response_format
        check_model=True,
        cache=spec.cache,
    )
    return Served(endpoint, model.identity(), context_window(model.base), died)


def _death(process: asyncio.subprocess.Process, log: Path) -> str:
    if process.returncode is None:
        return ""
    how = f"ended with status {process.returncode} while it was needed"
    return f"transformers serve {how}; resume the run once there is memory for it{_end_of(log)}"


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the server: asked first, killed after five seconds."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _end_of(log: Path, lines: int = 12) -> str:
    """Return the last lines of the log, for an error."""
    text = log.read_text("utf-8", "replace").rstrip("\n").split("\n")[-lines:]
    return f"\nThe end of {log}:\n" + "\n".join(f"  {line[:300]}" for line in text)


# ---------------------------------------------------------------- before the server


def _version(package: str) -> str:
    """Return a package's version: another one may compute other answers from the same weights."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _need(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(package, "train")


def _fetch(base: str, revision: str | None) -> Path:
    """Return the local snapshot of a hub id, fetching what is missing of it."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", base):
        raise ModelError(f"model folder {base} does not exist; give a folder, relative to workbench.yaml, or a hub id")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(base, revision=revision, allow_patterns=FROM_THE_HUB))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as exc:
        raise ModelError(
            f"model '{base}' is no folder and cannot be fetched from the hub ({type(exc).__name__}: {exc}); "
            "check the path, the id and the network"
        ) from exc


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _samples(model: Prepared) -> bool:
    temperature = model.spec.sampling.temperature
    return temperature != 0 and samples_by_default(model.base)


def _check_sampling(spec: LocalSpec, base: Path) -> None:
    """Refuse a temperature that the server would ignore: it samples only where generation_config.json says so."""
    if spec.sampling.temperature and not samples_by_default(base):
        raise ModelError(
            f"temperature {spec.sampling.temperature:g} would be ignored: transformers serve decodes {base} greedily, "
            "because its generation_config.json does not say do_sample: true; "
            "set temperature: 0, or add that line to the file"
        )
