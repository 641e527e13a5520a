"""workbench.yaml is found upwards, checked between its fields, and never shows a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.config.workbench_yaml import find_config, load_workbench
from workbench.errors import ConfigError

GOOD = """# yaml-language-server: $schema=../schemas/workbench.schema.json
home: state
candidate: small
models:
  small:
    kind: endpoint
    base_url: {url}
    model: small-2026-01-01
    api_key_env: {key}
  log: {{kind: recorded, path: log.jsonl}}
"""


def written(
    folder: Path, url: str = "http://localhost:8000/v1", key: str = "SMALL_KEY", candidate: str = "small"
) -> Path:
    path = folder / "workbench.yaml"
    path.write_text(GOOD.format(url=url, key=key).replace("candidate: small", f"candidate: {candidate}"))
    return path


def test_the_nearest_file_upwards_is_used_and_paths_are_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    bench = load_workbench()
    assert bench.file == tmp_path / "workbench.yaml"
    assert (bench.home.root, bench.evalsets) == (tmp_path / "state", tmp_path / "evalsets")
    assert bench.candidate() == "small"
    assert bench.model("log").kind == "recorded"
    assert bench.path("log.jsonl") == tmp_path / "log.jsonl"


def test_without_any_file_it_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no workbench.yaml here or in any folder above; write one with .workbench init"
    ):
        find_config(tmp_path)


def test_an_unknown_model_names_the_nearest(tmp_path: Path) -> None:
    bench = load_workbench(written(tmp_path))
    with pytest.raises(
        ConfigError, match=r"workbench.yaml:models: no model .*'smal'.*did you mean 'small'\? \[UNKNOWN_MODEL\]"
    ):
        bench.model("smal")


def test_the_candidate_must_be_a_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"workbench.yaml:3:candidate: .*'smoll'.* did you mean 'small'\?"):
        load_workbench(written(tmp_path, candidate="smoll"))


@pytest.mark.parametrize(
    ("case", "url", "words"),
    [
        (
            "68-no-scheme",
            "localhost:8000/v1",
            ["workbench.yaml:7:models.small.base_url", "write http://localhost:8000/v1"],
        ),
        ("68-bare-host", "api.example.com/v1", ["no scheme", "https://api.example.com/v1", "[BASE_URL]"]),
        ("68-file", "file:///etc/passwd", ["no scheme that can be called", "begin with http:// or https://"]),
        ("68-gopher", "gopher://x/v1", ["begin with http:// or https://"]),
        ("68-no-host", "http:///v1", ["[BASE_URL]"]),
        ("68-no-address", '"http://[::1"', ["this is no address", "[BASE_URL]"]),
        (
            "12-port-no-number",
            "http://host:abc/v1",
            ["no number from 1 to 65535", "got http://host:abc/v1", "host:port"],
        ),
        ("12-port-too-large", "http://127.0.0.1:99999/v1", ["no number from 1 to 65535", "[BASE_URL]"]),
        ("12-port-zero", "http://127.0.0.1:0/v1", ["no number from 1 to 65535"]),
        ("12-host-of-dots", "http://./v1", ["neither a name nor an IP address", "[BASE_URL]"]),
        ("12-host-empty-label", "http://a..b/v1", ["neither a name nor an IP address"]),
        ("12-host-blank", "http://ho st/v1", ["neither a name nor an IP address"]),
        ("12-host-no-ip", "http://999.1.1.1/v1", ["neither a name nor an IP address"]),
        ("12-path-blank", "http://host/v 1", ["a path with a blank"]),
        ("12-port-and-query", "http://host:abc/v1?key=hunter2", ["no number from 1 to 65535", "must end in its path"]),
        ("68-query", "http://x/v1?key=hunter2", ["must end in its path", "[BASE_URL]"]),
        ("68-userinfo", "http://ann:hunter2@x/v1", ["user name or password", "set api_key_env", "[SECRET_IN_CONFIG]"]),
        ("68-userinfo-no-scheme", "ann:hunter2@x/v1", ["begin with http:// or https://"]),
    ],
)
def test_bad_address(case: str, url: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_workbench(written(tmp_path, url=url))
    for word in words:
        assert word in str(caught.value), case
    assert "hunter2" not in str(caught.value)


def test_a_key_in_place_of_its_variables_name_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"workbench.yaml:9:models.small.api_key_env: .*SECRET_IN_CONFIG") as caught:
        load_workbench(written(tmp_path, key="sk-hunter2-hunter2"))
    assert "hunter2" not in str(caught.value)
