"""Where judgements come from: pulled labels, models' suggestions, stored datasets, finished runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal

import orjson

from workbench.config.workbench_yaml import Workbench
from workbench.curation.pairs.from_labels import STRENGTH, Labelled, models_of
from workbench.curation.pairs.judgements import Better, Judgement, Opinion, Prompt, Said, Unused, answer_of
from workbench.curation.pairs.policy import PairPolicy
from workbench.curation.stored_datasets import find_dataset
from workbench.datasets import Conversation, PreferencePair, Side
from workbench.errors import DataError, LeakageError, Problem
from workbench.evaluation.arms import Finished
from workbench.evaluation.comparable import why_other_rule
from workbench.jobs.labelling import snapshots
from workbench.labelling.by_hand import book_of, standing
from workbench.labelling.questions import RatingQuestion
from workbench.labelling.snapshot import Snapshot, latest_snapshot
from workbench.labelling.tasks import Task, blinded_order
from workbench.records import Label, Turn
from workbench.runs import ScorerInfo
from workbench.store.home import Home
from workbench.tables import Row, connection, rows

Heard = Judgement | Opinion | Unused
BETTER: dict[str | None, Better] = {"1": "one", "2": "other", "tie": "tie"}
"""A record's outputs by their numbers."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""When a model suggested something: nobody wrote it down."""


def pulled(bench: Workbench, name: str) -> Snapshot:
    """Return what was pulled last of a labelling dataset. Raises `DataError`."""
    return latest_snapshot(snapshots(bench, name))


def labels_of(snapshot: Snapshot) -> tuple[Labelled, list[Unused]]:
    """Return what people said, what adjudicators decided, and how much was begun or discarded."""
    manifest, tasks = snapshot.manifest, snapshot.tasks()
    decided = [
        Label(record_id=r.record_id, question=r.question, value=r.value, annotator=r.decided_by or "adjudicator",
              guideline=r.guideline, at=datetime.fromisoformat(manifest.pulled_at))
        for r in snapshot.resolved() if r.by == "adjudicated" and r.value is not None
    ]  # fmt: skip
    left = [Unused("draft", manifest.name, manifest.n_drafts), Unused("discarded", manifest.name, manifest.n_discarded)]
    found = Labelled(manifest.name, tasks, snapshot.labels(), decided, _scales(snapshot), _seen(snapshot, tasks))
    return found, [one for one in left if one.n]


def feedback_of(snapshot: Snapshot) -> Labelled:
    """Return what models suggested for the records of a labelling dataset, as labels of theirs."""
    manifest, tasks = snapshot.manifest, snapshot.tasks()
    labels, certain = [], {}
    for task in tasks:
        for s in task.suggestions:
            labels.append(
                Label(record_id=task.id, question=s.question, value=s.value, annotator=s.agent,
                      guideline=manifest.form.version, at=EPOCH)
            )  # fmt: skip
            if s.score is not None:
                certain[task.id, s.question] = s.score
    return Labelled(manifest.name, tasks, labels, (), _scales(snapshot), {}, by_model=True, certain=certain)


def heard_in_dataset(bench: Workbench, name: str) -> tuple[list[Heard], str]:
    """Return what the rows of a stored dataset say, and its fingerprint: pairs as they are, thumbs of conversations."""
    stored = find_dataset(bench.home.root, name)
    label = stored.path.parent.name
    if stored.manifest.use == "gate" or stored.manifest.kind == "samples":
        what = "a gate set is not learnt from" if stored.manifest.use == "gate" else "samples have no answers"
        fix = "name a dataset of pairs or conversations, of use train or dev; see workbench data ls"
        kind = LeakageError if stored.manifest.use == "gate" else DataError
        raise kind(Problem("NO_JUDGEMENTS", what, str(stored.path), got=name, fix=fix))
    found: list[Heard] = []
    for row in stored.iter_values():
        found += _of_pair(row, label) if isinstance(row, PreferencePair) else []
        found += [_of_conversation(row, label)] if isinstance(row, Conversation) else []
    return found, stored.manifest.fingerprint


