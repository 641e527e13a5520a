"""Made-up tasks for every template, with hostile and awkward text among them."""

from __future__ import annotations

from pathlib import Path

from workbench.config.labelling_yaml import BUILT_IN, read_template
from workbench.labelling.server import About
from workbench.labelling.tasks import Task
from workbench.labelling.templates import Template
from workbench.records import Message, Passage

TEMPLATES = (
    "rag_review",
    "preference",
    "response_edit",
    "judge_audit",
    "open_coding",
    "rating",
    "thumbs",
    "sample_review",
)
ODD = "Paid within 14 days 😀 & <b>never</b> later.\r\nSee <img src=x onerror=alert(1)> 𝒳!"


def template(name: str) -> Template:
    """Return a built-in template."""
    return read_template(BUILT_IN / "templates" / name, BUILT_IN / "taxonomy.yaml")


def about(name: str, candidates: int = 1, overlap: int = 1, vector_size: int | None = None) -> About:
    """Return what a dataset of a built-in template says of itself."""
    found = template(name)
    return About(
        form=found.form(candidates),
        seed="seed",
        overlap=overlap,
        hidden_tags=found.spec.hidden_tags,
        vector_size=vector_size,
    )


def task(n: int, outputs: int = 1) -> Task:
    """Return the n-th task; every third answer holds what a page, a database or an offset may stumble over."""
    answers = [ODD if n % 3 == 0 else f"It takes {n} days.", "Two weeks.", "", "Never."][:outputs]
    return Task(
        id=f"r{n:03}",
        group=f"g{n // 2}",
        messages=(Message(role="user", content=f"How long does refund {n} take?"),),
        outputs=tuple(answers),
        contexts=(Passage(id="refunds#2", text="Refunds are paid within 14 days.", score=0.83),),
        reference="14 days",
        origin="run:20260101-000000000-made",
        tags={"language": "en" if n % 2 else "de", "model": "tiny-1"},
        shown={"judge_verdict": "fail", "judge_reason": "It says that <shipping> is free."},
    )


def tasks(n: int, outputs: int = 1) -> list[Task]:
    """Return n tasks."""
    return [task(i, outputs) for i in range(n)]


def no_watch(done: int, total: int) -> None:
    """Look at nothing."""


def folder(path: Path, yaml: str, guidelines: str | None = "Say what you see.") -> Path:
    """Write a template's folder."""
    path.mkdir(parents=True)
    (path / "template.yaml").write_text(yaml, encoding="utf-8")
    if guidelines is not None:
        (path / "guidelines.md").write_text(guidelines, encoding="utf-8")
    return path
