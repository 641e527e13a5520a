"""Labels → judgements and opinions, by the names of their questions, whichever template asked them.

| question | says |
|---|---|
| `preferred` | `"1"` or `"2"` is better, or `tie`; `strength` slightly or clearly is a margin of 1 or 2 |
| `ranking` | every two outputs of different rank; the difference of ranks is the margin |
| `rating` | how good the output is |
| `thumb`, `verdict`, `outcome` | whether the output is good; `edited` and `corrected` hold what it should have been |
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

from workbench.curation.pairs.judgements import Better, Judgement, Opinion, Prompt, Said, Unused, answer_of
from workbench.curation.pairs.policy import PairPolicy
from workbench.datasets import PairRule, Side
from workbench.records import Label, Ranked, Record, Turn

STRENGTH = {"slightly": 1.0, "clearly": 2.0}
GOOD = frozenset({"pass", "keep", "up", "ok", "good"})
BAD = frozenset({"fail", "down", "failure", "bad"})
EDITED = frozenset({"edited", "mend"})
VERDICTS = ("verdict", "thumb", "outcome")
EDITS = ("edited", "corrected", "answer")
ADJUDICATOR = "adjudicator"

Answers = dict[str, Label]
"""One annotator's labels of one record, by question."""


@dataclass(frozen=True)
class Labelled:
    """Records with what was said of them."""

    name: str
    """The dataset, as lineage names it."""
    records: Sequence[Record]
    labels: Sequence[Label]
    decided: Sequence[Label] = ()
    """What adjudicators decided."""
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Lowest and highest of each rating question."""
    seen: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """By record, which output stood at which place; empty: nobody knows."""
    by_model: bool = False
    """Whether models answered, as suggestions do."""
    certain: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """How sure a model is, by record and question."""


def judged(labelled: Labelled, policy: PairPolicy) -> Iterator[Judgement | Opinion | Unused]:
    """Yield what the labels say: of two outputs, or of one. Labels of other guidelines are unused."""
    records = {record.id: record for record in labelled.records}
    for answers, decided in [(labelled.labels, False), (labelled.decided, True)]:
        for (record_id, annotator), given in _by_person(answers).items():
            record = records[record_id]
            first = next(iter(given.values()))
            said = Said(
                sources_of(labelled.name, record), "pick", annotator, first.guideline, labelled.by_model, decided,
                first.at.isoformat(),
            )  # fmt: skip
            yield from _of_record(record, given, said, labelled, policy)


def sources_of(name: str, record: Record) -> tuple[str, ...]:
    """Return what a record is known by in lineage: itself, and what it was pushed from, which the firewall knows."""
    where = record.origin.removeprefix("run:").removeprefix("evalset:")
    return (f"{name}/{record.id}", *([f"{where}/{record.id}"] if where != record.origin else []))


def guidelines(labelled: Sequence[Labelled]) -> list[str]:
    """Return the guideline versions of all labels."""
    return sorted({label.guideline for one in labelled for label in (*one.labels, *one.decided)})


def _by_person(labels: Sequence[Label]) -> dict[tuple[str, str], Answers]:
    found: dict[tuple[str, str], Answers] = defaultdict(dict)
    for label in labels:
        found[label.record_id, label.annotator][label.question] = label
    return found


def _of_record(
    record: Record, given: Answers, said: Said, labelled: Labelled, policy: PairPolicy
) -> Iterator[Judgement | Opinion | Unused]:
    source = said.sources[0]
    if policy.guideline and said.guideline != policy.guideline:
        yield Unused("other_guideline", source)
        return
    unsure = [labelled.certain[record.id, q] for q in given if (record.id, q) in labelled.certain]
    if labelled.by_model and unsure and min(unsure) < policy.certainty:
        yield Unused("unsure", source)
        return
    turns = tuple(Turn(role=m.role, content=m.content) for m in record.messages)
    prompt = Prompt(turns, record.group, {k: v for k, v in record.tags.items() if k not in ("model", "models")})
    if "preferred" in given or "ranking" in given:
        yield from _compared(record, given, said, prompt, labelled, policy)
    else:
        yield from _single(record, given, said, prompt, labelled)


# ---------------------------------------------------------------- several outputs


def _compared(
    record: Record, given: Answers, said: Said, prompt: Prompt, labelled: Labelled, policy: PairPolicy
) -> Iterator[Judgement]:
    outputs = [answer_of(text, model) for text, model in zip(record.outputs, models_of(record), strict=True)]
    order = labelled.seen.get(record.id, ())
    strength = STRENGTH.get(str(given["strength"].value)) if "strength" in given else None
    if "preferred" in given:
        better: Better = {"1": "one", "2": "other"}.get(str(given["preferred"].value), "tie")  # type: ignore[assignment]
        margin = None if better == "tie" else strength
        yield Judgement(prompt, outputs[0], outputs[1], better, _by(said, "pick"), margin, _first(order, 0, 1))
        return
    value = given["ranking"].value
    ranks = [(r.rank, int(r.value) - 1) for r in value if isinstance(r, Ranked)] if isinstance(value, tuple) else []
    for (rank_a, a), (rank_b, b) in _wanted(sorted(ranks), policy):
        better = "tie" if rank_a == rank_b else "one"
        margin = float(rank_b - rank_a) or None
        yield Judgement(prompt, outputs[a], outputs[b], better, _by(said, "ranking"), margin, _first(order, a, b))


def _wanted(ranks: list[tuple[int, int]], policy: PairPolicy) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield the two places of a ranking that make a pair, the better one first."""
    if policy.rankings == "ends":
        yield from [(ranks[0], ranks[-1])] if len(ranks) > 1 else []
        return
    steps = sorted({rank for rank, _ in ranks})
    for a, b in combinations(ranks, 2):
        if policy.rankings == "all" or steps.index(b[0]) - steps.index(a[0]) <= 1:
            yield a, b


