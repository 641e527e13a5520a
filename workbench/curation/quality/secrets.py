"""Secrets that open something: keys with known prefixes, private keys, tokens, passwords beside the word.

Prefixes are those that the issuers document so that scanners know them. What is plainly a placeholder is none:
`sk-xxxxxxxx`, `AKIAIOSFODNN7EXAMPLE`, `<your token>`, `${TOKEN}`.
"""

from __future__ import annotations

import base64
import binascii
import json
from math import log2

from workbench.curation.quality.findings import Kind, Match

STAND_INS = ("example", "your", "xxxx", "****", "....", "1234567890", "abcdefgh", "placeholder", "changeme", "dummy",
             "redacted", "insert", "replace", "<", "${", "{{", "%s", "env", "config", "getpass", "()", "none", "null",
             "password", "secret", "token", "key_here")  # fmt: skip
"""What a value holds that stands for a secret, or names where it lies."""
KEY_BITS = 3.0
"""Bits a character from which a key's body looks drawn by lot (Shannon's entropy of its characters)."""
WORD_BITS = 2.75
"""The same for a value beside a word such as "password", which people choose."""

CLASSES = str.maketrans("bcdefghijklmnopqrstuvwxyz123456789)[]{}<>,;", "a" * 25 + "0" * 9 + "(" * 9)
"""Lower-case letters are "a", digits "0", and what code has but hardly a password "("."""

PREFIXED = (
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",  # Amazon
    r"gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{60,93}",
    r"gl(?:pat|dt|rt|ptt|soat|cbt)-[A-Za-z0-9_\-]{20,64}",
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}|xapp-\d-[A-Za-z0-9\-]{20,200}",  # Slack
    r"AIza[A-Za-z0-9_\-]{35}|GOCSPX-[A-Za-z0-9_\-]{28}|ya29\.[A-Za-z0-9_\-]{20,500}",  # Google
    r"sk-(?:proj-|svcacct-|admin-|ant-(?:api|admin)\d\d-|or-v1-)?[A-Za-z0-9_\-]{20,250}",  # OpenAI and others
    r"hf_[A-Za-z0-9]{34,40}|gsk_[A-Za-z0-9]{40,64}|r8_[A-Za-z0-9]{37,40}|nvapi-[A-Za-z0-9_\-]{60,80}|pplx-[a-z0-9]{40,64}",
    r"(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{24,128}",  # Stripe
    r"npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_\-]{50,250}|rubygems_[a-f0-9]{48}|dckr_pat_[A-Za-z0-9_\-]{27}",
    r"SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}|key-[a-f0-9]{32}|[a-f0-9]{32}-us\d{1,2}",  # senders of mail
    r"dop_v1_[a-f0-9]{64}|dapi[a-f0-9]{32}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0(?:atp|csp)-[A-Za-z0-9_\-]{22,43}",
    r"\d{8,10}:AA[A-Za-z0-9_\-]{33}",  # Telegram
    r"https://hooks\.slack\.com/services/T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{20,26}",
)
"""RE2 patterns of keys that their issuers gave a form of their own."""


def block(m: Match) -> bool:
    """Tell a private key from the mention of one: it has a body."""
    return len(m.value) > 120


def jwt(m: Match) -> bool:
    """Tell a JSON Web Token (RFC 7519): its header is JSON that names an algorithm."""
    head = m.value.split(".")[0]
    try:
        return "alg" in json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError, TypeError):
        return False


def key(m: Match) -> bool:
    """Tell a key from a placeholder of its form."""
    if m.data[m.start - 1 : m.start].isalnum() or m.data[m.end : m.end + 1].isalnum():
        return False
    body = m.value.lower()
    if any(stand_in in body for stand_in in ("example", "xxxx", "your", "1234567890", "abcdefgh")):
        return False
    return entropy(m.value[4:]) >= KEY_BITS and any(c.isdigit() for c in body)


def assigned(m: Match) -> bool:
    """Tell a secret that a word announces from code, prose and placeholders."""
    value = m.value
    lowered = value.lower()
    if not 8 <= len(value) <= 200 or not value.isascii() or not value.isprintable():
        return False
    kinds = lowered.translate(CLASSES)
    if "0" not in kinds or "a" not in kinds or "(" in kinds or entropy(value) < WORD_BITS:
        return False
    return not any(stand_in in lowered for stand_in in STAND_INS)


def in_url(m: Match) -> bool:
    """Tell a password within an address from a placeholder."""
    value = m.value.lower()
    return len(value) >= 4 and not any(s in value for s in ("example", "pass", "xxx", "***", "<", "${", "{{", "secret"))


def entropy(text: str) -> float:
    """Return Shannon's entropy of a text's characters, in bits a character."""
    counts = [text.count(c) for c in set(text)]
    return -sum(n / len(text) * log2(n / len(text)) for n in counts) if text else 0.0


_WORD = (
    r"(?i:passwords?|passwd|pwd|passphrase|secret|api[_\- ]?key|apikey|access[_\- ]?key|secret[_\- ]?key"
    r"|auth[_\- ]?token|access[_\- ]?token|client[_\- ]?secret|token|passwort|kennwort|mot de passe|contraseña|senha"
    r"|пароль|密码|パスワード|비밀번호)"
)
_BLOCK = r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^\-]*(?:-----END [A-Z0-9 ]{0,50}-----)?"
_JWT = r"\beyJ[A-Za-z0-9_\-]{5,}\.eyJ[A-Za-z0-9_\-]{2,}\.[A-Za-z0-9_\-]{10,}"
_IN_URL = r"[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s:/@]{1,100}:([^\s:/@]{1,100})@[\w.\-]"
_ASSIGNED = _WORD + r"[\"'`*]{0,3}(?: is)?\s{0,3}(?:=|:|=>|：)\s{0,3}[\"'`*]{0,3}([^\s\"'`*,;]{6,250})"
_BEARER = r"(?i:authorization[\"']?\s?[:=]\s?[\"']?(?:bearer|basic|token)) ([A-Za-z0-9+/=_.\-]{16,500})"
SECRETS = (
    Kind("private_key", "secret", _BLOCK, block, (b"private key",)),
    Kind("jwt", "secret", _JWT, jwt, (b"eyj",)),
    Kind("key", "secret", "|".join(PREFIXED), key),
    Kind("key", "secret", r"(?i:AccountKey=)([A-Za-z0-9+/]{86}==)", key, (b"accountkey=",)),
    Kind("password", "secret", _IN_URL, in_url, (b"://",)),
    Kind("password", "secret", _ASSIGNED, assigned),
    Kind("key", "secret", _BEARER, key, (b"authorization",)),
)
"""In the order in which overlaps are decided."""
