"""Audit an evalset with all that a project knows of it: its documents, labels, train sets and finished runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.config.evalset_yaml import Evalset
from workbench.config.workbench_yaml import Workbench
from workbench.curation.evalsets.documents import read_documents
from workbench.curation.evalsets.finding import Audit, Example, Finding, finding, unknown
from workbench.curation.evalsets.run_checks import Margin, Scored, power, saturation, separation
from workbench.curation.evalsets.sample_checks import answerability, corpus, redundancy, slices
from workbench.curation.firewall import learnt_before, learnt_sets
from workbench.curation.sides import overlaps
from workbench.datasets import Sample, Use
from workbench.errors import DataError
from workbench.evaluation.arms import Finished, sample_scores
from workbench.evaluation.catalogue import catalogue
from workbench.labelling.questions import LabelQuestion, MultiLabelQuestion, RatingQuestion
from workbench.labelling.resolving import disagree
from workbench.labelling.snapshot import Snapshot, latest_snapshot
from workbench.records import Label
from workbench.runs import ScorerInfo

DOCUMENTS = "documents"
"""Folder of an evalset whose passages its questions are about, unless another is named."""


def audit(evalset: Evalset, bench: Workbench, documents: Path | None = None, use: Use | None = None) -> Audit:
    """Return what an evalset can and cannot tell; `use` audits one side alone. Raises `DataError`."""
    stored = {side: evalset.stored(side, bench.home) for side in evalset.uses() if use in (None, side)}
    rows = {side: [s for some in one.iter_samples() for _, s in some] for side, one in stored.items()}
    samples = [sample for side in rows.values() for sample in side]
    passages = _passages(evalset, samples, documents)
    runs = list(_scored(evalset, bench, {sample.id for sample in samples}))
    policy = evalset.spec.policy
    decided = rows.get("gate", [])
    families = {sample.id: sample.family() for sample in decided}
    found = [
        redundancy(samples),
        _ambiguity(bench, {sample.id for sample in samples}),
        _leakage(bench, evalset, decided),
        _sides(rows),
        slices(samples, [] if policy is None else list(policy.slices)),
        corpus(samples, passages),
        answerability(samples, passages),
        *saturation(runs),
        separation(runs),
        power(_margins(evalset) if decided else [], runs, families),
    ]
    prints: dict[str, str] = {side: one.manifest.fingerprint for side, one in stored.items()}
    sizes: dict[str, int] = {side: len(some) for side, some in rows.items()}
    return Audit(evalset=evalset.name, sides=sizes, fingerprints=prints, findings=tuple(found))


def _passages(evalset: Evalset, samples: Sequence[Sample], documents: Path | None) -> dict[str, str]:
    """Return the passages that questions may be about: of the documents, or else those that the samples give."""
    folder = documents or evalset.folder / DOCUMENTS
    if documents is not None or folder.is_dir():
        return {passage.id: passage.text for passage in read_documents(folder)}
    return {passage.id: passage.text for sample in samples for passage in sample.contexts}


def _scored(evalset: Evalset, bench: Workbench, ids: set[str]) -> Iterator[Scored]:
    """Yield the scores of every finished run, oldest first: of scorers of pass or fail, or of all where none is."""
    for entry in catalogue(bench.home):
        if entry.state != "finished" or entry.evalset != evalset.name:
            continue
        run = Finished.read(bench.home.run(entry.id))
        for info in [one for one in run.run.scorers if one.binary] or run.run.scorers:
            values = {
                name: _share(one.mean, info)
                for name, one in sample_scores([run], info.name).items()
                if name in ids and one.mean is not None
            }
            print_of_model = run.run.spec.fingerprints.get("model", "")[:6]
            yield Scored(run.run.id, f"{entry.model} {print_of_model}".strip(), info.name, values)


def _share(value: float, info: ScorerInfo) -> float:
    """Return a score as a share of its scorer's range, 1 being best; unbounded ones are cut to 0 and 1."""
    low, high = info.low if info.low is not None else 0.0, info.high if info.high is not None else 1.0
    share = min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.0
    return share if info.better == "higher" else 1 - share


