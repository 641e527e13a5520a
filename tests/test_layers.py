"""Imports only go downwards, and importing the package stays light. The map is docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "workbench"

ORDER = (
    ("__init__", "errors"),
    ("nouns",),
    ("records",),
    ("datasets", "models"),
    ("runs",),
    ("store", "statistics", "tables", "calling"),
    ("reading",),
    ("scoring", "labelling", "curation", "rag", "training"),
    ("evaluation", "calibration", "failures"),
    ("gate",),
    ("reports",),
    ("adapters", "simulated"),
    ("config",),
    ("jobs",),
    ("cli",),
    ("__main__",),
)
LAYERS = {name: number for number, names in enumerate(ORDER) for name in names}
"""A module imports modules of a lower layer, and of its own folder. The pages in `dashboards` stand above all."""

HEAVY = (
    "torch",
    "transformers",
    "openai",
    "aiohttp",
    "duckdb",
    "pyarrow",
    "pandas",
    "scipy",
    "sentence_transformers",
    "sacrebleu",
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """Return the folder or module right below the package that a file lies in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the dotted names a file imports, wherever in the file; imports for the type checker alone do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_lower_layers(path: Path) -> None:
    mine = room(path)
    assert mine in LAYERS, f"{mine} has no layer; give it one here and in docs/architecture.md"
    for name in imported(path):
        if name == "workbench" or not name.startswith("workbench."):
            continue
        other = name.split(".")[1]
        if other != mine and other in LAYERS:
            assert LAYERS[other] < LAYERS[mine], (
                f"{path.relative_to(ROOT)} imports {name} from a layer that is not lower"
            )


def test_an_adapter_never_imports_another() -> None:
    names = {path.stem for path in (PACKAGE / "adapters").glob("*.py")} - {"__init__"}
    for path in (PACKAGE / "adapters").glob("*.py"):
        for name in imported(path):
            if name.startswith("workbench.adapters."):
                other = name.split(".")[2]
                assert other == path.stem or other not in names, f"{path.name} imports the adapter {other}"


def test_nothing_in_the_library_imports_the_pages() -> None:
    for path in modules():
        assert not [n for n in imported(path) if n.partition(".")[0] in ("dashboards", "streamlit", "altair")], path


def test_importing_every_module_loads_no_heavy_package() -> None:
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in modules()]
    names = [name for name in names if not name.endswith("__main__")]
    program = f"import sys\nfor n in {names!r}: __import__(n)\nprint([h for h in {HEAVY!r} if h in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"
