"""Flaws planted in a set of preference pairs, a kind a row, or all over a set: does the lint see them?"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from workbench.datasets import PreferencePair, Side, Votes
from workbench.records import Turn

Planted = dict[str, list[str]]
"""Ids of the rows that have a flaw, by its kind; empty where no row has it by itself."""
FRENCH = "Ce n'est pas dans les documents que nous avons reçus, et il faut donc le demander aux personnes du service."
OPEN = "To change it, first open the settings of the team, then choose the plan that you want to have and also the"
LOOP = "The same thing happens again here. " * 12
LONG = "And then there is one more thing to be said about it, which is as long as the one before. " * 260
REFUSAL = "I'm sorry, but I can't help with that request."
MORE = (
    "Whoever may not see the settings should ask an owner, because members without that right are shown nothing there."
)
LIKE = "The plan has a price, a number of people, a time of notice and a day on which it is renewed, as the page says."


def plant_rows(pairs: Sequence[PreferencePair], leak: Sequence[Turn]) -> tuple[list[PreferencePair], Planted]:
    """Return the pairs and, for each kind of flaw, a copy of one of them that has it; `leak` is a gate set's prompt.

    `pairs` are three at least. Copies have families of their own.
    """
    rows = list(pairs)
    planted: Planted = {}
    for number, (kind, change) in enumerate(ROWS.items()):
        # Not as a correction: its sides may well be nearly identical.
        pair = pairs[number % len(pairs)].model_copy(update={"rule": "pick"})
        rows.append(change(pair).model_copy(update={"id": f"planted-{kind}", "group": f"planted {kind}"}))
        planted[kind] = [rows[-1].id]
    first, second, third = pairs[:3]
    leaked = first.model_copy(update={"id": "planted-leak", "group": "planted leak", "prompt": tuple(leak)})
    again = second.model_copy(update={"id": "z-planted-duplicate", "chosen": _spaced(second.chosen)})
    twin = first.model_copy(update={"id": "planted-contradiction", "chosen": first.rejected, "rejected": first.chosen})
    best = _side(LIKE)
    circle = [
        third.model_copy(update={"id": "planted-circle-1", "chosen": third.rejected, "rejected": best}),
        third.model_copy(update={"id": "planted-circle-2", "chosen": best, "rejected": third.chosen}),
    ]
    rows += [leaked, again, twin, *circle]
    planted |= {"leak": [leaked.id], "duplicate": [again.id], "contradiction": [first.id, twin.id]}
    return rows, planted | {"circle": [third.id, *(pair.id for pair in circle)]}


def plant_skews(pairs: Sequence[PreferencePair], seed: int = 0) -> tuple[list[PreferencePair], Planted]:
    """Return the pairs as a set in which length, layout and place tell which side was chosen, and people disagree.

    Fewer than `SKEW_ROWS` pairs show no skew for certain.
    """
    draw = random.Random(seed)
    rows = [_skewed(pair, draw.random()) for pair in pairs]
    return rows, {kind: [] for kind in SKEWS}


def _skewed(pair: PreferencePair, lot: float) -> PreferencePair:
    shorter, longer = sorted((pair.chosen.text(), pair.rejected.text()), key=len)
    chosen = _side(f"**In short**: {longer}\n\n- so says the page")
    told = {"chosen": chosen, "rejected": _side(shorter), "seen_first": lot < 0.95}
    return pair.model_copy(update={**told, "rule": "pick", "votes": Votes(chosen=3, rejected=2 if lot < 0.75 else 0)})


SKEW_ROWS = 40
SKEWS = ("length_skew", "markup_skew", "position_bias", "rater_conflict", "label_noise")
"""What `plant_skews` plants."""


def _turn(text: str) -> tuple[Turn, ...]:
    return (Turn(role="assistant", content=text),)


def _side(text: str) -> Side:
    return Side(messages=_turn(text))


def _spaced(side: Side) -> Side:
    return _side(f"  {side.text()} ")


def _asked(pair: PreferencePair) -> str:
    return pair.prompt[-1].content


def _chosen(write: Callable[[PreferencePair], str]) -> Callable[[PreferencePair], PreferencePair]:
    return lambda pair: pair.model_copy(update={"chosen": _side(write(pair))})


def _rejected(write: Callable[[PreferencePair], str]) -> Callable[[PreferencePair], PreferencePair]:
    return lambda pair: pair.model_copy(update={"rejected": _side(write(pair))})


def _near(pair: PreferencePair) -> PreferencePair:
    return pair.model_copy(
        update={"chosen": _side(f"{LIKE} {LIKE.lower()}"), "rejected": _side(f"{LIKE} {LIKE.lower()} So.")}
    )


def _answered(pair: PreferencePair) -> PreferencePair:
    return pair.model_copy(update={"prompt": (*pair.prompt, *_turn("Well, let me think about that."))})


ROWS: dict[str, Callable[[PreferencePair], PreferencePair]] = {
    "empty": _chosen(lambda pair: "…"),
    "identical_sides": _rejected(lambda pair: f"  {pair.chosen.text().upper()}"),
    "prompt_inside": _chosen(lambda pair: f"{_asked(pair)}\n\n{LIKE} {OPEN} page. {MORE}"),
    "prompt_end": _answered,
    "template_tokens": _rejected(lambda pair: f"{pair.rejected.text()}<|im_end|>"),
    "near_identical_sides": _near,
    "refusal_chosen": _chosen(lambda pair: REFUSAL),
    "truncated_chosen": _chosen(lambda pair: OPEN),
    "looping_chosen": _chosen(lambda pair: LOOP),
    "copied_prompt": _chosen(_asked),
    "other_language": _chosen(lambda pair: FRENCH),
    "garbled": _chosen(lambda pair: f"In the caf\u00c3\u00a9 and the r\u00c3\u00a9sum\u00c3\u00a9, {LIKE}"),
    "too_long": _rejected(lambda pair: LONG),
}
"""Kinds that one row has by itself, and how a pair comes to have it."""