def _margins(evalset: Evalset) -> list[Margin]:
    """Return the margins of the policy, each as a share of its scorer's range."""
    policy = evalset.spec.policy
    infos = {scorer.info().name: scorer.info() for scorer in evalset.scorers}
    if policy is None:
        return []
    return [
        Margin(name, rule.margin / _width(infos.get(name)), policy.alpha)
        for name, rule in policy.metrics.items()
        if rule.margin is not None
    ]


def _width(info: ScorerInfo | None) -> float:
    return 1.0 if info is None or info.low is None or info.high is None else info.high - info.low


def _sides(rows: dict[Use, list[Sample]]) -> Finding:
    found = overlaps({side: [(s.id, s.question()) for s in some] for side, some in rows.items()})
    examples = [
        Example(
            id=one.first.id,
            text=f"on {one.first.side}, and '{one.second.id}' on {one.second.side} ({one.likeness:.2f})",
        )
        for one in found
    ]
    n = sum(map(len, rows.values()))
    told = f"{len(found)} pairs of samples on two sides ask the same"
    return finding("sides", n, examples, told, "give both one `group`, which keeps them on one side, or drop one")


def _leakage(bench: Workbench, evalset: Evalset, gate: Sequence[Sample]) -> Finding:
    """Find what of the gate side was learnt from; the evalset's own train side is what `sides` looks at."""
    own = {f"{evalset.name}-train"}
    sets = [one for one in learnt_sets(bench.home) if one.path.parent.name not in own]
    if not sets or not gate:
        told = "there is no train set in this home" if gate else "no sample is on the side 'gate'"
        return unknown("leakage", told, "")
    known: dict[str, str] = {}
    for hit in learnt_before(gate, sets):
        known.setdefault(hit.leak.guarded.id, f"'{hit.leak.learnt.id}' of {hit.gate} ({hit.leak.how})")
    examples = [Example(id=name, text=text) for name, text in known.items()]
    told = f"{len(examples)} of {len(gate)} gate samples are known to rows of {len(sets)} train sets"
    do = "build the train sets again, which the firewall keeps clean, and train again; or retire the samples"
    return finding("leakage", len(gate), examples, told, do)


def _ambiguity(bench: Workbench, ids: set[str]) -> Finding:
    """Find samples of which people, asked twice, said different things."""
    looked: set[str] = set()
    concerned: dict[str, str] = {}
    for snapshot in _snapshots(bench):
        choices = {
            question.name
            for question in snapshot.manifest.form.questions
            if isinstance(question, LabelQuestion | MultiLabelQuestion | RatingQuestion)
        }
        said: dict[tuple[str, str], list[Label]] = defaultdict(list)
        for label in snapshot.labels():
            if label.record_id in ids and label.question in choices:
                said[label.record_id, label.question].append(label)
        for (record, question), labels in said.items():
            if len({label.annotator for label in labels}) > 1:
                looked.add(record)
                if disagree(labels):
                    values = ", ".join(f"{label.annotator} {label.value}" for label in labels)
                    concerned.setdefault(record, f"{question}: {values} ({snapshot.manifest.name})")
    if not looked:
        do = "have some answered by two: workbench label push NAME --evalset EVALSET --overlap 2, then pull"
        return unknown("ambiguity", "no sample was labelled by two people", do)
    examples = [Example(id=name, text=text) for name, text in sorted(concerned.items())]
    told = f"of {len(looked)} samples that two people labelled, they disagree on {len(examples)}"
    return finding("ambiguity", len(looked), examples, told, "adjudicate them, and mend the question or the guideline")


def _snapshots(bench: Workbench) -> Iterator[Snapshot]:
    """Yield what was pulled last of every dataset; a damaged one is told where it is used."""
    for latest in sorted((bench.home.root / "records").glob("*/latest.json")):
        try:
            yield latest_snapshot(latest.parent)
        except DataError:
            continue
