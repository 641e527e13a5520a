"""What `workbench failures` does and prints; stdout holds the result, stderr the talk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import orjson

from workbench.cli.progress import say, watching
from workbench.cli.show import clipped, grid
from workbench.config.workbench_yaml import Workbench
from workbench.config.yaml_source import load_yaml
from workbench.errors import ConfigError, Problem
from workbench.evaluation.engine import Progress
from workbench.failures.clusters import Clustering
from workbench.failures.counting import coder_agreement, pareto, saturation
from workbench.failures.entries import Act, AnswerId, Note, Standing
from workbench.failures.failure import Failure, Fault, Wanted
from workbench.failures.taxonomy import Taxonomy, as_yaml
from workbench.jobs.acting import who
from workbench.jobs.failures import (
    all_keys,
    code,
    exported,
    find_failures,
    pick,
    read_book,
    save_taxonomy,
    taxonomy_of,
    undo,
)
from workbench.jobs.failures_clusters import Asked, cluster, cluster_of
from workbench.jobs.failures_fates import act_fates
from workbench.jobs.failures_sending import Sending, send
from workbench.reports.words import interval_text, number

TAGS_SHOWN = 12
READ = 200_000
"""Bytes of a correction that are read; a longer one is refused when it is written down."""


@dataclass(frozen=True)
class Coding:
    """What is to be written down, or taken back."""

    run: str | None
    sample: str | None
    repeat: int
    note: str
    tags: tuple[str, ...]
    correction: Path | None
    worse: str | None
    undone: str | None


@dataclass(frozen=True)
class Choice:
    """Which answers of a run are meant: named ones, those of a cluster, or those of a filter."""

    run: str
    samples: tuple[str, ...]
    cluster: str | None
    wanted: Wanted


def find_and_show(bench: Workbench, run: str, wanted: Wanted, start: int, size: int, *, as_json: bool) -> None:
    """Print a page of failures."""
    found = find_failures(bench, run, wanted, start, size)
    if as_json:
        _print(found.model_dump(mode="json"))
        return
    last = min(start + len(found.failures), found.n)
    shown = f", {start + 1} to {last} below" if found.failures else ""
    click.echo(f"{found.n:,} of {found.n_answers:,} answers{shown}\n")
    for failure in found.failures:
        _show_failure(failure)
    if last < found.n:
        say(f"More with --start {last}; all of them at once: workbench dashboards, page Failures")


def cluster_and_show(bench: Workbench, run: str, wanted: Wanted, asked: Asked, *, as_json: bool, quiet: bool) -> None:
    """Cluster, and print the clusters."""
    with _counting("embedding", quiet) as watch:
        found = cluster(bench, run, wanted, asked, watch)
    if as_json:
        _print(found.model_dump(mode="json"))
        return
    _show_clusters(found)


def code_and_show(bench: Workbench, coding: Coding, by: str | None, *, as_json: bool) -> None:
    """Write a note or a pick, or take a line back, and say its id."""
    name = by or who()
    line: Any
    if coding.undone is not None:
        line = undo(bench, coding.undone, name)
    elif coding.run is None or coding.sample is None:
        fix = "see workbench failures code --help"
        raise ConfigError(Problem("USAGE", "give RUN and SAMPLE, or --undo ID", fix=fix))
    else:
        of = AnswerId(run=bench.home.run(coding.run).id, sample=coding.sample, repeat=coding.repeat)
        if coding.worse is not None:
            other, repeat = _repeat(coding.worse)
            line = pick(bench, of, AnswerId(run=bench.home.run(other).id, sample=of.sample, repeat=repeat), name)
        if coding.worse is None or coding.note or coding.tags or coding.correction:
            text = "" if coding.correction is None else _read(coding.correction)
            line = code(bench, of, name, text=coding.note, tags=coding.tags, correction=text)
    if as_json:
        _print(line.model_dump(mode="json"))
    else:
        click.echo(f"written down as {line.id} by {clipped(name)}; take it back with: failures code --undo {line.id}")


def send_and_show(bench: Workbench, choice: Choice, sending: Sending, *, as_json: bool) -> None:
    """Send, and say what came of it."""
    done = send(bench, replace(sending, what=_chosen(bench, choice), by=sending.by or who()))
    if as_json:
        _print(done.act.model_dump(mode="json"))
    else:
        click.echo(f"{len(done.act.what)} failures → {clipped(done.told)}")
        say("What becomes of them: workbench failures log")


def show_log(bench: Workbench, run: str | None, *, as_json: bool) -> None:
    """Print notes and acts, and what became of the acts."""
    book = read_book(bench.home)
    run_id = None if run is None else bench.home.run(run).id
    notes = [n for some in book.current().values() for n in some if run_id in (None, n.of.run)]
    acts = act_fates(bench, [a for a in book.acts if run_id is None or any(of.run == run_id for of in a.what)])
    if as_json:
        told = [a.model_dump(mode="json") for a in acts]
        _print({"notes": [n.model_dump(mode="json") for n in notes], "acts": told})
        return
    grid(("note", "answer", "by", "tags", "says"), map(_note_row, notes))
    for one in acts:
        click.echo(f"{one.act.at[:16].replace('T', ' ')}  {_act(one.act)}\n    {one.told()}")
    if not notes and not acts:
        say("Nothing yet. Write a note: workbench failures code RUN SAMPLE --tag … --note …")


def taxonomy_and_show(
    bench: Workbench,
    runs: Sequence[str],
    file: Path | None,
    why: str,
    out: Path | None,
    by: str | None,
    *,
    as_json: bool,
) -> None:
    """Save a version where a file is given, write the export where one is asked, and print what coding comes to."""
    if file is not None:
        saved = save_taxonomy(bench, load_yaml(file, Taxonomy), by or who(), why)
        say(f"version {saved.taxonomy.version}, content {saved.fingerprint}, is saved and in {exported(bench)}")
        if bench.config.labelling.taxonomy is None:
            say(f"For templates to ask by it, write in workbench.yaml: labelling: {{taxonomy: {exported(bench).name}}}")
    book = read_book(bench.home)
    taxonomy = taxonomy_of(bench, book)
    if out is not None:
        _write(out, as_yaml(taxonomy))
    if str(out) != "-":
        _show_taxonomy(book, taxonomy, [bench.home.run(name).id for name in runs], as_json=as_json)


# ---------------------------------------------------------------- choosing


def _chosen(bench: Workbench, choice: Choice) -> tuple[AnswerId, ...]:
    """Return the answers that are meant. Raises `ConfigError` where nothing says which."""
    run = bench.home.run(choice.run).id
    if choice.samples:
        named = [_repeat(name) for name in choice.samples]
        return tuple(AnswerId(run=run, sample=name, repeat=repeat) for name, repeat in named)
    if choice.cluster is not None:
        clustering, found = cluster_of(bench.home, choice.cluster)
        if clustering.run != run:
            raise ConfigError(
                Problem("USAGE", "this cluster is of another run", got=clustering.run, fix="name that run")
            )
        return found.members
    if choice.wanted == Wanted():
        fix = "name them with --sample or --cluster, or filter them, such as with --metric"
        raise ConfigError(Problem("USAGE", "it is not said which failures", fix=fix))
    return tuple(AnswerId(run=run, sample=s, repeat=r) for s, r in all_keys(bench, run, choice.wanted))


def _repeat(name: str) -> tuple[str, int]:
    """Return a name and the number of the answer behind its last `#`, 0 without one."""
    head, _, tail = name.rpartition("#")
    return (head, int(tail)) if head and tail.isascii() and tail.isdigit() else (name, 0)


# ---------------------------------------------------------------- on the terminal


def _show_failure(failure: Failure) -> None:
    people = "" if failure.human is None else f"   people: {'pass' if failure.human else 'fail'}"
    click.echo(
        f"  {clipped(failure.of.record())}   {clipped(', '.join(f'{k}={v}' for k, v in failure.tags.items()))}{people}"
    )
    answer = failure.output if failure.error is None else f"({failure.error}) {failure.output or ''}"
    for name, text in (("question", failure.question), ("answer", answer or "")):
        click.echo(f"         {name:<10}{clipped(text)}")
    for fault in failure.faults:
        click.echo(f"         {'wrong':<10}{clipped(_fault(fault))}")


def _fault(fault: Fault) -> str:
    said = fault.failure or fault.label or number(fault.value)
    return f"{fault.scorer}: {said}{' — ' + fault.reason if fault.reason else ''}"


def _show_clusters(found: Clustering) -> None:
    how = f"{found.n_texts:,} different texts by {found.by}"
    if found.n_embedded < found.n_texts and found.embedding != "words":
        how += f", {found.n_embedded:,} of them by embedding, the rest by words"
    click.echo(f"{found.n:,} failures of {found.run}, {how} ({clipped(found.embedding)})\n")
    for one in found.clusters:
        name = f"  {clipped(one.name)}: {clipped(one.definition)}" if one.name else ""
        share = len(one.members) / found.n
        click.echo(f"{found.id}:{one.number}  {len(one.members):,} ({share:.0%}){name}")
        click.echo(f"      words    {clipped(', '.join(one.words))}")
        click.echo(f"      typical  {clipped(one.representative.record())}: {clipped(one.text)}")
    say(f"\nSend one on: workbench failures send {found.run} NAME --to argilla --cluster {found.id}:1")


def _show_taxonomy(book: Standing, taxonomy: Taxonomy, runs: Sequence[str], *, as_json: bool) -> None:
    bars, seen = pareto(book, taxonomy, runs), saturation(book, taxonomy, runs)
    agreed = coder_agreement(book, taxonomy, {})
    if as_json:
        _print(
            {
                "taxonomy": taxonomy.model_dump(mode="json"),
                "fingerprint": taxonomy.fingerprint(),
                "pareto": [bar.model_dump(mode="json") for bar in bars],
                "saturation": seen.model_dump(mode="json"),
                "agreement": [one.model_dump(mode="json") for one in agreed],
            }
        )
        return
    click.echo(f"taxonomy {taxonomy.version}, content {taxonomy.fingerprint()[:12]}, {len(taxonomy.modes)} codes\n")
    rows = [
        (clipped(b.code), "" if b.known else "no code yet", str(b.severity or "—"), f"{b.k}/{b.n}",
         interval_text(b.interval), number(b.weight))
        for b in bars
    ]  # fmt: skip
    grid(("code", "", "severity", "answers", "95 % interval", "share × severity"), rows)
    if seen.points:
        last = seen.points[-1]
        chance = (
            "" if seen.unseen is None else f"; a further code is a new one with a chance of about {seen.unseen:.0%}"
        )
        click.echo(f"{last.codes} codes in {last.n} coded answers, none new in the last {seen.since}{chance}")
    for one in agreed[:TAGS_SHOWN]:
        said = number(one.alpha.value) if one.alpha.value is not None else f"— ({one.alpha.undefined})"
        interval = interval_text(one.alpha.interval) if one.alpha.interval else ""
        click.echo(f"agreement {clipped(one.code) or 'on all codes'}: alpha {said} {interval} n {one.alpha.n}")
    if not bars:
        say("No note has a tag yet: workbench failures code RUN SAMPLE --tag …")


def _note_row(note: Note) -> tuple[str, ...]:
    says = note.text + (" [corrected]" if note.correction else "")
    return note.id, f"{note.of.run[:19]}…/{note.of.record()}", note.by, ", ".join(note.tags), says


def _act(act: Act) -> str:
    use = f"-{act.use}" if act.use else ""
    why = f" — {clipped(act.why)}" if act.why else ""
    return f"{clipped(act.by)}: {len(act.what)} to {act.to} {clipped(act.into)}{use}, {act.made} came of it{why}"


def _write(out: Path, text: str) -> None:
    if str(out) == "-":
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        say(f"wrote {out}")


def _read(path: Path) -> str:
    """Return the text of a file or of stdin. Raises `ConfigError` where it is no UTF-8."""
    raw = sys.stdin.buffer.read(READ) if str(path) == "-" else path.read_bytes()[:READ]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ConfigError(Problem("NOT_UTF8", "invalid UTF-8", str(path), fix="save the file as UTF-8")) from exc


@contextmanager
def _counting(title: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    with watching(title, quiet) as show:
        yield lambda done, total: show(Progress(done=done, total=total, failed=0, cost=0.0))


def _print(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
