"""Which tokens are learnt, token by token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.project import MARKED, UNMARKED, write_project
from workbench.adapters.transformers_tokenizer import load_tokenizer
from workbench.datasets import Conversation, PreferencePair, Side
from workbench.errors import ConfigError, DataError
from workbench.records import ToolCall, Turn
from workbench.training.rows import IGNORED, How, Learnt, prepare_conversations, prepare_pairs
from workbench.training.template import check_template

WITH_TOOLS = (
    "{% if tools %}system {% for t in tools %}{{ t['function']['name'] }} {% endfor %}{% endif %}"
    "{% for m in messages %}{{ m['role'] if m['role'] != 'tool' else 'user' }} "
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}"
    "{% for c in m['tool_calls'] or [] %} {{ c['function']['name'] }} "
    "{{ c['function']['arguments']['of'] }}{% endfor %}"
    " </s>{% endgeneration %} {% else %}{{ m['content'] }} {% endif %}{% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)
TOOLS = json.dumps([{"type": "function", "function": {"name": "w9", "parameters": {}}}])
CHAT = (
    Turn(role="system", content="w1 w2"),
    Turn(role="user", content="w3"),
    Turn(role="assistant", content="w4", tool_calls=(ToolCall(id="a", name="w9", arguments='{"of": "w5"}'),)),
    Turn(role="tool", content="w6", tool_call_id="a"),
    Turn(role="assistant", content="w7 w8"),
    Turn(role="user", content="w10"),
    Turn(role="assistant", content="w11"),
)


def how(folder: Path, template: str, max_length: int = 64, drop: bool = False) -> How:
    base = write_project(folder, template).path("base")
    tokenizer = load_tokenizer(base)
    return How(tokenizer, check_template(tokenizer, None, str(base)), max_length, drop)


def told(row: Learnt, way: How) -> list[tuple[str, bool]]:
    """Return each token as a word, and whether it is learnt."""
    texts = way.tokenizer.convert_ids_to_tokens(row.ids)  # type: ignore[attr-defined]
    for token, label in zip(row.ids, row.labels, strict=True):
        assert label in (token, IGNORED)
    return [(text, label != IGNORED) for text, label in zip(texts, row.labels, strict=True)]


EXPECTED = (
    "system w9 system w1 w2 user w3 assistant [w4 w9 w5 </s>] user w6 assistant [w7 w8 </s>] "
    "user w10 assistant [w11 </s>]"
)


def expected(text: str) -> list[tuple[str, bool]]:
    """Read a text in which what is learnt stands in brackets."""
    found, learnt = [], False
    for word in text.split():
        learnt = learnt or word.startswith("[")
        found.append((word.strip("[]"), learnt))
        learnt = learnt and not word.endswith("]")
    return found


@pytest.mark.parametrize("marked", [True, False], ids=["marks", "no marks"])
def test_of_a_chat_with_tools_exactly_the_assistants_turns_are_learnt(tmp_path: Path, marked: bool) -> None:
    template = WITH_TOOLS if marked else WITH_TOOLS.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    way = how(tmp_path, template)
    assert way.template.marked is marked
    made = prepare_conversations([Conversation(id="a", messages=CHAT, tools=TOOLS)], way, "chats")
    assert told(made.conversations[0], way) == expected(EXPECTED)


@pytest.mark.parametrize("template", [MARKED, UNMARKED], ids=["marks", "no marks"])
def test_a_turn_that_is_not_learnt_is_left_out_of_the_loss(tmp_path: Path, template: str) -> None:
    way = how(tmp_path, template)
    turns = (
        Turn(role="user", content="w1"),
        Turn(role="assistant", content="w2", learnt=False),
        Turn(role="user", content="w3"),
        Turn(role="assistant", content="w4"),
    )
    made = prepare_conversations([Conversation(id="a", messages=turns)], way, "chats")
    assert told(made.conversations[0], way) == expected("user w1 assistant w2 </s> user w3 assistant [w4 </s>]")


def test_a_template_without_marks_that_changes_earlier_turns_is_refused_with_the_reason(tmp_path: Path) -> None:
    forgetful = (
        "{% for m in messages %}{{ m['role'] }} {% if m['role'] == 'assistant' and not loop.last %}w0 </s> "
        "{% else %}{{ m['content'] }} </s> {% endif %}{% endfor %}{% if add_generation_prompt %}assistant {% endif %}"
    )
    chat = Conversation(id="thoughts", messages=(CHAT[1], Turn(role="assistant", content="w1"), *CHAT[5:]))
    with pytest.raises(DataError, match=r"thoughts: its chat template has no generation marks.*NOT_LEARNABLE"):
        prepare_conversations([chat], how(tmp_path, forgetful), "chats")


def test_a_row_that_would_be_cut_is_refused_by_name_or_left_out_and_counted(tmp_path: Path) -> None:
    long = Conversation(
        id="long", messages=(Turn(role="user", content="w1"), Turn(role="assistant", content="w2 " * 60))
    )
    short = Conversation(id="short", messages=(Turn(role="user", content="w1"), Turn(role="assistant", content="w2")))
    way = how(tmp_path, MARKED, max_length=20)
    with pytest.raises(DataError, match=r"chats:long: this row has 64 tokens and would be cut at 20.*ROW_TOO_LONG"):
        prepare_conversations([long, short], way, "chats")
    made = prepare_conversations([long, short], How(way.tokenizer, way.template, 20, True), "chats")
    assert [row.id for row in made.conversations] == ["short"]
    assert made.dropped == ("long",)
    with pytest.raises(DataError, match="NO_ROWS"):
        prepare_conversations([long], How(way.tokenizer, way.template, 20, True), "chats")


def test_a_pair_is_the_prompt_with_its_invitation_and_what_each_answer_adds(tmp_path: Path) -> None:
    way = how(tmp_path, MARKED)
    sides = [Side(messages=(Turn(role="assistant", content=text),)) for text in ("w2 w3", "w4")]
    pair = PreferencePair(id="p", prompt=(Turn(role="user", content="w1"),), chosen=sides[0], rejected=sides[1])
    (made,) = prepare_pairs([pair], way, "prefs").pairs
    tokens = way.tokenizer.convert_ids_to_tokens  # type: ignore[attr-defined]
    assert tokens(made.prompt) == ["user", "w1", "assistant"]
    assert tokens(made.chosen) == ["w2", "w3", "</s>"]
    assert tokens(made.rejected) == ["w4", "</s>"]


def test_a_pair_whose_answer_holds_another_speakers_turn_is_refused(tmp_path: Path) -> None:
    answer = Side(messages=(Turn(role="assistant", content="w2"), Turn(role="tool", content="w3")))
    other = Side(messages=(Turn(role="assistant", content="w4"),))
    pair = PreferencePair(id="p", prompt=(Turn(role="user", content="w1"),), chosen=answer, rejected=other)
    with pytest.raises(DataError, match="somebody else than the assistant"):
        prepare_pairs([pair], how(tmp_path, MARKED), "prefs")


def test_a_base_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    base = write_project(tmp_path).path("base")
    (base / "chat_template.jinja").unlink()
    with pytest.raises(ConfigError, match="TEMPLATE_MISSING"):
        check_template(load_tokenizer(base), None, str(base))


def test_a_given_template_may_add_marks_to_the_bases_and_nothing_else(tmp_path: Path) -> None:
    base = write_project(tmp_path, UNMARKED).path("base")
    tokenizer = load_tokenizer(base)
    given = tmp_path / "marked.jinja"
    given.write_text(MARKED)
    assert check_template(tokenizer, given, str(base)).marked
    given.write_text(MARKED.replace("</s>", "</s> w1"))
    with pytest.raises(ConfigError, match="TEMPLATE_DIFFERS"):
        check_template(tokenizer, given, str(base))
