"""Made-up sets: clean ones as labelling would give them, and the same with one flaw planted."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import lru_cache

from workbench.curation.pairs.columns import columns_of
from workbench.curation.pairs.findings import ScoreCard
from workbench.curation.pairs.flaw import Looking
from workbench.curation.pairs.linting import lint
from workbench.datasets import Conversation, Lineage, PreferencePair, Side, Votes
from workbench.records import Turn

COMMON = (
    "the", "and", "of", "to", "is", "that", "it", "for", "with", "was", "are", "this",
    "be", "as", "have", "from", "not", "by", "you", "which", "can", "your", "or", "they",
    "use", "when", "then", "also", "if", "each", "more", "one", "two", "first", "next", "after",
    "before", "about", "into", "over", "most", "only", "well", "part", "time", "way", "day", "may",
    "should",
)  # fmt: skip
MODELS = ("alder-7b", "birch-8b", "cedar-3b")
SOURCES = ("review-1", "review-2", "run-7")
PEOPLE = ("ada", "bob", "cem", "dee")


def clean_pairs(seed: int, n: int) -> list[PreferencePair]:
    """Return pairs as careful people would give them: better by content, not by length, layout, writer or place."""
    return list(_clean_pairs(seed, n))


@lru_cache(8)
def _clean_pairs(seed: int, n: int) -> tuple[PreferencePair, ...]:
    draw = random.Random(seed)
    pairs: list[PreferencePair] = []
    topic = 0
    while len(pairs) < n:
        topic += 1
        words = _topic(draw)
        prompt = question(draw, words)
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            pairs.append(_pair(draw, len(pairs), f"family-{seed}-{topic}", prompt, words))
    return tuple(pairs[:n])


def clean_conversations(seed: int, n: int) -> list[Conversation]:
    """Return conversations made of the chosen sides of clean pairs, one a family."""
    found = {pair.group: conversation(pair) for pair in clean_pairs(seed, 2 * n)}
    return list(found.values())[:n]


def conversation(pair: PreferencePair) -> Conversation:
    return Conversation(
        id=pair.id, group=pair.group, messages=(*pair.prompt, *pair.chosen.messages), lineage=pair.lineage
    )


def card_of(pairs: Sequence[PreferencePair] | Sequence[Conversation], looking: Looking | None = None) -> ScoreCard:
    kind = "pairs" if isinstance(pairs[0], PreferencePair) else "conversations"
    return lint(columns_of(pairs, kind), looking or Looking(leaks={}), "made")


def kinds(card: ScoreCard) -> set[str]:
    return {finding.kind for finding in card.findings}


# ---------------------------------------------------------------- texts


def _topic(draw: random.Random) -> list[str]:
    """Return invented words of one topic: syllables, so that two topics hardly share one."""
    parts = ("ka", "ro", "min", "tel", "su", "ven", "dra", "pol", "ish", "gar", "lum", "zet", "or", "bix", "nau")
    return ["".join(draw.choice(parts) for _ in range(draw.randint(3, 4))) for _ in range(12)]


def sentence(draw: random.Random, words: Sequence[str], n: int | None = None) -> str:
    said = [draw.choice(words) if draw.random() < 0.3 else draw.choice(COMMON) for _ in range(n or draw.randint(6, 14))]
    return " ".join(said).capitalize() + "."


def question(draw: random.Random, words: Sequence[str]) -> str:
    return f"What should you know about the {words[0]} of {words[1]}, and how is it used with {words[2]}?"


def answer(draw: random.Random, words: Sequence[str]) -> str:
    """Return an answer of one to seven sentences about the topic; a third are lists in Markdown."""
    n = draw.choice((1, 2, 2, 3, 4, 5, 7))
    said = [f"The {words[draw.randint(0, 3)]} is {sentence(draw, words).lower()}"]
    said += [sentence(draw, words) for _ in range(n - 1)]
    if draw.random() < 0.33:
        return said[0] + "\n" + "\n".join(f"- {one}" for one in said[1:])
    return " ".join(said)


def _pair(draw: random.Random, at: int, group: str, prompt: str, words: Sequence[str]) -> PreferencePair:
    models = draw.choices(MODELS, k=2)
    votes = [draw.random() > 0.04 for _ in range(3)]
    n_for = max(sum(votes), 3 - sum(votes))
    return PreferencePair(
        id=f"p{at}",
        group=group,
        prompt=(Turn(role="user", content=prompt),),
        chosen=side(answer(draw, words), models[0]),
        rejected=side(answer(draw, words), models[1]),
        rule="pick",
        votes=Votes(chosen=n_for, rejected=3 - n_for),
        seen_first=draw.random() < 0.5,
        lineage=Lineage(sources=(f"{draw.choice(SOURCES)}/r{at}",), annotators=tuple(draw.sample(PEOPLE, 3))),
    )


def side(text: str, model: str = "") -> Side:
    return Side(messages=(Turn(role="assistant", content=text),), model=model)


# ---------------------------------------------------------------- flaws

Plant = Callable[[list[PreferencePair], random.Random], set[str]]
"""Changes a clean set in place and returns the ids of the rows that have the flaw; empty: no row has it by itself."""


def change(pairs: list[PreferencePair], at: int, **told: object) -> str:
    pairs[at] = pairs[at].model_copy(update=told)
    return pairs[at].id


def some(pairs: Sequence[PreferencePair], draw: random.Random, share: float = 0.04, least: int = 2) -> list[int]:
    return draw.sample(range(len(pairs)), max(least, round(share * len(pairs))))


def text_of(pair: PreferencePair, which: str) -> str:
    return getattr(pair, which).text()


def with_text(pairs: list[PreferencePair], at: int, which: str, text: str) -> str:
    return change(pairs, at, **{which: side(text, getattr(pairs[at], which).model)})


def each(rewrite: Callable[[PreferencePair, random.Random], dict[str, str]]) -> Plant:
    """Return a plant that rewrites the texts of some rows."""

    def plant(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
        found = set()
        for at in some(pairs, draw):
            for which, text in rewrite(pairs[at], draw).items():
                found.add(with_text(pairs, at, which, text))
        return found

    return plant


def opposite(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
    found = set()
    for number, at in enumerate(some(pairs, draw)):
        pair = pairs[at]
        twin = pair.model_copy(update={"id": f"twin{number}", "chosen": pair.rejected, "rejected": pair.chosen})
        pairs.append(twin)
        found |= {pair.id, twin.id}
    return found


def circle(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
    pair = draw.choice(pairs)
    third = side(answer(draw, _topic(draw)) + " " + pair.chosen.text(), "alder-7b")
    pairs.append(pair.model_copy(update={"id": "circle1", "chosen": pair.rejected, "rejected": third}))
    pairs.append(pair.model_copy(update={"id": "circle2", "chosen": third, "rejected": pair.chosen}))
    return {pair.id, "circle1", "circle2"}


def twice(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
    found = set()
    for number, at in enumerate(some(pairs, draw)):
        text = pairs[at].chosen.text().replace(" ", "  ", 1)
        pairs.append(pairs[at].model_copy(update={"id": f"z-again{number}", "chosen": side(text)}))
        found.add(f"z-again{number}")
    return found


def slipped(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
    """Give a rejected side to another family's prompt, as when two columns of a file are sorted apart."""
    places = some(pairs, draw, 0.06, 4)
    texts = [text_of(pairs[at], "rejected") for at in places]
    found = set()
    for at, other, text in zip(places, places[1:] + places[:1], texts[1:] + texts[:1], strict=True):
        if pairs[at].group != pairs[other].group:
            found.add(with_text(pairs, at, "rejected", text))
    return found


