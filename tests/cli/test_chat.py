"""`workbench model chat`: lines in, answers out, whatever the model says."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from workbench.adapters.openai_stream import stream
from workbench.adapters.transformers_serve import Served
from workbench.errors import ModelError
from workbench.records import Message
from workbench.simulated.endpoint import simulated_endpoint
from workbench.simulated.plan import Plan


def test_every_line_is_answered_until_exit_and_commands_are_obeyed(
    workbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("workbench.yaml").write_text("models:\n  echo: {kind: scripted}\ncandidate: echo\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\x1b[31m\n\n/clear\n/what\nagain\n/exit\nnever\n"))
    done = workbench("model", "chat", "echo")
    assert done.code == 0
    assert done.out == "hello␛[31m\nagain\n"
    assert "Ctrl-C stops an answer" in done.err


def test_a_model_that_fails_says_why_and_the_conversation_goes_on(
    workbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("workbench.yaml").write_text("models:\n  broken: {kind: scripted, default: missing}\ncandidate: broken\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n"))
    done = workbench("model", "chat", "broken")
    assert (done.code, done.out) == (0, "")
    assert done.err.count("no answer: missing") == 2


@pytest.mark.served
async def test_a_streamed_answer_is_the_whole_answer_in_pieces(served: dict[str, Served]) -> None:
    from openai import AsyncOpenAI

    spec = served["tuned"].endpoint
    asked = "w1 w2 w3"
    pieces = [piece async for piece in stream(spec, [Message(role="user", content=asked)])]
    async with AsyncOpenAI(base_url=spec.base_url, api_key="none") as client:
        whole = await client.chat.completions.create(
            model=spec.model, messages=[{"role": "user", "content": asked}], temperature=0, max_tokens=8, seed=0
        )
    assert "".join(pieces) == whole.choices[0].message.content
    assert len(pieces) > 1


async def test_a_server_that_refuses_is_quoted() -> None:
    from workbench.models import EndpointSpec

    async with simulated_endpoint(Plan()) as server:
        spec = EndpointSpec(kind="endpoint", base_url=server.base_url.replace("/v1", "/nowhere"), model="m")
        with pytest.raises(ModelError, match=r"status 4\d\d"):
            [piece async for piece in stream(spec, [Message(role="user", content="w1")])]


def test_ctrl_c_stops_an_answer_and_at_the_prompt_ends_the_conversation(workbench: Command) -> None:
    Path("workbench.yaml").write_text("models:\n  slow: {kind: scripted, latency: 60}\ncandidate: slow\n")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "workbench", "model", "chat", "slow"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True) as talk:
        os.close(theirs)
        until(ours, "> ")
        os.write(ours, b"hello\n")
        until(ours, "hello\r\n")
        time.sleep(2)  # a signal that comes before the question is put ends the conversation
        talk.send_signal(signal.SIGINT)
        try:
            until(ours, "are forgotten)\r\n> ")
            assert ended_by_ctrl_c(talk) == 130
        finally:
            talk.kill()
    os.close(ours)


def ended_by_ctrl_c(talk: subprocess.Popen[bytes]) -> int:
    """Press Ctrl-C as a person does, again where it came before the prompt waited for keys; return the exit code."""
    for _ in range(20):
        talk.send_signal(signal.SIGINT)
        try:
            return talk.wait(3)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("no Ctrl-C at the prompt ended the conversation")


def until(terminal: int, wanted: str, patience: float = 40) -> str:
    """Return what a terminal shows, up to some text; fails where it does not come in so many seconds."""
    shown, end = "", time.monotonic() + patience
    while wanted not in shown:
        assert select.select([terminal], [], [], max(0, end - time.monotonic()))[0], f"no {wanted!r} after {shown!r}"
        shown += os.read(terminal, 1024).decode("utf-8", "replace")
    return shown
