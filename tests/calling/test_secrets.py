"""Keys in messages."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from workbench.calling.secrets import one_line, redact

KEY = "sk/canary+0123456789abcdef"


@pytest.mark.parametrize(
    "echo",
    [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode(), KEY[:12], KEY[:20], f"Bearer {KEY}"],
)
def test_a_key_is_hidden_in_every_form_that_servers_echo(echo: str) -> None:
    told = redact(f"no such key: {echo}, sorry", KEY)
    assert "[secret]" in told
    assert KEY[:12] not in told and echo not in told


def test_a_dummy_key_garbles_no_message() -> None:
    assert redact("an axe", "x") == "an axe"


def test_a_message_is_one_printable_line_of_limited_length() -> None:
    line = one_line("two\nlines \x1b[31mred\u202e " + "x" * 1000, limit=50)
    assert line.isprintable() and len(line) <= 70
    assert line.startswith("two lines \\x1b[31mred")