def _first(order: Sequence[int], a: int, b: int) -> Literal["one", "other"] | None:
    """Return which of two outputs stood before the other on the page."""
    if not order:
        return None
    places = list(order)
    return "one" if places.index(a) < places.index(b) else "other"


# ---------------------------------------------------------------- one output


def _single(
    record: Record, given: Answers, said: Said, prompt: Prompt, labelled: Labelled
) -> Iterator[Opinion | Unused]:
    source = said.sources[0]
    model = next(iter(models_of(record)), "")
    text = record.outputs[0] if record.outputs else record.reference
    edit = next((str(given[q].value) for q in EDITS if q in given and str(given[q].value).strip()), "")
    if "rating" in given and isinstance(value := given["rating"].value, int | float) and text is not None:
        low, high = labelled.scales.get("rating", (1.0, 5.0))
        yield Opinion(prompt, answer_of(text, model), _by(said, "rating"), None, float(value), low, high)
        return
    word = next((str(given[q].value) for q in VERDICTS if q in given), "")
    if word in EDITED and not edit:
        yield Unused("not_a_correction", source)
    elif word in EDITED or (word in BAD and edit):
        yield Opinion(prompt, answer_of(text or "", model), _by(said, "edit"), "edited", edit=edit)
    elif word in GOOD | BAD and text is not None:
        good = word in GOOD
        yield Opinion(prompt, answer_of(text, model), _by(said, "thumbs"), "good" if good else "bad")
    else:
        yield Unused("rejected" if word in ("reject", "drop", "defect") else "unclear", source)


def models_of(record: Record) -> list[str]:
    """Return who wrote each output: the tag `models`, by comma, else `model`; empty: nobody says."""
    named = [name.strip() for name in record.tags.get("models", "").split(",") if name.strip()]
    if len(named) != len(record.outputs):
        named = [record.tags.get("model", "")] * max(1, len(record.outputs))
    return named


def _by(said: Said, rule: PairRule) -> Said:
    return replace(said, rule="feedback" if said.by_model else rule)


def written_by_a_person(text: str) -> Side:
    """Return a correction."""
    return answer_of(text, "human")
