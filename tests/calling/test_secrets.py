"""Keys in messages."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.calling.secrets import one_line, redact, repeats

KEY = "sk/canary+0123456789abcdef"


@pytest.mark.parametrize(
    "echo",
    [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode(), KEY[:12], KEY[:20], f"Bearer {KEY}"],
)
def test_a_key_is_hidden_in_every_form_that_servers_echo(echo: str) -> None:
    told = redact(f"no such key: {echo}, sorry", KEY)
    assert "[secret]" in told
    assert KEY[:12] not in told and echo not in told


@pytest.mark.parametrize("length", range(12, len(KEY) + 1))
def test_nothing_of_a_cut_echo_is_left(length: int) -> None:
    assert redact(f"no such key: {KEY[:length]} sorry", KEY) == "no such key: [secret] sorry"
    assert repeats(KEY[:length], KEY)


@given(st.binary(max_size=5), st.binary(max_size=5), st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
def test_a_key_in_base64_is_found_whatever_stands_around_it(
    before: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    echo = encode(before + KEY.encode() + after).decode()
    assert repeats(f"so you said {echo}.", KEY)
    assert not repeats(redact(echo, KEY), KEY)
    assert "[secret]" in redact(echo, KEY)


@given(st.text(max_size=200), st.sampled_from(["", "none", "EMPTY", "elevenchars"]))
def test_a_short_key_is_a_word_like_any_other(text: str, key: str) -> None:
    assert not repeats(f"{text} {key}", key)


def test_no_key_hides_nothing() -> None:
    assert redact("none of these", "") == "none of these"


def test_a_dummy_key_garbles_no_message() -> None:
    assert redact("an axe", "x") == "an axe"


def test_a_message_is_one_printable_line_of_limited_length() -> None:
    line = one_line("two\nlines \x1b[31mred\u202e " + "x" * 1000, limit=50)
    assert line.isprintable() and len(line) <= 70
    assert line.startswith("two lines \\x1b[31mred")
