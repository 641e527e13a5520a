"""What `workbench rag` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import click
import orjson

from workbench.calling.budget import Budget
from workbench.cli.progress import say, watching
from workbench.cli.running import evaluated, jobs_for, plans_for
from workbench.cli.show import grid
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.evaluation.arms import Finished
from workbench.evaluation.compare import compare_all
from workbench.evaluation.engine import Progress
from workbench.jobs.opening import open_models
from workbench.jobs.planning import Asked
from workbench.jobs.rag import build_index
from workbench.jobs.rag_variants import pipeline_named, variants
from workbench.jobs.supervision import supervise
from workbench.models import OutputFailure, Request
from workbench.rag.index import IndexManifest
from workbench.rag.pipeline import Found, RagPipeline
from workbench.records import Message

SHOWN = 400
"""Characters of a passage that the terminal shows."""


def build(bench: Workbench, names: Sequence[str], *, as_json: bool, quiet: bool) -> None:
    """Build the named indexes, or all."""
    if not (names or bench.config.rag):
        fix = "add one, see docs/rag.md"
        raise ConfigError(
            Problem("UNKNOWN_INDEX", "workbench.yaml has no index", str(bench.file), field="rag", fix=fix)
        )
    made = []
    for name in names or bench.config.rag:
        with embedding(name, quiet) as watch:
            made.append(build_index(bench, name, watch))
    if as_json:
        plain = [{**m.model_dump(mode="json"), "new": new} for m, new in made]
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    grid(("index", "documents", "chunks", "longest", "mean", "embedding", "built"), [_row(m, new) for m, new in made])


def ask(bench: Workbench, question: str, name: str | None, *, only_passages: bool, as_json: bool) -> int:
    """Show what a pipeline finds and answers; return the exit code: 0 answered, 1 failed."""
    name, _ = pipeline_named(bench, name)

    async def asked() -> tuple[list[Found], str, str]:
        async with open_models(bench, [name], Budget(None), say, use_cache=False) as opened:
            pipeline = opened.models[name]
            assert isinstance(pipeline, RagPipeline)
            if only_passages:
                return await pipeline.retrieve(question), "", ""
            request = Request(messages=(Message(role="user", content=question),), sample_id="asked")
            found, answer = await pipeline.answer(request)
            failed = f"{answer.kind}: {answer.message}" if isinstance(answer, OutputFailure) else ""
            return found, "" if failed else answer.text, failed

    found, answer, failed = supervise(lambda _: asked())
    if as_json:
        plain = {"passages": [c.model_dump(mode="json") for c in found], "answer": answer or None, "failure": failed}
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
    else:
        for n, chunk in enumerate(found, 1):
            page = f", page {chunk.page}" if chunk.page else ""
            click.echo(click.style(f"[{n}] {chunk.id}{page}  {chunk.score:.3f}", bold=True))
            click.echo(f"{_plain(chunk.text)}\n")
        if not found:
            click.echo("Nothing was found.", err=True)
        if failed:
            click.echo(f"no answer: {failed}", err=True)
        elif not only_passages:
            click.echo(_plain(answer))
    return int(bool(failed))


def sweep(
    bench: Workbench,
    evalset: str,
    name: str | None,
    vary: Sequence[str],
    *,
    use: str,
    limit: int | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Evaluate each variant on one side of an evalset and compare all with the first; return the exit code."""
    from workbench.cli.show_comparison import show_comparisons

    name, spec = pipeline_named(bench, name)
    models = variants(name, spec, vary)
    varied = replace(bench, config=bench.config.model_copy(update={"models": {**bench.config.models, **models}}))
    for index in sorted({index for model in models.values() for index in model.index}):
        with embedding(index, quiet) as watch:
            build_index(varied, index, watch)
    asked = [Asked(evalset, "dev" if use == "dev" else "train", model, limit, 1, None) for model in models]
    plans = [plan for one in asked for plan in plans_for(varied, [evalset], one)]
    jobs = jobs_for(varied, plans, fresh=False, quiet=quiet)
    runs, code = evaluated(varied, jobs, quiet)
    if code == 0:
        found = compare_all([Finished(run, job.folder) for run, job in zip(runs, jobs, strict=True)], 0)
        click.echo(found.model_dump_json(indent=2)) if as_json else show_comparisons(found)
        say("What wins was picked for winning: confirm it once on the gate side before you rely on its figure.")
    return code


@contextmanager
def embedding(name: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show how many chunks are embedded, with the time left."""
    with watching(f"embedding {name}", quiet) as show:
        yield lambda done, total: show(Progress(total=total, done=done))


def _row(manifest: IndexManifest, new: bool) -> tuple[str, ...]:
    mean = manifest.n_characters / manifest.n_chunks
    return (
        manifest.name, f"{manifest.n_documents:,}", f"{manifest.n_chunks:,}", f"{manifest.longest:,}", f"{mean:.0f}",
        manifest.spec.embedding or "—", "now" if new else f"{manifest.built_at[:16]}, unchanged",
    )  # fmt: skip


def _plain(text: str) -> str:
    """Return model text without control characters, cut."""
    shown = "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