def heard_by_hand(home: Home) -> tuple[list[Heard], list[str]]:
    """Return what people picked side by side, and the runs whose answers they were."""
    found: list[Heard] = []
    runs: dict[str, None] = {}
    for line in standing(book_of(home.root).records()):
        record, better = line.record, BETTER[line.said("preferred")]
        turns = tuple(Turn(role=m.role, content=m.content) for m in record.messages)
        tags = {key: value for key, value in record.tags.items() if key != "models"}
        one, other = (answer_of(text, name) for text, name in zip(record.outputs, models_of(record), strict=True))
        label = line.labels[0]
        said = Said(
            (f"picks/{record.id}", *line.sources), "pick", line.by, label.guideline, at=label.at.isoformat()
        )  # fmt: skip
        margin = None if better == "tie" else STRENGTH.get(line.said("strength") or "")
        seen: Literal["one", "other"] = "one" if line.order[0] == 0 else "other"
        found.append(Judgement(Prompt(turns, record.group, tags), one, other, better, said, margin, seen))
        runs |= dict.fromkeys(source.partition("/")[0] for source in line.sources)
    return found, list(runs)


# ---------------------------------------------------------------- labels


def _scales(snapshot: Snapshot) -> dict[str, tuple[float, float]]:
    questions = snapshot.manifest.form.questions
    return {q.name: (float(q.low), float(q.high)) for q in questions if isinstance(q, RatingQuestion)}


def _seen(snapshot: Snapshot, tasks: Sequence[Task]) -> dict[str, tuple[int, ...]]:
    """Return in which order each record's outputs were shown; snapshots of before the seed was kept say nothing."""
    seed, n = snapshot.manifest.seed, snapshot.manifest.form.candidates
    return {task.id: blinded_order(seed, task.id, n) for task in tasks} if seed and n > 1 else {}


# ---------------------------------------------------------------- datasets


def _of_pair(row: PreferencePair, label: str) -> Iterator[Judgement]:
    """Yield a judgement for each vote of a pair."""
    prompt = Prompt(row.prompt, row.group, row.tags, row.tools)
    people = ", ".join(row.lineage.annotators)
    sources = tuple(dict.fromkeys((f"{label}/{row.id}", *row.lineage.sources)))
    said = Said(sources, row.rule, people, by_model=row.lineage.synthetic)
    seen = None if row.seen_first is None else ("one" if row.seen_first else "other")
    votes = row.votes
    for better, n in (("one", votes.chosen if votes else 1), ("other", votes.rejected if votes else 0),
                      ("tie", votes.ties if votes else 0)):  # fmt: skip
        for _ in range(n):
            margin = row.margin if better == "one" else None
            yield Judgement(prompt, row.chosen, row.rejected, better, said, margin, seen)  # type: ignore[arg-type]


def _of_conversation(row: Conversation, label: str) -> Heard:
    """Return the thumb of a conversation's last answer."""
    source = f"{label}/{row.id}"
    if row.good is None or row.messages[-1].role != "assistant":
        return Unused("unclear", source)
    answer = Side(messages=(row.messages[-1],), model=row.tags.get("model", ""))
    prompt = Prompt(row.messages[:-1], row.group, row.tags, row.tools)
    said = Said((source, *row.lineage.sources), "thumbs", ", ".join(row.lineage.annotators))
    return Opinion(prompt, answer, said, "good" if row.good else "bad")


# ---------------------------------------------------------------- runs


def heard_in_runs(bench: Workbench, ids: Sequence[str], scorer: str | None, policy: PairPolicy) -> list[Heard]:
    """Return what one scorer says of the answers of finished runs on the same rule.

    Raises `LeakageError` for a run on a gate set and `DataError` where the scorer, or its judge, is another one in one
    of the runs.
    """
    runs = [Finished.read(bench.home.run(run_id)) for run_id in ids]
    for one in runs:
        if one.run.spec.use == "gate":
            what = "this run is on a gate set: its failures go back only to be relabelled"
            fix = "evaluate the models on the dev side: workbench eval run --use dev"
            raise LeakageError(Problem("GATE_RUN", what, str(one.folder.path), got=one.run.id, fix=fix))
    info = _scorer(runs[0], scorer)
    for one in runs[1:]:
        if why := why_other_rule(runs[0].run, one.run, info.name):
            what = f"the runs were not scored alike by '{info.name}': {why}"
            raise DataError(
                Problem("OTHER_RULE", what, str(one.folder.path), got=one.run.id, fix="rescore one of them")
            )
    return [heard for one in runs for heard in _of_run(one, info, policy)]


