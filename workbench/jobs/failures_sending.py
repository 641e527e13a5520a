"""Act on failures: to annotators, into an evalset, into pairs or conversations; each act is a line of the book."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from workbench.config.workbench_yaml import Workbench
from workbench.curation.evalsets.changes import Signed
from workbench.curation.evalsets.choosing import Wanted
from workbench.curation.pairs.judgements import Judgement, Opinion, Prompt, Said, answer_of
from workbench.curation.pairs.policy import PairPolicy
from workbench.datasets import Side, Use
from workbench.errors import ConfigError, DataError, LeakageError, Problem
from workbench.evaluation.run import read_run
from workbench.failures.entries import Act, AnswerId, Standing, Target
from workbench.jobs.acting import legible
from workbench.jobs.building_evalsets import build as build_evalset
from workbench.jobs.evalset_sources import from_failures
from workbench.jobs.failures import add, read_book, refuse_unknown, signed
from workbench.jobs.labelling import Wish, connected, push_tasks
from workbench.jobs.labelling_sources import tasks_from_run
from workbench.jobs.pairs import Building, Made, Sources, build
from workbench.jobs.pairs_sources import Heard, heard_in_runs
from workbench.records import Turn
from workbench.tables import connection, rows


@dataclass(frozen=True)
class Sending:
    """What is to be done with which answers."""

    to: Target
    into: str
    """Name of the labelling dataset, evalset or stored dataset."""
    what: tuple[AnswerId, ...]
    by: str
    why: str = ""
    template: str = "open_coding"
    """Labelling template."""
    use: Use = "train"
    """Use of stored pairs and conversations."""
    better: str | None = None
    """Another run: where its answer to the same sample passes, it is the chosen one."""
    scorer: str | None = None
    """Scorer that decides between the runs; `None`: the only one of 0 and 1."""


@dataclass(frozen=True)
class Sent:
    """What came of an act."""

    act: Act
    told: str
    """In words: how many, where, and what to do next."""


@dataclass(frozen=True)
class _Done:
    n: int
    told: str
    fingerprint: str = ""


def send(bench: Workbench, wanted: Sending) -> Sent:
    """Do it, and write it down. Raises `LeakageError` for gate failures, which may only be relabelled; `DataError`."""
    if not wanted.what:
        raise ConfigError(Problem("USAGE", "no failure was chosen", fix="name samples, or a filter"))
    refuse_unknown(bench.home, wanted.what)
    if wanted.to != "argilla":
        _refuse_gate(bench, wanted)
    done = ACTS[wanted.to](bench, wanted)
    learnt = wanted.to in ("pairs", "conversations")
    sign = signed(wanted.by)
    act = Act(
        id=sign.id, by=sign.by, at=sign.at, to=wanted.to, what=wanted.what, into=wanted.into,
        use=wanted.use if learnt else None, template=wanted.template if wanted.to == "argilla" else "",
        fingerprint=done.fingerprint, made=done.n,
        why=legible(wanted.why),
    )  # fmt: skip
    add(bench.home, act)
    return Sent(act, done.told)


def heard_of(bench: Workbench, book: Standing, wanted: Sending) -> list[Heard]:
    """Return what was said of the chosen answers: corrections, picks, and where another run's answer passes."""
    chosen = set(wanted.what)
    corrected = [n for of, notes in book.current().items() if of in chosen for n in notes if n.correction.strip()]
    latest = {(frozenset((p.better, p.worse)), p.by): p for p in book.picks if {p.better, p.worse} & chosen}
    read = _read(bench, [*(n.of for n in corrected), *(of for p in latest.values() for of in (p.better, p.worse))])
    heard: list[Heard] = []
    for note in corrected:
        said = Said((note.of.source(),), "edit", note.by, at=note.at)
        prompt, answer = read[note.of]
        heard.append(Opinion(prompt, answer, said, "edited", edit=note.correction))
    for p in latest.values():
        said = Said((p.better.source(), p.worse.source()), "pick", p.by, at=p.at)
        heard.append(Judgement(read[p.better][0], read[p.better][1], read[p.worse][1], "one", said))
    if wanted.better is not None:
        heard += _of_runs(bench, wanted)
    return heard


# ---------------------------------------------------------------- the acts


def _to_argilla(bench: Workbench, wanted: Sending) -> _Done:
    run = _one_run(wanted)
    ids = {of.record() for of in wanted.what}
    tasks = [task for task in tasks_from_run(bench.home.run(run), failed=False, scorer=wanted.scorer) if task.id in ids]
    if not tasks:
        fix = "choose answers that arrived; see workbench failures find --error"
        raise DataError(Problem("NO_RECORDS", "none of the chosen failures has an answer to look at", run, fix=fix))
    with closing(connected(bench)) as server:
        pushed = push_tasks(bench, server, tasks, Wish(wanted.into, wanted.template, f"run:{run}"), lambda *_: None)
    told = f"{wanted.into}: {pushed.added} added, {pushed.updated} updated, {pushed.unchanged} were there already"
    return _Done(len(tasks), f"{told}; once they are labelled: workbench label pull {wanted.into}")


