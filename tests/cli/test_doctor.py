"""`workbench doctor`: what is wrong is told with what mends it, and no key is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Done
from tests.faults.project import Server, server
from workbench.adapters.reaching import Reached
from workbench.jobs.doctor import machine, servers

CONFIG = Path("workbench.yaml")
KEY = "sk-0123456789abcdef"


@pytest.fixture(autouse=True)
def packages_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what depends on when this environment was made."""
    monkeypatch.setattr(machine, "packages", lambda: iter(()))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server"), 0) as running:
        yield running


def configured(base_url: str, model: str = "simulated", key: bool = False) -> None:
    named = ", api_key_env: DOCTORS_KEY" if key else ""
    spec = f"{{kind: endpoint, base_url: '{base_url}', model: {model}{named}}}"
    CONFIG.write_text(f"models:\n  candidate: {spec}\ncandidate: candidate\n")


def state(done: Done, name: str) -> tuple[str, str, str]:
    (check,) = [c for c in json.loads(done.out)["checks"] if c["name"] == name]
    return check["state"], check["found"], check["fix"]


def test_a_first_project_has_nothing_to_mend(workbench: Command) -> None:
    done = workbench("doctor")
    assert done.code == 0, done.out
    assert "Nothing has to be mended." in done.out
    assert "skipped  argilla" in done.out and "`workbench argilla up` was never called" in done.out
    assert json.loads(workbench("doctor", "--json").out)["ok"] is True


def test_a_faulty_configuration_is_told_and_the_machine_is_looked_at_all_the_same(workbench: Command) -> None:
    CONFIG.write_text("candidate: x\nmodles: {}\n")
    done = workbench("doctor", "--json")
    assert done.code == 2
    fault, found, _ = state(done, "workbench.yaml")
    assert fault == "fault" and "did you mean 'models'?" in found
    assert state(done, "home")[0] == "ok"


def test_an_endpoint_that_answers_is_told_with_its_latency(workbench: Command, endpoint: Server) -> None:
    configured(endpoint.base_url)
    done = workbench("doctor", "--json")
    assert done.code == 0
    ok, found, _ = state(done, "endpoint candidate")
    assert ok == "ok" and "answers in " in found and " ms and has simulated" in found
    assert endpoint.requests() == [], "a list of models is free; nothing is to be paid for"


def test_a_model_that_the_server_does_not_list_is_a_note_with_those_it_lists(
    workbench: Command, endpoint: Server
) -> None:
    configured(endpoint.base_url, model="other")
    note, found, fix = state(workbench("doctor", "--json"), "endpoint candidate")
    assert note == "note" and "does not list other" in found and "it lists: simulated" in fix


def test_a_server_that_is_not_there_and_a_wrong_path_are_faults(workbench: Command, endpoint: Server) -> None:
    configured("http://127.0.0.1:9/v1")
    done = workbench("doctor", "--json")
    assert done.code == 2
    assert state(done, "endpoint candidate")[2] == "is the server running, and is base_url its address?"
    configured(endpoint.base_url.removesuffix("/v1"))
    fault, found, _ = state(workbench("doctor", "--json"), "endpoint candidate")
    assert fault == "fault" and "404" in found


def test_a_server_that_lists_no_models_is_asked_for_one_token(
    workbench: Command, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_there(*_: object) -> Reached:
        return Reached(404, 0.1, b"")

    monkeypatch.setattr(servers, "reach", nothing_there)
    configured(endpoint.base_url)
    before = len(endpoint.requests())
    ok, found, _ = state(workbench("doctor", "--json"), "endpoint candidate")
    assert ok == "ok" and "answers a request for one token in" in found
    # The server logs a request when its reply has gone out, which is a moment after it arrived here.
    until = time.monotonic() + 10
    while len(endpoint.requests()) == before and time.monotonic() < until:
        time.sleep(0.02)
    assert len(endpoint.requests()) == before + 1


def test_a_key_that_is_not_set_is_a_fault_and_one_that_is_set_is_never_shown(
    workbench: Command, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(endpoint.base_url, key=True)
    done = workbench("doctor", "--json")
    assert done.code == 2
    assert state(done, "key candidate")[0] == "fault" and "DOCTORS_KEY is not set" in done.out
    monkeypatch.setenv("DOCTORS_KEY", KEY)
    done = workbench("doctor", "--json")
    assert state(done, "key candidate") == ("ok", "$DOCTORS_KEY is set", "")
    assert KEY not in done.out + done.err


def test_a_team_s_argilla_that_is_not_there_or_whose_key_is_not_set_is_a_fault(
    workbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = "labelling: {url: 'http://127.0.0.1:9', api_key_env: LABEL_KEY}\n"
    CONFIG.write_text(CONFIG.read_text() + named)
    assert "LABEL_KEY" in state(workbench("doctor", "--json"), "argilla")[1]
    monkeypatch.setenv("LABEL_KEY", KEY)
    done = workbench("doctor", "--json")
    assert done.code == 2
    fault, _, fix = state(done, "argilla")
    assert (fault, fix) == ("fault", "is it running, and is labelling.url its address?")
    assert KEY not in done.out + done.err


def test_an_argilla_that_answers_is_told_with_its_version(workbench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    async def there(url: str, *_: object) -> Reached:
        assert url == "https://labels.example/api/v1/version"
        return Reached(200, 0.012, b'{"version":"2.8.0"}')

    monkeypatch.setattr(servers, "reach", there)
    monkeypatch.setenv("LABEL_KEY", KEY)
    CONFIG.write_text(CONFIG.read_text() + "labelling: {url: 'https://labels.example', api_key_env: LABEL_KEY}\n")
    found = state(workbench("doctor", "--json"), "argilla")
    assert found == ("ok", 'https://labels.example answers in 12 ms: {"version":"2.8.0"}', "")


def test_missing_files_of_models_and_a_home_that_cannot_be_written_to_are_faults(workbench: Command) -> None:
    CONFIG.write_text(
        "home: /proc/none\nmodels:\n  log: {kind: recorded, path: none.jsonl}\n"
        "  tiny: {kind: local, base: evalsets}\ncandidate: log\n"
    )
    done = workbench("doctor", "--json")
    assert done.code == 2
    assert [state(done, name)[0] for name in ("model log", "model tiny", "home")] == ["fault"] * 3


def test_packages_that_are_missing_or_of_another_version_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    needed = ["click>=8", "nonesuch>=1", "orjson<3", "streamlit>=1; extra == 'dashboards'", "nil; extra == 'scale'"]
    monkeypatch.setattr(machine.metadata, "requires", lambda _: needed)
    found = {check.name: check for check in machine.packages()}
    assert found["packages"].state == "fault"
    assert "nonesuch is not installed" in found["packages"].found and "is not <3" in found["packages"].found
    assert found["extra scale"].state == "skipped" and "pip install 'workbench[scale]'" in found["extra scale"].fix
    assert found["python"].state == "ok"