def _scorer(finished: Finished, wanted: str | None) -> ScorerInfo:
    """Return the scorer that decides: the named one, else the only one of 0 and 1."""
    infos = finished.run.scorers
    fitting = [info for info in infos if (info.name == wanted if wanted else info.binary)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(info.name for info in infos)
    what = "this run has no such scorer" if wanted else f"{len(fitting)} scorers of this run say pass or fail"
    where = str(finished.folder.path)
    raise DataError(Problem("WHICH_SCORER", what, where, got=wanted, fix=f"name one with --scorer: {names}"))


def _of_run(finished: Finished, info: ScorerInfo, policy: PairPolicy) -> Iterator[Heard]:
    with connection(samples=finished.folder.samples, scores=finished.folder.scores) as db:
        query = """SELECT a.sample_id, a.repeat, a.family, a.tags, a.messages, a.output, a.failure, a.served_model,
                          s.value
                   FROM samples a LEFT JOIN (SELECT * FROM scores WHERE scorer = ?) s USING (sample_id, repeat)
                   ORDER BY a.position, a.repeat"""
        found = rows(db, query, [info.name])
    for _, answers in groupby(found, key=lambda row: row["sample_id"]):
        yield from _of_sample(list(answers), finished, info, policy)


def _of_sample(answers: Iterable[Row], finished: Finished, info: ScorerInfo, policy: PairPolicy) -> Iterator[Heard]:
    """Yield an opinion on each different answer to one sample; what was scored both good and bad is unsure."""
    by_text: dict[str, list[Row]] = defaultdict(list)
    for row in answers:
        source = f"{finished.run.id}/{row['sample_id']}"
        if row["output"] is None or row["failure"] or row["value"] is None:
            yield Unused("unscored", source)
        else:
            by_text[row["output"]].append(row)
    for text, same in by_text.items():
        values = [(row["value"] if info.better == "higher" else -row["value"]) for row in same]
        source = f"{finished.run.id}/{same[0]['sample_id']}"
        opinion = _opinion(same[0], text, source, finished, info)
        if not info.binary:
            low, high = _range(info, values)
            yield _rated(opinion, sum(values) / len(values), low, high)
            continue
        passing = sum(row["value"] == (1 if info.better == "higher" else 0) for row in same) / len(same)
        verdict = "good" if passing >= policy.certainty else "bad" if passing <= 1 - policy.certainty else None
        yield Unused("unsure", source, len(same)) if verdict is None else _told(opinion, verdict)


def _opinion(row: Row, text: str, source: str, finished: Finished, info: ScorerInfo) -> Opinion:
    turns = tuple(Turn(role=m["role"], content=m["content"]) for m in orjson.loads(row["messages"]))
    prompt = Prompt(turns, row["family"], dict(row["tags"] or {}))
    said = Said((source,), "runs", f"{info.name}/{info.version}", by_model=_asks_a_model(info))
    return Opinion(prompt, answer_of(text, row["served_model"] or finished.run.spec.model_name), said)


def _asks_a_model(info: ScorerInfo) -> bool:
    return "judge" in info.kind


def _range(info: ScorerInfo, values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a scorer's scale, the good one high; an open end is where the values lie."""
    low, high = (info.low, info.high) if info.better == "higher" else (_minus(info.high), _minus(info.low))
    return (min(values) if low is None else low), (max(values) if high is None else high)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _rated(opinion: Opinion, rating: float, low: float, high: float) -> Opinion:
    return Opinion(opinion.prompt, opinion.answer, opinion.said, None, rating, low, high)


def _told(opinion: Opinion, verdict: str) -> Opinion:
    return Opinion(opinion.prompt, opinion.answer, opinion.said, "good" if verdict == "good" else "bad")