def _to_evalset(bench: Workbench, wanted: Sending) -> _Done:
    found = from_failures(bench.home.run(_one_run(wanted)), {of.sample for of in wanted.what})
    signed_by = Signed(legible(wanted.by), legible(wanted.why) or "failures that are to be watched")
    built = build_evalset(bench, wanted.into, found, Wanted(), signed_by, datetime.now(UTC))
    told = f"{wanted.into}: {len(built.merged.added)} samples added, {len(built.merged.kept)} were there already"
    left = f", {len(built.choice.left)} left out: {built.choice.left[0].why}" if built.choice.left else ""
    return _Done(len(built.merged.added), f"{told}{left}; see workbench evalset audit {wanted.into}")


def _to_rows(bench: Workbench, wanted: Sending) -> _Done:
    heard = heard_of(bench, read_book(bench.home), wanted)
    if not heard:
        what = "nobody has corrected these answers or preferred another one"
        fix = "write a correction (failures code --correction), pick the better answer, or name a run with --better"
        raise DataError(Problem("NO_JUDGEMENTS", what, got=", ".join(of.sample for of in wanted.what[:3]), fix=fix))
    runs = tuple(dict.fromkeys([*(of.run for of in wanted.what), *([wanted.better] if wanted.better else [])]))
    sources = Sources(said=tuple(heard), said_in=tuple(bench.home.run(name).id for name in runs), scorer=wanted.scorer)
    kind: Made = "pairs" if wanted.to == "pairs" else "conversations"
    made = build(bench, Building(wanted.into, wanted.use, kind, sources, PairPolicy()), datetime.now(UTC))
    m = made.stored.manifest
    told = f"{m.name}-{m.use}: {m.n} {m.kind} in {m.n_groups} families ({made.told})"
    return _Done(m.n, f"{told}; look at it: workbench pairs lint {m.name}-{m.use}", m.fingerprint)


ACTS: dict[Target, Callable[[Workbench, Sending], _Done]] = {
    "argilla": _to_argilla,
    "evalset": _to_evalset,
    "pairs": _to_rows,
    "conversations": _to_rows,
}
"""What each act does."""


# ---------------------------------------------------------------- what they need


def _refuse_gate(bench: Workbench, wanted: Sending) -> None:
    if wanted.use == "gate":
        fix = "choose train or dev; a gate set is made of fresh records: workbench evalset build"
        raise LeakageError(Problem("GATE_FAILURES", "failures make no gate set", got=wanted.into, fix=fix))
    for name in dict.fromkeys([*(of.run for of in wanted.what), *([wanted.better] if wanted.better else [])]):
        if read_run(bench.home.run(name)).spec.use == "gate":
            what = "this run is on a gate set: its failures go back only to be relabelled"
            fix = "send them to argilla, or evaluate on the dev side: workbench eval run --use dev"
            raise LeakageError(Problem("GATE_FAILURES", what, got=name, fix=fix))


def _one_run(wanted: Sending) -> str:
    runs = sorted({of.run for of in wanted.what})
    if len(runs) > 1:
        fix = "send those of each run apart"
        raise ConfigError(Problem("USAGE", "these failures are of several runs", got=", ".join(runs), fix=fix))
    return runs[0]


def _of_runs(bench: Workbench, wanted: Sending) -> Iterator[Heard]:
    """Yield what the scorer says of both runs' answers to the chosen samples."""
    assert wanted.better is not None
    run = _one_run(wanted)
    better = bench.home.run(wanted.better).id
    samples = {of.sample for of in wanted.what}
    for one in heard_in_runs(bench, [run, better], wanted.scorer, PairPolicy()):
        sources = (one.source,) if not isinstance(one, Judgement | Opinion) else one.said.sources
        if {source.partition("/")[2] for source in sources} & samples:
            yield one


def _read(bench: Workbench, answers: Sequence[AnswerId]) -> dict[AnswerId, tuple[Prompt, Side]]:
    """Return prompt and answer of each of the answers. Raises `DataError` where one has no answer."""
    found: dict[AnswerId, tuple[Prompt, Side]] = {}
    for run_id in sorted({of.run for of in answers}):
        folder = bench.home.run(run_id)
        model = read_run(folder).spec.model_name
        with connection(samples=folder.samples) as db:
            query = """SELECT sample_id, repeat, family, tags, messages, output, served_model FROM samples
                       WHERE sample_id IN (SELECT unnest(?::VARCHAR[]))"""
            table = rows(db, query, [[of.sample for of in answers if of.run == run_id]])
        for row in table:
            of = AnswerId(run=run_id, sample=row["sample_id"], repeat=row["repeat"])
            turns = tuple(Turn(role=m["role"], content=m["content"]) for m in orjson.loads(row["messages"]))
            side = answer_of(row["output"] or "", row["served_model"] or model)
            found[of] = Prompt(turns, row["family"], dict(row["tags"] or {})), side
    return found
