"""Personal data and secrets: what is found, what only looks like it, and that masking leads back to nothing."""

from __future__ import annotations

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.curation.quality.conftest import chat
from workbench.curation.quality.findings import _compiled
from workbench.curation.quality.masking import EVERY, Masking, masked_row, masked_text
from workbench.curation.quality.secrets import entropy
from workbench.datasets import Conversation
from workbench.records import ToolCall, Turn

# Put together at run time, so that scanners do not take this file for a leak.
BODY = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0bC2dE5"
PRIVATE = "PRIVATE" + " KEY"
GENUINE = [
    ("email", "write to bob.smith@firma-nord.de today", "bob.smith@firma-nord.de"),
    ("email", "From: 'ö.müller+news@post.müller.at'", "ö.müller+news@post.müller.at"),
    ("email", "邮箱zhang.wei@qq.com。", "zhang.wei@qq.com"),
    ("phone", "call +49 170 1234567 now", "+49 170 1234567"),
    ("phone", "(415) 867-2671 or write", "(415) 867-2671"),
    ("phone", "1-800-867-1212.", "1-800-867-1212"),
    ("phone", "Tel.: 030 / 901820-14", "030 / 901820-14"),
    ("phone", "电话13812345678，谢谢", "13812345678"),
    ("iban", "an DE89 3704 0044 0532 0130 00 bitte", "DE89 3704 0044 0532 0130 00"),
    ("iban", "IBAN: FR14 2004 1010 0505 0001 3M02 606 BIC PSSTFRPP", "FR14 2004 1010 0505 0001 3M02 606"),
    ("iban", "GB82WEST12345698765432", "GB82WEST12345698765432"),
    ("card", "card 4539 1488 0343 6467, thanks", "4539 1488 0343 6467"),
    ("card", "3782 822463 10005", "3782 822463 10005"),
    ("ssn", "SSN 219-09-9999.", "219-09-9999"),
    ("ip", "from 93.184.216.34 at noon", "93.184.216.34"),
    ("ip", "2a00:1450:4001:81b::200e answered", "2a00:1450:4001:81b::200e"),
    ("key", f"sk-proj-{BODY}", f"sk-proj-{BODY}"),
    ("key", f"ghp_{BODY} is mine", f"ghp_{BODY}"),
    ("key", "AKIA" + "J2Q5ZK7WXY3MNBVC", "AKIA" + "J2Q5ZK7WXY3MNBVC"),
    ("key", f"Authorization: Bearer {BODY}", BODY),
    ("password", "the password is: hunter2xQ9", "hunter2xQ9"),
    ("password", '{"passwd": "tr0ub4dor&3"}', "tr0ub4dor&3"),
    ("password", "postgres://bob:s3cr3tz9@db.host/x", "s3cr3tz9"),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + BODY, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + BODY),
    (
        "private_key",
        f"-----BEGIN RSA {PRIVATE}-----\n{'MIIEow' * 30}\n-----END RSA {PRIVATE}-----",
        f"-----BEGIN RSA {PRIVATE}-----\n{'MIIEow' * 30}\n-----END RSA {PRIVATE}-----",
    ),
]
LOOK_ALIKES = [
    "see icon@2x.png and @property, foo@bar, user@example.com, a@b.test",
    "versions 1.2.3.4 and 10.11.12.13, hosts 192.168.1.1, 127.0.0.1 and 203.0.113.7",
    "version 93.184.216.34 of the library",
    "DE89 3704 0044 0532 0130 01 has a wrong check digit",
    "4539 1488 0343 6468 has a wrong check digit; 0000 0000 0000 0000 has none",
    "256626720691 + 1646615806005 = 4903242526696",
    "The result is: 4903242526694",
    "on 2024-01-05 at 12:30:45, from 1999 to 2020-21",
    "phone since 2024-01-05, call me at 10",
    "ISBN 978-3-16-148410-0, doi 10.1038/nature12373, 3.14159265358979",
    "call 415-555-0123, a number that films use",
    "3 + 4 = 7, +1 and +2, 1,234,567.89 dollars, (123) 456",
    "std::vector<int> a::b::c, 00:1a:2b:3c:4d:5e",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxx, sk-your-key-goes-here-please-1, AKIAIOSFODNN7EXAMPLE",
    "sk-learn-is-a-library-for-learning-machines",
    "password = os.environ['PASSWORD1'], token: getToken(), secret: ${TOKEN_1}, api_key: <your key 1>",
    "the password: choose something long, please",
    "The token count: 1234567890, the secret: patience",
    f"-----BEGIN {PRIVATE}----- is how such a file begins",
    "eyJust.eyJoking.aroundhere12",
    "https://user:password@example.com and http://host:8080/@me",
    "000-12-3456, 666-12-3456 and 123-00-4567 were never issued",
    "中文没有空格但是也没有秘密，电话会议在三点",
]


