"""Personal data that has a form: e-mail addresses, telephone and account numbers, network addresses.

Names, postal addresses and dates of birth have none; nothing here finds them. Addresses and numbers that standards
reserve for examples (RFC 2606, 5737, 3849; 555-01xx) belong to nobody and are not found.
"""

from __future__ import annotations

import ipaddress

from workbench.curation.quality.findings import Kind, Match

LETTERS = r"\p{Latin}\p{Cyrillic}\p{Greek}"
"""Scripts whose words stand apart: Chinese before an address would be taken for a part of it."""
NO_DOMAINS = ("example", "invalid", "test", "localhost", "local", "png", "jpg", "jpeg", "gif", "svg", "webp", "js",
              "py", "css", "html", "md", "json", "txt", "ts", "mp3", "mp4", "pdf")  # fmt: skip
"""Last parts of a name that are no domain: reserved ones, and endings of files such as `icon@2x.png`."""
NOBODYS = (".example.com.", ".example.org.", ".example.net.")
WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
"""Bytes that go on with a word or number. Letters of other scripts do not: Chinese stands without spaces."""
NUMBERED = (b"version", b" v", b"section", "§".encode(), b"release")
"""What stands before a number in parts that is no address."""
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
"""Characters of an IBAN by country (SWIFT's registry, release 99)."""


def email(m: Match) -> bool:
    """Tell an address from a handle, a decorator, a version and a picture's name."""
    name, _, domain = m.value.lower().rpartition("@")
    dotted = f".{domain}."
    if len(name) > 64 or len(domain) > 253 or name[-1] == "." or ".." in name:
        return False
    if ".." in dotted or ".-" in dotted or "-." in dotted:
        return False
    return domain.rpartition(".")[2] not in NO_DOMAINS and not dotted.endswith(NOBODYS)


def iban(m: Match) -> bool:
    """Tell an account number by its country's length and its check digits (ISO 7064, mod 97)."""
    plain = m.value.replace(" ", "").replace("-", "").upper()
    if len(plain) != IBAN_LENGTHS.get(plain[:2]) or not _alone(m, b"_-"):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def iban_alone(m: Match) -> Match:
    """Take off what follows an account number as if it went on, such as the bank's code."""
    left = IBAN_LENGTHS.get(m.value[:2].upper(), 0)
    for place in range(m.start, m.end if left else m.start):
        left -= m.data[place : place + 1].isalnum()
        if not left:
            return m._replace(end=place + 1)
    return m


def card(m: Match) -> bool:
    """Tell a card's number by its issuer's prefix and length and by Luhn's digit."""
    digits = "".join(c for c in m.value if c.isdigit())
    if not _alone(m, b".-_/+") or len(set(digits)) < 3:
        return False
    # A number without gaps is often a result or an id: of those only the usual 15 and 16 digits count.
    if digits == m.value and (len(digits) not in (15, 16) or m.before.rstrip()[-1:] in (b"=", b"+", b"*")):
        return False
    return _issued(digits) and _luhn(digits)


def _issued(digits: str) -> bool:
    two, four, n = int(digits[:2]), int(digits[:4]), len(digits)
    if digits[0] == "4":
        return n in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return n == 16
    if two in (34, 37):
        return n == 15
    if two in (36, 38, 39) or 300 <= int(digits[:3]) <= 305:
        return n == 14
    return n in (16, 19) and (four == 6011 or two in (62, 65) or 644 <= int(digits[:3]) <= 649 or 3528 <= four <= 3589)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        total += digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4)
    return total % 10 == 0


def ssn(m: Match) -> bool:
    """Tell a US social security number from what was never issued."""
    area, group, serial = m.value.split("-")
    return _alone(m, b".-_/+") and area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


def ipv4(m: Match) -> bool:
    """Tell a public address from a version, a section's number and a private, reserved or well-known address."""
    octets = m.value.split(".")
    low = max(map(int, octets)) < 20 or len(set(octets)) == 1
    if low or not _alone(m, b"._-") or m.before.rstrip().lower().endswith(NUMBERED):
        return False
    return _public(m.value)


def ipv6(m: Match) -> bool:
    """Tell a global unicast address (2000::/3) from a time, a hardware address and C++."""
    return m.value[0] in "23" and m.value.count(":") >= 3 and _alone(m, b":._-") and _public(m.value)


