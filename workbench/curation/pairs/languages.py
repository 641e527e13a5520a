"""The language of a text where it is beyond doubt: by script, and for Latin letters by its most common words."""

from __future__ import annotations

import re

READ = 300
"""Characters that are looked at."""
LEAST, PORTION = 4, 0.15
"""Different common words that a text needs of its language, and their share of all; twice as many as of any other."""
SHARE = 0.6
"""Share of letters that must be of a script."""
SCRIPTS = {
    "Cyrillic": re.compile("[\u0400-\u04ff]"),
    "Greek": re.compile("[\u0370-\u03ff]"),
    "Arabic": re.compile("[\u0600-\u06ff]"),
    "Hebrew": re.compile("[\u0590-\u05ff]"),
    "Devanagari": re.compile("[\u0900-\u097f]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "Korean": re.compile("[\uac00-\ud7af]"),
    "Japanese": re.compile("[\u3040-\u30ff]"),
    "Chinese": re.compile("[\u4e00-\u9fff]"),
}
LETTER = re.compile(r"[^\W\d_]")
COMMON = {
    "English": "the and of to is that it for with was are this be as have from not by you which can your or they what",
    "German": "der die und das ist nicht ein eine zu den mit sich auf für von dem des werden auch sind wird wie oder",
    "French": "le les et des est une dans que pour qui sur pas au avec ce sont plus par vous nous être du cette elle",
    "Spanish": "el los y una que para con por las del es se su como más pero este son está usted lo muy sus cuando",
    "Italian": "il di che è per una sono della con non gli nel alla del più anche questo come delle dei le lo si",
    "Portuguese": "o os e uma que para com não do da em é são dos das pelo mais como se você ou ser ao pela",
    "Dutch": "de het een van en is dat niet zijn op voor met die te aan ook als bij naar wordt kan je deze er",
}
BY_WORD: dict[str, list[str]] = {}
for _name, _words in COMMON.items():
    for _word in (one for one in _words.split() if len(one) > 1):
        BY_WORD.setdefault(_word, []).append(_name)
NAMED = re.compile(
    r"translat|übersetz|tradu|vertaal|\b(?:english|german|french|spanish|italian|portuguese|dutch|chinese|japanese|"
    r"korean|russian|arabic|hindi|greek|hebrew|latin|thai|turkish|polish|language|deutsch|englisch|français|anglais|"
    r"español|inglés|italiano|inglese|português|nederlands|engels)\b|翻译|英文|中文|英语|日本語|英語|перев",
    re.IGNORECASE,
)


def language_of(text: str) -> str:
    """Return the name of a text's language or script, or an empty string where there is any doubt."""
    text = text[:READ]
    if not text.isascii():
        letters = len(LETTER.findall(text))
        for name, script in SCRIPTS.items():
            # A Japanese text has many Chinese characters; a fifth of kana tells it.
            if (
                letters
                and len(script.findall(text)) >= (0.2 if name == "Japanese" else SHARE) * letters
                and letters >= 4
            ):
                return name
    words = text.lower().split()
    hits: dict[str, list[str]] = {}
    for word in filter(BY_WORD.__contains__, words):
        for name in BY_WORD[word]:
            hits.setdefault(name, []).append(word)
    best, second = (*sorted(hits, key=lambda name: -len(hits[name])), "", "")[:2]
    found, others = hits.get(best, []), hits.get(second, [])
    enough = len(set(found)) >= LEAST and len(found) >= max(PORTION * len(words), 2 * len(others))
    return best if enough else ""


def names_a_language(text: str) -> bool:
    """Return whether a text names a language or asks for a translation, so that another language is no slip."""
    return NAMED.search(text) is not None
