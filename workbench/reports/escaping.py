"""Text that nobody vouches for, made harmless for Markdown, HTML and XML. All of it passes here and nowhere else.

Model answers, prompts, reasons, names and tags may hold anything. What a reader cannot see is shown first (`visible`),
then what a parser would obey is escaped. Text survives: a parser of the target gives `visible(text)` back.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed: XML forbids them, terminals obey them
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # bidi controls, zero width, line separators
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff"  # lone surrogates, which UTF-8 has not; no characters
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f"  # invisible musical marks; tags, in which instructions are hidden
    "]"
)
"""Characters that are shown by name. The joiners of emoji and of Persian (U+200C, U+200D) stay what they are."""

LINKED = re.compile(
    r"[@#!$%~&^](?=\w)|:(?=//|[\w+/-]*[A-Za-z_][\w+/-]*:)|(?<!\d):(?=[+-]?\d+:)|www(?=\.)"
    r"|(?<![^\W_])[Gg][Hh](?=-\d)"  # GH-12 is an issue
    r"|(?<![^\W_])[0-9a-fA-F]{3}(?=[0-9a-fA-F]{4,37}(?![^\W_]))"  # 7 to 40 hexadecimal digits are a commit
)
"""Where a hosting site would begin a link, a notification or an emoji; `:31:` within a time of day is none."""

MARKUP = re.compile(r"\[[-+\d., ]+\](?![(\[:])|[\\`*\[\]{}#!~$]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown obeys within a line. An interval such as `[0.1, 0.3]` is matched whole, and stays as it is."""

BREAK = "\N{ZERO WIDTH SPACE}"
"""Ends what a hosting site would turn into a link or a notification. `visible` leaves no other in a text."""


def visible(text: str) -> str:
    """Return text whose invisible characters are shown: `␛` for ESC, `⟦U+202E⟧` for a bidi override."""
    return UNSEEN.sub(_shown, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int) -> str:
    """Return visible text as one line of at most `limit` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shorten(text: str, limit: int) -> str:
    """Return text of at most `limit` characters and, where it was cut, how much is missing."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"


def html_text(text: str) -> str:
    """Return text for the inside of an HTML element or a quoted attribute."""
    return html.escape(visible(text), quote=True)


def xml_text(text: str) -> str:
    """Return text for the inside of an XML element."""
    return html.escape(visible(text), quote=False)


def xml_attribute(text: str) -> str:
    """Return text for a quoted XML attribute, where a parser would turn line feeds and tabs into spaces."""
    return html.escape(visible(text), quote=True).replace("\n", "&#10;").replace("\t", "&#9;")


def markdown_text(text: str, limit: int = 160) -> str:
    """Return text as one line of Markdown that is only text, also where a site links, notifies and draws emoji.

    Backslashes hold off Markdown itself. GitHub and GitLab look for `@name`, `#12`, `GH-12`, `!12`, `:emoji:`, commits
    and addresses in the finished page, where a backslash is gone; a zero-width space ends those, as Dependabot does it.
    """
    line = one_line(text, limit)
    line = LINKED.sub(rf"\g<0>{BREAK}", line)
    line = MARKUP.sub(lambda m: m.group() if len(m.group()) > 1 else "\\" + m.group(), line)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "&#124;")


def markdown_code(text: str, limit: int = 200) -> str:
    """Return an id or a command as a Markdown code span, in a fence longer than any within it."""
    line = one_line(text, limit).replace("|", "¦")  # no escape of `|` works in code in every table
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def address(text: str) -> str:
    """Return a file's name or an address that can stand between `<` and `>` in Markdown."""
    return quote(text, safe="/:?#&=%+,;@~!$'*")


def _shown(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ␀ … ␟
    return "␡" if code == 0x7F else f"⟦U+{code:04X}⟧"
