"""A home with labels of three people, a judged run, calibrations, datasets, and hostile strings wherever text is."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from workbench.calibration.attack_book import attacks
from workbench.calibration.attacked import Attacked, Trials, Tried, overall, rated
from workbench.calibration.attacks import Attack, Family
from workbench.calibration.book import calibrations
from workbench.calibration.calibrated import Subject, calibrate
from workbench.calibration.judged import Judged
from workbench.config.evalset_yaml import load_evalset
from workbench.config.labelling_yaml import load_template
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.datasets import Conversation, Lineage, PreferencePair, Sample, Side
from workbench.evaluation.engine import Halt
from workbench.jobs.calibrating import Asked, calibrate_judge
from workbench.jobs.evaluating import Job, evaluate_all
from workbench.jobs.labelling_next import Asked as Picked
from workbench.jobs.labelling_next import choose
from workbench.jobs.planning import Asked as Planned
from workbench.jobs.planning import plan
from workbench.labelling.next import Wanted
from workbench.labelling.pushing import KEPT
from workbench.labelling.server import About, Answer, RemoteDataset, RemoteRecord
from workbench.labelling.snapshot import Snapshot, store_snapshot
from workbench.labelling.tasks import Task
from workbench.reading.storing import Origin, store_rows
from workbench.records import Message, Turn

N = 240
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](http://127.0.0.1:9/leak.png)",
    ":green-badge[PASS]", ":material/check: [go](javascript:alert(1))", "$\\href{http://127.0.0.1:9}{x}$",
    "\u202egnp.exe", "\x1b[31mred", "=HYPERLINK(1)", "</textarea><svg onload=alert(1)>", "a \" b ' c ` d | e",
)  # fmt: skip
"""Strings that a page must show as they are."""
TOPICS = ("plans", "refunds", ":red[rooms]")
RUBRIC = '---\nname: correct\nversion: "1"\nscale: binary\n---\nPass when the answer is right.\n'


def build(folder: Path) -> Workbench:
    """Write the project and everything in its home."""
    bench = _project(folder)
    run = _judged_run(bench)
    lot = choose(bench, run, Picked(Wanted(n=200, shares={"random": 1.0})))
    snapshot = _label(bench, "review", list(lot.tasks))
    _calibrate(bench, run)
    _attack(bench, run)
    _datasets(bench, snapshot)
    return bench


def verdict(n: int) -> bool:
    """Return whether the judge passes answer n."""
    return n % 8 < 5


def human(n: int, person: int = 0) -> bool:
    """Return what somebody says: as the judge, but for one in ten; the second person errs in one more of eleven."""
    return verdict(n) ^ (n % 10 == 3) ^ (person == 1 and n % 11 == 5)


def _project(folder: Path) -> Workbench:
    evalset = folder / "evalsets" / "quiz"
    (evalset / "rubrics").mkdir(parents=True)
    (evalset / "rubrics/correct.md").write_text(RUBRIC)
    rows = [
        {"id": f"s{n}", "messages": [{"role": "user", "content": f"Question number {n}? {_nasty(n)}"}],
         "tags": {"topic": TOPICS[n % 3]}}
        for n in range(N)
    ]  # fmt: skip
    (evalset / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scorer = {"kind": "rubric_judge", "rubric": "rubrics/correct.md", "judge": "judge"}
    spec = {"name": "quiz", "version": "1", "split": {"salt": "quiz", "dev": 0.9, "gate": 0.1}, "scorers": [scorer]}
    (evalset / "evalset.yaml").write_text(yaml.safe_dump(spec))
    models = {
        "bot": {"kind": "scripted", "replies": {f"s{n}": f"This is answer {n}. {_nasty(n)}" for n in range(N)}},
        "judge": {"kind": "scripted", "replies": {f"s{n}": _said(n) for n in range(N)}},
    }
    (folder / "workbench.yaml").write_text(yaml.safe_dump({"models": models, "candidate": "bot"}))
    return load_workbench(folder / "workbench.yaml")


def _nasty(n: int) -> str:
    return HOSTILE[n // 12 % len(HOSTILE)] if n % 12 == 0 else ""


def _said(n: int) -> str:
    word = "pass" if verdict(n) else "fail"
    return json.dumps({"evidence": f"This is answer {n}", "reason": f"so {_nasty(n)}", "verdict": word})


def _judged_run(bench: Workbench) -> str:
    planned = plan(bench, Planned("quiz", "dev", "bot"), load_evalset(bench.evalsets / "quiz", bench))
    job = Job(planned, bench.home.new_run(planned.spec, datetime.now(UTC)))
    work = evaluate_all(bench, [job], Halt(), lambda _: nullcontext(lambda _: None), lambda _: None)
    with ThreadPoolExecutor(1) as thread:
        made = thread.submit(asyncio.run, work).result()
    assert made is not None
    return made[0].id


def _label(bench: Workbench, name: str, tasks: list[Task]) -> Snapshot:
    form = load_template(bench, "rag_review").form(1)
    at = NOON.replace(tzinfo=None).isoformat(timespec="microseconds")
    people = ("ann", ":green-badge[bo]", "cyd")
    records = [
        RemoteRecord(
            f"s{place}", task.id, {"answer": task.outputs[0]},
            {KEPT: {"record": task.model_dump(mode="json"), "order": [0]}}, at,
            tuple(_answer(f"{place}-{p}", p, task, at) for p in (people if place % 2 else people[:1])),
        )
        for place, task in enumerate(tasks)
    ]  # fmt: skip
    remote = RemoteDataset("d", name, About(form=form, seed=name, overlap=2), frozenset())
    return store_snapshot(bench.home.root / "records" / name, remote, records, {p: p for p in people})


def _answer(id: str, person: str, task: Task, at: str) -> Answer:
    word = "pass" if human(int(task.id[1:]), int(person.endswith("[bo]"))) else "fail"
    return Answer(id, person, "submitted", {"verdict": {"value": word}}, at, at)


def _calibrate(bench: Workbench, run: str) -> None:
    """Write an earlier version's calibration, then open the test part of the judge as it is."""
    subject = Subject(
        metric="correct", judge="judge", inputs={"scorer": "an older rubric", "judge": "x"}, labels="y",
        question="verdict", guideline="rag_review/1",
    )  # fmt: skip
    rows = [
        Judged(id=f"older/{n}", group=f"older {n}", human=n % 2 == 0, judge=(n % 2 == 0) != (n % 6 == 0),
               length=20 + n % 50, model="bot", tags={"topic": TOPICS[n % 3]})
        for n in range(400)
    ]  # fmt: skip
    at = (NOON - timedelta(days=20)).isoformat()
    calibrations(bench.home.root).add(calibrate(rows, subject, [], open_test=True, who=HOSTILE[3], at=at))
    calibrate_judge(bench, [run], Asked("correct", open_test=True))


