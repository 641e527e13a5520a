"""Draw docs/demo.svg, the README's picture, from what `workbench demo` really prints: `python -m demo.picture`."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text

FILE = Path(__file__).parents[1] / "docs" / "demo.svg"
WIDTH = 122


def main() -> None:
    """Run the demo and draw its end."""
    done = subprocess.run([sys.executable, "-m", "workbench", "demo"], capture_output=True, text=True, check=True)
    lines = [line.rstrip()[:WIDTH] for line in done.stdout.splitlines() if line.strip()]
    shown = [*between(lines, "helpcentre ·", "lowest token_f1"), "…", *between(lines, "judge ", "To put")]
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text("$ make demo\n" + "\n".join(shown)))
    FILE.write_text(console.export_svg(title="workbench", code_format=without_web_fonts()), encoding="utf-8")
    print(f"wrote {FILE}")


def between(lines: list[str], first: str, after: str) -> list[str]:
    """Return the lines from the one that begins with `first` up to the one that begins with `after`."""
    begin = next(i for i, line in enumerate(lines) if line.startswith(first))
    end = next(i for i, line in enumerate(lines) if i > begin and line.startswith(after))
    return lines[begin:end]


def without_web_fonts() -> str:
    """Return rich's template without the fonts that it would load from elsewhere."""
    return re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code", "monospace")


if __name__ == "__main__":
    main()