def all_rows(**made: Callable[[PreferencePair, random.Random], object]) -> Plant:
    """Return a plant that changes most rows, so that no row alone has the flaw."""

    def plant(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
        for at, pair in enumerate(pairs):
            change(pairs, at, **{name: make(pair, draw) for name, make in made.items()})
        return set()

    return plant


def longer(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
    for at, pair in enumerate(pairs):
        short, long = sorted((pair.chosen, pair.rejected), key=lambda s: len(s.text()))
        if draw.random() < 0.92:
            change(pairs, at, chosen=long, rejected=short)
    return set()


def marked(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
    for at, pair in enumerate(pairs):
        if draw.random() < 0.7:
            with_text(pairs, at, "chosen", "**In short**: " + pair.chosen.text())
    return set()


def one_prompt(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
    words = _topic(draw)
    extra = [_pair(draw, 100_000 + at, "crowd", question(draw, words), words) for at in range(max(15, len(pairs) // 4))]
    pairs += extra
    return {pair.id for pair in extra}


def same_answer(pairs: list[PreferencePair], draw: random.Random) -> set[str]:
    text = "It depends on what you want to do, so ask somebody who knows the matter well."
    return {with_text(pairs, at, "chosen", text) for at in some(pairs, draw, 0.25)}


def _open(pair: PreferencePair, draw: random.Random) -> dict[str, str]:
    return {"chosen": pair.chosen.text().rstrip(".") + " and also the"}


GERMAN = (
    "Das ist nicht so, wie die Leute es von dem Gerät erwarten, und auch mit der Anleitung wird es nicht besser sein."
)

PLANTED: dict[str, Plant] = {
    "empty": each(lambda p, d: {d.choice(("chosen", "rejected")): d.choice(("", "  \n", "…", "..."))}),
    "identical_sides": each(lambda p, d: {"rejected": "  " + p.chosen.text().upper()}),
    "contradiction": opposite,
    "circle": circle,
    "prompt_inside": each(lambda p, d: {"chosen": p.prompt[-1].content + "\n\n" + p.chosen.text() + " " + GERMAN * 2}),
    "other_prompt": slipped,
    "prompt_end": lambda pairs, draw: {
        change(pairs, at, prompt=(*pairs[at].prompt, Turn(role="assistant", content="Well, let me think about that.")))
        for at in some(pairs, draw)
    },
    "template_tokens": each(
        lambda p, d: {"rejected": p.rejected.text() + d.choice(("<|im_end|>", "</s>", " [/INST]"))}
    ),
    "near_identical_sides": each(lambda p, d: {"chosen": (t := " ".join([p.chosen.text()] + [
        sentence(d, _topic(d)) for _ in range(6)])), "rejected": t + " Indeed so."}),
    "duplicate": twice,
    "refusal_chosen": each(lambda p, d: {"chosen": d.choice((
        "I'm sorry, but I can't help with that request.", "As an AI language model, I have no view on this matter."))}),
    "truncated_chosen": each(_open),
    "looping_chosen": each(lambda p, d: {"chosen": "The same thing happens again here. " * 12}),
    "copied_prompt": each(lambda p, d: {"chosen": p.prompt[-1].content.rstrip("?") + "."}),
    "other_language": each(lambda p, d: {"chosen": GERMAN}),
    "garbled": each(lambda p, d: {"chosen": p.chosen.text().replace(" ", " caf\u00c3\u00a9 ", 1)}),
    "too_long": each(lambda p, d: {"rejected": " ".join(sentence(d, COMMON) for _ in range(400))}),
    "leak": lambda pairs, draw: {pairs[at].id for at in some(pairs, draw)},
    "length_skew": longer,
    "markup_skew": marked,
    "single_model": all_rows(
        chosen=lambda p, d: side(p.chosen.text(), "alder-7b"), rejected=lambda p, d: side(p.rejected.text(), "birch-8b")
    ),
    "position_bias": all_rows(seen_first=lambda p, d: d.random() < 0.88),
    "rater_conflict": all_rows(
        votes=lambda p, d: Votes(chosen=3, rejected=2) if d.random() < 0.35 else Votes(chosen=5, rejected=0)
    ),
    "label_noise": all_rows(votes=lambda p, d: Votes(chosen=2, rejected=1 if d.random() < 0.75 else 0)),
    "prompt_dominance": one_prompt,
    "one_answer": same_answer,
    "source_imbalance": all_rows(
        lineage=lambda p, d: Lineage(sources=("other/1" if p.id in ("p1", "p2") else f"big/{p.id}",))
    ),
}  # fmt: skip
"""By kind of flaw, how it is planted."""