def _attack(bench: Workbench, run: str) -> None:
    """Write an attack that the judge did not hold."""
    tried = {
        "plain order": [Tried(f"g{n}", n % 5 == 0, False, False) for n in range(30)],
        HOSTILE[3]: [Tried(f"g{n}", None, False, True) for n in range(30)],
    }
    trials = Trials(tried, {}, {})
    about = tuple(Family(name=name, about=HOSTILE[0], attacks=(Attack(put="after", payload="x"),)) for name in tried)
    attacks(bench.home.root).add(
        Attacked(
            metric="correct", judge="judge", inputs={"scorer": "x", "judge": "y"}, suite="1", run=run,
            wrong_by="people", n_wrong=30, families=tuple(rated(trials, about)), overall=overall(trials), who="ann",
            at=NOON.isoformat(),
        )
    )  # fmt: skip


def _datasets(bench: Workbench, snapshot: Snapshot) -> None:
    home, parent = bench.home.root, snapshot.manifest.fingerprint
    rows = [_chat(n) for n in range(60)]
    rule = {"source": "chats.jsonl <b>", "format": "messages", "licence": HOSTILE[2]}
    first = store_rows(rows, Origin("support", "conversations", "train", rule), home, NOON)
    changed = [
        rows[0].model_copy(update={"messages": (*rows[0].messages[:1], _turn("assistant", "Changed."))}),
        *rows[2:],
    ]
    store_rows(
        changed, Origin("support", "conversations", "train", {"command": "data filter"}, (first.manifest.fingerprint,)),
        home, NOON + timedelta(hours=1),
    )  # fmt: skip
    pairs = [
        PreferencePair(
            id=f"p{n}", prompt=(_turn("user", f"Which {n}? {_nasty(n)}"),),
            chosen=Side(messages=(_turn("assistant", f"Good {n}"),), model="bot"),
            rejected=Side(messages=(_turn("assistant", f"Bad {n} {_nasty(n)}"),)), rule="pick",
            lineage=Lineage(sources=(f"review/s{n}",), annotators=("ann",)),
        )
        for n in range(24)
    ]  # fmt: skip
    store_rows(pairs, Origin("prefs", "pairs", "train", {"rule": "pick"}, (parent,)), home, NOON)
    samples = [Sample(id=f"q{n}", messages=(Message(role="user", content=f"Ask {n}?"),)) for n in range(12)]
    store_rows(samples, Origin("questions", "samples", "dev"), home, NOON)


def _chat(n: int) -> Conversation:
    said = f"Write to help{n % 5}@firm-{n}.de or call." if n % 7 == 0 else f"Room {n} is the one with the blue door."
    asked = "Where do I find the very same thing again?" if n % 9 == 0 else f"Where is room number {n}? {_nasty(n)}"
    said = "It is on the second floor beside the lift, as always." if n % 9 == 0 else said
    return Conversation(
        id=f"c{n}", messages=(_turn("user", asked), _turn("assistant", said)), tags={"topic": TOPICS[n % 3]}
    )


def _turn(role: Any, content: str) -> Turn:
    return Turn(role=role, content=content)
