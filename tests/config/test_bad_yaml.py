"""Rows 1–8, 23, 24, 27 and 29–37 of the catalogue of bad inputs, for YAML; the number is in the id."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.config.workbench_yaml import WorkbenchConfig, load_workbench
from workbench.config.yaml_source import load_yaml
from workbench.errors import ConfigError

HEAD = "candidate: main\nmodels:\n  main:\n    kind: endpoint\n    base_url: http://localhost:8000/v1\n    model: m\n"
BOMB = "x1: &x1 [a, a, a, a, a, a, a, a, a, a]\n" + "".join(
    f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 10)}]\n" for i in range(2, 8)
)

BAD: dict[str, tuple[str | bytes, list[str]]] = {
    "04-empty": ("", ["w.yaml: the file is empty", "[NO_RECORDS]"]),
    "04-only-a-comment": ("# nothing\n", ["the file is empty", "[NO_RECORDS]"]),
    "07-utf16": (HEAD.encode("utf-16"), ["UTF-16", "[WRONG_ENCODING]"]),
    "08-invalid-utf8": (HEAD.encode() + b"evalsets: \xff\n", ["w.yaml:7: invalid UTF-8 (got byte 0xff)", "[NOT_UTF8]"]),
    "14-too-large": (HEAD + "# " + "x" * 2**20, ["larger than 1,048,576 bytes", "[FILE_TOO_LARGE]"]),
    "16-nul": (HEAD + "evalsets: a\0b\n", ["not YAML", "[YAML_SYNTAX]"]),
    "23-syntax": (HEAD + "evalsets: [a\n", ["w.yaml:8", "not YAML at column 1", "[YAML_SYNTAX]"]),
    "23-not-a-mapping": ("- a\n", ["w.yaml:1: the file must be a mapping", "[YAML_SYNTAX]"]),
    "24-duplicate-key": (HEAD + "candidate: x\n", ["w.yaml:7:candidate", "first on line 1", "[DUPLICATE_KEY]"]),
    "24-duplicate-model": (HEAD + "  main:\n    kind: scripted\n", ["w.yaml:7:models.main", "[DUPLICATE_KEY]"]),
    "25-nan": (
        HEAD + "    sampling: {temperature: .nan}\n",
        ["w.yaml:7:models.main.sampling.temperature", "[FIELD_VALUE]"],
    ),
    "26-big-integer": (HEAD + f"    sampling: {{max_tokens: {'9' * 5000}}}\n", ["w.yaml:7", "[YAML_QUOTE]"]),
    "27-depth": (HEAD + "evalsets: " + "[" * 600 + "]" * 600, ["nested too deeply", "[TOO_DEEP]"]),
    "29-no": (
        HEAD.replace(": m\n", ": no\n"),
        ["w.yaml:6:models.main.model", "no for true or false", 'quote it: "no"'],
    ),
    "29-no-as-key": (HEAD.replace("  main:", "  no:"), ["w.yaml:3:models", 'quote it: "no"', "[YAML_QUOTE]"]),
    "29-null": (HEAD.replace(": m\n", ": null\n"), ["YAML takes null for nothing", 'quote it: "null"']),
    "30-version": (HEAD.replace(": m\n", ": 1.10\n"), ["w.yaml:6:models.main.model", "(got 1.10)", 'quote it: "1.10"']),
    "31-time": (HEAD.replace(": m\n", ": 12:30:00\n"), ["w.yaml:6:models.main.model", 'quote it: "12:30:00"']),
    "31-octal": (HEAD.replace(": m\n", ": 010\n"), ["w.yaml:6:models.main.model", 'quote it: "010"']),
    "32-bomb": (HEAD + BOMB, ["aliases unfold to more than 20,000 values", "[YAML_ALIASES]"]),
    "32-loop": (HEAD + "evalsets: &a [*a]\n", ["aliases unfold", "[YAML_ALIASES]"]),
    "33-python-tag": (HEAD + "evalsets: !!python/object/apply:os.system [id]\n", ["w.yaml:7:evalsets", "[YAML_TAG]"]),
    "33-own-tag": (HEAD + "evalsets: !function f.g\n", ["w.yaml:7:evalsets", "(got !function)", "[YAML_TAG]"]),
    "33-merge": (HEAD + "x: {<<: {a: b}}\n", ["merge keys are not allowed", "[YAML_TAG]"]),
    "34-tab": (HEAD + "\tevalsets: x\n", ["w.yaml:7: a tab where YAML wants spaces", "[YAML_TAB]"]),
    "35-unknown-key": (HEAD + "candidat: x\n", ["w.yaml:7:candidat: unknown key; did you mean 'candidate'?"]),
    "35-unread-key": (HEAD + "embedder: x\n", ["w.yaml:7:embedder: unknown key", "[FIELD_UNKNOWN]"]),
    "35-unknown-key-deep": (
        HEAD + "    limits: {timeouts: 3.0}\n",
        ["w.yaml:7:models.main.limits.timeouts: unknown key; did you mean 'timeout'?", "[FIELD_UNKNOWN]"],
    ),
    "35-unknown-kind": (
        HEAD.replace("endpoint", "endpiont"),
        ["w.yaml:4:models.main", "unknown kind 'endpiont'", "'local'"],
    ),
    "36-documents": (HEAD + "---\na: b\n", ["a second document", "[YAML_DOCUMENTS]"]),
    "37-unset": (HEAD + "evalsets: ${NOT_SET}\n", ["w.yaml:7:evalsets", "(got NOT_SET)", "[ENV_UNSET]"]),
    "37-part": (HEAD + "evalsets: a-${SET}\n", ["w.yaml:7:evalsets", "within a longer text", "[ENV_PARTIAL]"]),
    "37-secret": (HEAD + "    api_key_env: ${SET}\n", ["w.yaml:7:models.main.api_key_env", "[ENV_SECRET]"]),
    "38-missing": (
        "models:\n  main: {kind: scripted}\n",
        ["w.yaml:1:candidate: required field is missing", "add `candidate"],
    ),
    "38-missing-kind": (HEAD.replace("    kind: endpoint\n", ""), ["w.yaml:4:models.main: `kind` is missing"]),
    "39-type": (
        HEAD + "    sampling: {max_tokens: many}\n",
        ["w.yaml:7:models.main.sampling.max_tokens", "(got 'many')"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_yaml(case: str, tmp_path: Path) -> None:
    content, words = BAD[case]
    path = tmp_path / "w.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError) as caught:
        load_workbench(path, {"SET": "the-value-of-it"})
    for word in words:
        assert word in str(caught.value)
    assert "the-value-of-it" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("case", "code"),
    [("01-missing", "FILE_MISSING"), ("02-directory", "FILE_IS_FOLDER"), ("03-loop", "FILE_UNREADABLE")],
)
def test_file_that_is_none(case: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    if case == "02-directory":
        path.mkdir()
    elif case == "03-loop":
        path.symlink_to(path)
    with pytest.raises(ConfigError, match=rf"w\.yaml: .* \[{code}\]"):
        load_workbench(path)


def test_all_faults_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "candidate: no\ncandidat: x\nmodels:\n  a: {kind: scripted, default: echoo}\n  b: {kind: x}\n  a: 3\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_workbench(path)
    assert [(p.line, p.field, p.code) for p in caught.value.problems] == [
        (1, "candidate", "YAML_QUOTE"),
        (2, "candidat", "FIELD_UNKNOWN"),
        (4, "models.a.default", "FIELD_VALUE"),
        (5, "models.b", "FIELD_VALUE"),
        (6, "models.a", "DUPLICATE_KEY"),
    ]


def test_what_yaml_reads_rightly_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "\ufeff" + HEAD.replace(": m\n", ': "1.10"\n') + "    cache: no\n    sampling: {temperature: 1e-1}\n"
        "    system: >-\n      Write $${NAME}\n      as it stands.\n"
    )
    main = load_yaml(path, WorkbenchConfig, {}).models["main"]
    assert main.kind == "endpoint"
    assert (main.model, main.cache, main.sampling.temperature) == ("1.10", False, 0.1)
    assert main.system == "Write ${NAME} as it stands."


def test_a_variable_stands_for_a_whole_value_and_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(HEAD.replace("http://localhost:8000/v1", "${URL}").replace("candidate: main", "candidate: ${WHO}"))
    environment = {"URL": "http://gpu:8000/v1", "WHO": "main"}
    main = load_yaml(path, WorkbenchConfig, environment).models["main"]
    assert main.kind == "endpoint" and main.base_url == "http://gpu:8000/v1"
    path.write_text(HEAD + "    limits: {timeout: '${WORD}'}\n")
    with pytest.raises(ConfigError) as caught:
        load_yaml(path, WorkbenchConfig, {"WORD": "sesame"})
    assert "sesame" not in str(caught.value) and "[FIELD_TYPE]" in str(caught.value)