@pytest.mark.parametrize(("kind", "text", "value"), GENUINE, ids=lambda value: str(value)[:24])
def test_what_is_personal_or_secret_becomes_a_placeholder_and_nothing_else_changes(
    kind: str, text: str, value: str
) -> None:
    assert masked_text(text) == text.replace(value, f"<{kind}:1>")


@pytest.mark.parametrize("text", LOOK_ALIKES, ids=lambda text: text[:24])
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert masked_text(text) == text


def test_equal_values_of_a_row_share_a_number_across_its_texts() -> None:
    row = chat("a", "I am a@firm.de, he is b@firm.de", "Hello b@firm.de and a@firm.de")
    masked, counts = masked_row(row)
    assert isinstance(masked, Conversation)
    assert [m.content for m in masked.messages] == ["I am <email:1>, he is <email:2>", "Hello <email:2> and <email:1>"]
    assert counts == {"email": 4}


def test_a_masked_row_keeps_its_id_and_the_family_it_had() -> None:
    row = chat("a", "I am a@firm.de", "Hello")
    masked, _ = masked_row(row)
    assert isinstance(masked, Conversation)
    assert (masked.id, masked.family()) == ("a", row.family())
    assert masked_row(masked) == (masked, {})


def test_a_row_without_findings_is_the_very_same() -> None:
    row = chat("a", "What?", "That.")
    assert masked_row(row)[0] is row


def test_placeholders_that_are_there_already_are_not_used_again() -> None:
    assert masked_text("<email:3> and a@firm.de") == "<email:3> and <email:4>"


def test_the_arguments_of_a_tool_stay_json() -> None:
    call = ToolCall(name="pay", arguments='{"card": 4539148803436467, "to": ["a@firm.de"], "password": "xK9$mQ2vL8"}')
    turns = (Turn(role="user", content="Pay."), Turn(role="assistant", content="", tool_calls=(call,)))
    masked, _ = masked_row(Conversation(id="a", messages=turns))
    assert isinstance(masked, Conversation)
    told = orjson.loads(masked.messages[1].tool_calls[0].arguments)
    assert told == {"card": "<card:1>", "to": ["<email:1>"], "password": "<password:1>"}


def test_json_that_is_none_is_masked_as_text() -> None:
    assert Masking().in_json('{"to": "a@firm.de"') == '{"to": "<email:1>"'


def test_lone_surrogates_and_control_characters_survive() -> None:
    assert masked_text("\ud800 a@firm.de \x00 ö") == "\ud800 <email:1> \x00 ö"


@given(st.text(max_size=200))
def test_masking_twice_changes_no_more_than_masking_once(text: str) -> None:
    once = masked_text(text)
    assert masked_text(once) == once


HOSTILE = {
    "at signs": "a@" * 500_000,
    "dots": "a." * 500_000,
    "digits": "1" * 1_000_000,
    "digits and spaces": "1 " * 500_000,
    "brackets": "(" * 1_000_000,
    "plus": "+1" * 500_000,
    "begin": f"-----BEGIN {PRIVATE}-----" * 37_000,
    "tokens": "eyJa." * 200_000,
    "words": "password" * 125_000,
    "words and signs": 'token="' * 140_000,
    "addresses": "a://b:" * 160_000,
    "colons": "2:" * 500_000,
    "keys": "sk-" * 333_000,
    "zeros": "\x00" * 1_000_000,
    "surrogates": "\ud800" * 300_000,
    "ideographs": "电话" * 170_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_made_to_stall_a_pattern_passes(name: str) -> None:
    masked = masked_text(HOSTILE[name])
    assert len(masked) <= len(HOSTILE[name]) + 100


def test_every_pattern_is_one_that_cannot_backtrack() -> None:
    """RE2 compiles them: time grows with the text alone."""
    for kind in EVERY:
        assert not isinstance(_compiled(kind.pattern), re.Pattern)
        assert _compiled(kind.pattern).groups <= 1, f"{kind.name}: its one group is what is masked"


def test_entropy_is_in_bits_a_character() -> None:
    assert entropy("") == 0 == entropy("aaaa")
    assert entropy("abcd") == pytest.approx(2)
