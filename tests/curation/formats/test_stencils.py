"""A row that is read by a stencil comes out as every row does, whatever its texts and the columns beside them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.curation.formats.format import Dropped, Fields, Unfit
from workbench.curation.formats.reading import Recipe, understood
from workbench.curation.formats.stencils import Quick, Stencils, contest_texts
from workbench.curation.formats.table import BY_NAME
from workbench.nouns import canonical_bytes

TEXT = st.text(max_size=6) | st.sampled_from(["Hi", "Hi", "no\n", '"', "\\", " ", "\u200b", "\ud800", "5", '"0."'])
ANY = TEXT | st.sampled_from([None, 1, True, 1.5, [], {}, ["Hi"]])
SPEAKER = st.sampled_from(["user", "assistant", "system", "human", "gpt", "developer", "judge"]) | ANY
TURN = st.fixed_dictionaries({"role": SPEAKER, "content": TEXT}) | st.fixed_dictionaries(
    {"role": SPEAKER, "content": ANY}, optional={"name": ANY, "weight": ANY}
)
SAID = st.fixed_dictionaries({"from": SPEAKER, "value": TEXT}) | st.dictionaries(TEXT, ANY, max_size=3)
BESIDES = {"id": TEXT | ANY, "source": ANY, "tags.source": TEXT, "score": ANY, "group": TEXT, "tags": ANY, "label": ANY,
           "system": TEXT, "tools": ANY, "x" * 201: TEXT, "long": st.just("y" * 201)}  # fmt: skip


def rows(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Fields]:
    return st.fixed_dictionaries(columns) | st.fixed_dictionaries(columns, optional=BESIDES)


ROWS = {
    "messages": rows(messages=st.lists(TURN, max_size=4) | ANY),
    "sharegpt": rows(conversations=st.lists(SAID, max_size=4) | ANY),
    "alpaca": rows(instruction=TEXT, output=TEXT, input=st.sampled_from(["", "", "x"]) | ANY),
    "prompt-completion": rows(prompt=TEXT | ANY, completion=TEXT | ANY),
    "preference": rows(prompt=TEXT | ANY, chosen=TEXT | ANY, rejected=TEXT),
}


def as_every_row(row: Fields, recipe: Recipe) -> list[Quick] | None:
    notes: Counter[str] = Counter()
    try:
        found = understood(row, recipe, notes)
    except (Unfit, Dropped, ValueError):
        return None
    assert not notes
    return [Quick(o.fields["id"], o.family, canonical_bytes(o.fields), contest_texts(o.fields)) for o in found]


@pytest.mark.parametrize("name", ROWS)
@settings(max_examples=120)
@given(data=st.data(), new_ids=st.booleans(), synthetic=st.booleans())
def test_what_a_stencil_reads_is_what_every_row_becomes(
    name: str, data: st.DataObject, new_ids: bool, synthetic: bool
) -> None:
    recipe = Recipe(BY_NAME[name], new_ids, synthetic)
    stencils = Stencils(recipe)
    for row in data.draw(st.lists(ROWS[name], min_size=1, max_size=4)):
        if (quick := stencils.read(row)) is not None:
            assert [quick] == as_every_row(row, recipe)


def chat(asked: str, **besides: Any) -> Fields:
    said = [{"role": "user", "content": asked}, {"role": "assistant", "content": "Yes."}]
    return {"messages": said, **besides}


USUAL: dict[str, list[Fields]] = {
    "messages": [chat("Hi"), chat("Ho", id="a"), chat("He", id="b", source="log", score=0.5, kept=True)],
    "sharegpt": [{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes"}]}],
    "alpaca": [{"instruction": "Add.", "input": "", "output": "Done."}, {"instruction": "Add.", "output": "Done."}],
    "prompt-completion": [{"prompt": "Hi", "completion": "Yes"}],
    "preference": [{"prompt": "Hi", "chosen": "Yes", "rejected": "No", "source": "x"}],
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_rows_are_read_by_stencils(name: str) -> None:
    recipe = Recipe(BY_NAME[name])
    stencils = Stencils(recipe)
    for row in USUAL[name]:
        assert [stencils.read(row)] == as_every_row(row, recipe)


UNUSUAL: dict[str, list[Fields]] = {
    "messages": [chat(" "), chat("Hi", group="g"), chat("Hi", id=""), chat("Hi", label=True), chat("Hi", source=None),
                 {"messages": [{"role": "user", "content": "Hi", "name": "n"}]}],
    "preference": [{"prompt": "Hi", "chosen": "Yes", "rejected": "Yes"}, {"chosen": "Ah no", "rejected": "Ah yes"}],
    "alpaca": [{"instruction": "Add.", "input": "1 1", "output": "2"}],
    "questions": [{"question": "Where?", "answers": ["Here"]}],
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSUAL)
def test_other_rows_are_not(name: str) -> None:
    stencils = Stencils(Recipe(BY_NAME[name]))
    assert [stencils.read(row) for row in UNUSUAL[name]] == [None] * len(UNUSUAL[name])
