"""Every code of an error is explained in docs/errors.md, and nothing is explained that does not exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from workbench.config.evalset_yaml import EvalsetSpec
from workbench.config.workbench_yaml import load_workbench
from workbench.config.yaml_source import load_yaml

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "workbench", ROOT / "dashboards")
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
MAKERS = ("Problem", "_Refused", "wrong", "_error")


def documented() -> set[str]:
    return set(
        re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    )


def used() -> dict[str, str]:
    """Return each code that a problem is made with, and every constant of the readers that looks like one."""
    found: dict[str, str] = {}
    for path in sorted(path for package in PACKAGES for path in package.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        first = [n.args[0] for n in nodes if isinstance(n, ast.Call) and n.args and maker(n) in MAKERS]
        texts = [text(node) for node in first]
        if path.parent.name in ("reading", "config"):
            texts += [text(node) for node in nodes if "_" in text(node)]
        found |= {code: str(path.relative_to(ROOT)) for code in texts if CODE.fullmatch(code)}
    return found


def maker(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[-1]


def text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_code_is_documented() -> None:
    missing = {code: path for code, path in used().items() if code not in documented()}
    assert missing == {}, "explain them in docs/errors.md"


def test_every_documented_code_exists() -> None:
    source = "".join(path.read_text(encoding="utf-8") for package in PACKAGES for path in package.rglob("*.py"))
    assert [code for code in sorted(documented()) if f'"{code}"' not in source] == []


@pytest.mark.parametrize("name", ["workbench", "evalset"])
def test_the_examples_in_the_guide_load(name: str, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    blocks = [b for b in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "# yaml-language-server" not in b]
    text = next(b for b in blocks if ("models" in yaml.safe_load(b)) == (name == "workbench"))
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    if name == "workbench":
        assert set(load_workbench(path).config.models) == {"small", "log", "tuned", "echo"}
    else:
        assert load_yaml(path, EvalsetSpec).uses() == ("train", "dev", "gate")