def _public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def phone(m: Match) -> bool:
    """Tell a telephone number from a date, a price, a formula and a number that is kept for fiction."""
    value, digits = m.value, "".join(c for c in m.value if c.isdigit())
    if not _alone(m, b"._-+*=/^#$%") or m.after[:2].strip()[:1] in (b"=", b"*", b"%", b"^") or len(set(digits)) < 3:
        return False
    if digits[-7:-2] == "55501" or value.count("(") != value.count(")"):
        return False
    if m.led:  # a word such as "phone" led to it
        return 7 <= len(digits) <= 15 and not _date(value)
    if value[0] == "+":
        return 8 <= len(digits) <= 15 and digits[0] != "0"
    # North America: area code, exchange and line, with marks between.
    digits = digits[len(digits) - 10 :]
    return digits[0] > "1" and digits[3] > "1"


def _date(value: str) -> bool:
    parts = [p for p in value.replace("/", "-").replace(".", "-").split("-") if p]
    return (
        len(parts) == 3
        and all(p.isdigit() for p in parts)
        and (len(parts[0]) == 4 or len(parts[2]) == 4)
        and (sum(len(p) for p in parts) <= 8)
    )


def _alone(m: Match, joints: bytes) -> bool:
    """Return whether the value is no part of a longer word or number; `joints` tie it to what stands behind them."""
    data, start, end = m.data, m.start, m.end
    if start and (data[start - 1] in WORD or (start > 1 and data[start - 1] in joints and data[start - 2] in WORD)):
        return False
    left = len(data) - end
    return not left or not (data[end] in WORD or (left > 1 and data[end] in joints and data[end + 1] in WORD))


_CALL = (
    r"(?i:\b(?:tel|phone|telephone|mobile|cell|fax|call|whatsapp|sms|telefon|handy|mobil|téléphone|tél|teléfono|telefono"
    r"|telefone|telefoon|hotline)|телефон|тел|电话|手机|電話|携帯|전화|هاتف|फ़ोन)"
)
"""Words that lead to a number which by itself could be anything."""
_EMAIL = rf"[{LETTERS}0-9_%+\-][{LETTERS}0-9._%+'\-]*@[{LETTERS}0-9.\-]+\.[{LETTERS}]{{2,24}}"
_IBAN = r"(?i:\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{2,4}){3,8}(?:[ \-]?[A-Z0-9]{1,3})?)"
PERSONAL = (
    Kind(
        "email",
        "personal",
        rf"[{LETTERS}0-9_%+\-][{LETTERS}0-9._%+'\-]*@[{LETTERS}0-9.\-]+\.[{LETTERS}]{{2,24}}",
        email,
        (b"@",),
    ),
    Kind(
        "iban",
        "personal",
        r"(?i:\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{2,4}){3,8}(?:[ \-]?[A-Z0-9]{1,3})?)",
        iban,
        (),
        iban_alone,
    ),
    Kind("card", "personal", r"\d{4}[ \-]?(?:\d{4}[ \-]?\d{4}[ \-]?\d{1,7}|\d{6}[ \-]?\d{4,5})", card),
    Kind("ssn", "personal", r"\b\d{3}-\d{2}-\d{4}\b", ssn, (b"-",)),
    Kind("ip", "personal", r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b", ipv4, (b".",)),
    Kind("ip", "personal", r"(?i:\b[23][0-9a-f]{0,3}:(?:[0-9a-f]{0,4}:){1,6}[0-9a-f]{0,4})", ipv6, (b":",)),
    Kind("phone", "personal", rf"{_CALL}\.?[^\d\n+(]{{0,20}}(\+?\(?\d[\d ().\-/]{{5,20}}\d)", phone),
    Kind("phone", "personal", r"\+\d(?:[ .\-/]?(?:\(0?\d{1,4}\)|\d)){7,16}", phone, (b"+",)),
    Kind("phone", "personal", r"(?:\b1[ .\-]?)?(?:\(\d{3}\) ?\d{3}[ .\-]\d{4}|\b\d{3}[.\-]\d{3}[.\-]\d{4}\b)", phone),
)
"""In the order in which overlaps are decided."""
