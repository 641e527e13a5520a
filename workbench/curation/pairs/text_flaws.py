"""Flaws that a single row shows by its texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.curation.near_duplicates import n_shared
from workbench.curation.pairs.columns import Columns
from workbench.curation.pairs.flaw import Found, Looking, measured, rows_with
from workbench.curation.pairs.languages import language_of, names_a_language
from workbench.curation.quality.lengths import approximate_tokens
from workbench.curation.shingles import shingle_sets

SAYS = re.compile(r"\w")
TOKENS = re.compile(
    r"<\|[A-Za-z_0-9]{2,40}\|>|<｜[^｜<>]{2,40}｜>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<\|?(?:bos|eos)\|?>"
    r"|\A\s*<s>|</s>\s*\Z|^#{2,3} ?(?:Instruction|Response|Human|Assistant|User|Input):",
    re.MULTILINE,
)
"""Marks of chat templates: ChatML, Llama 2 and 3, Gemma, DeepSeek, Alpaca, Vicuna."""
REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:really |very |truly )?(?:sorry|afraid)\b.{0,40}\b"
    r"(?:can(?:no|['’])t|unable|not able|won['’]t)"
    r"|i (?:can(?:no|['’])t|won['’]t|am unable to|am not able to) "
    r"(?:help|assist|provide|fulfil|comply|answer|create|do that|discuss)"
    r"|as an ai(?: language)? (?:model|assistant))\b",
    re.IGNORECASE | re.DOTALL,
)
SPEAKER = re.compile(r"\A\s*(?:Human|User|USER|Assistant|ASSISTANT)\s*:|\n\s*(?:Human|HUMAN|User|USER)\s*:")
SPEAKERS = ("Human", "HUMAN", "User", "USER", "Assistant", "ASSISTANT")
CONTROL = bytes(c for c in (*range(32), 127) if c not in b"\t\n\r\f")
GARBLED = re.compile("[\ufffd\x00-\x08\x0b\x0e-\x1f\x7f]|Ã[\x80-\xbf©¨¤¶¼±³]|â€[\x80-\xbf™œ“”¦]|Â[\xa0»«°£]")
CUT = re.compile(
    r"\b(?:the|a|an|and|or|but|of|to|in|with|for|is|are|was|were|that|which|because|by|from|as|their|his|her)$",
    re.IGNORECASE,
)
CUT_SIGNS = re.compile(r"[,(\[–-]$")
CODE = re.compile(r"[={}();<>]|^(?: {4}|\t)")
ENDS = re.compile(r"""[.!?…。！？:;)\]}"'”’»`|*_~>$%°\d]$|[^\x00-\x7f]$|https?://\S+$""")
LISTED = re.compile(r"^\s*(?:[-*+•]|\d+[.)]|#|\||```|>)")
SENTENCE = re.compile(r"[.!?]\s+\S")
LONG_ENOUGH = 20
"""Words from which a text without a last full stop is taken for cut rather than for terse."""
OPEN_ENDED = 0.05
"""Share of chosen answers without an end above which answers are taken for cut."""
NEAR = 0.9
"""Jaccard similarity of word triples from which two sides are nearly one."""
LOOP = 0.35
"""Distinct word triples by words below which a text goes in circles."""
LOOP_WORDS = 24
COPIED, MOSTLY = 0.9, 0.6
"""Share of the question that is in the answer, and of the answer that is the question, from which it repeats it."""
QUESTION_TRIPLES = 5


def empty(columns: Columns, looking: Looking) -> Found:
    """Find sides without a letter or digit; a side that calls a tool may be."""
    bad = [
        at
        for at in range(len(columns))
        if not columns.acts[at] and not all(SAYS.search(text) for text in _sides(columns, at))
    ]
    return rows_with(bad, len(columns))


def identical(columns: Columns, looking: Looking) -> Found:
    """Find pairs whose sides differ in case and spacing at most."""
    chosen, rejected = columns.words
    same = [at for at, (a, b) in enumerate(zip(chosen, rejected, strict=True)) if a == b and not columns.acts[at]]
    return rows_with(same, len(columns))


def near_identical(columns: Columns, looking: Looking) -> Found:
    """Find pairs whose sides share nearly all word triples; corrections are meant to."""
    chosen, rejected = columns.words
    # Sides that share so much are about as long: the others need no counting.
    about = [
        at
        for at, (a, b) in enumerate(zip(chosen, rejected, strict=True))
        if columns.rules[at] != "edit" and a != b and min(len(a), len(b)) > 0.7 * max(len(a), len(b))
    ]
    ours, theirs = [columns.chosen[at] for at in about], [columns.rejected[at] for at in about]
    shared, first, second = _triples(ours, theirs)
    near = {
        at: s / (a + b - s)
        for at, s, a, b in zip(about, shared, first, second, strict=True)
        if a > 3 and s >= NEAR * (a + b - s)
    }
    return rows_with(list(near), len(columns), {at: f"{share:.2f} alike" for at, share in near.items()})


def template_tokens(columns: Columns, looking: Looking) -> Found:
    """Find marks of chat templates inside texts: there they end a turn or begin another one."""
    notes = {}
    for at in range(len(columns)):
        for text in (columns.prompts[at], *_sides(columns, at)):
            if ("<" in text or "[" in text or "##" in text) and (found := TOKENS.search(text)):
                notes[at] = f"holds {found[0].strip()}"
                break
    return rows_with(list(notes), len(columns), notes)


def garbled(columns: Columns, looking: Looking) -> Found:
    """Find replacement and control characters, and UTF-8 that was read as Latin-1."""
    notes = {}
    for at in range(len(columns)):
        for text in (columns.prompts[at], *_sides(columns, at)):
            if text.isascii() and len(text.encode().translate(None, CONTROL)) == len(text):
                continue
            if found := GARBLED.search(text):
                notes[at] = f"holds {found[0]!a}"
                break
    return rows_with(list(notes), len(columns), notes)


def prompt_inside(columns: Columns, looking: Looking) -> Found:
    """Find sides that hold the prompt, another speaker's turn, or a speaker's name: the trainer would add it again."""
    notes = {}
    for at in range(len(columns)):
        question = columns.questions[at].strip()
        for side in _sides(columns, at):
            if len(question) >= 20 and side.lstrip().startswith(question) and len(side.strip()) > 1.3 * len(question):
                notes[at] = "begins with the prompt"
            elif any(name in side for name in SPEAKERS) and SPEAKER.search(side):
                notes[at] = "holds a turn of another speaker"
        if columns.foreign[at]:
            notes[at] = "holds a turn of another role"
    return rows_with(list(notes), len(columns), notes)


def prompt_end(columns: Columns, looking: Looking) -> Found:
    """Find prompts that end with neither a question nor a tool's answer, and those without any text."""
    notes = {at: f"ends with the {role}'s turn" for at, role in enumerate(columns.ends) if role not in ("user", "tool")}
    notes |= {at: "has no text" for at, text in enumerate(columns.prompts) if not text.strip()}
    return rows_with(sorted(notes), len(columns), notes)


def refused(columns: Columns, looking: Looking) -> Found:
    """Find chosen answers that decline; of a pair only where the other side does not."""
    bad = []
    for at, text in enumerate(columns.chosen):
        if REFUSAL.search(text[:300]) and not (columns.rejected and REFUSAL.search(columns.rejected[at][:300])):
            bad.append(at)
    return rows_with(bad, len(columns))


def truncated(columns: Columns, looking: Looking) -> Found:
    """Find chosen answers that stop inside a sentence, a code block, or at a token limit.

    A text that only lacks its full stop counts where more than `OPEN_ENDED` of all do.
    """
    notes, open_ended = {}, []
    for at, text in enumerate(columns.chosen):
        if columns.finishes[at] == "length":
            notes[at] = "stopped at the token limit"
        elif why := _cut(text):
            notes[at] = why
        elif _without_end(text):
            open_ended.append(at)
    flags = [0.0] * len(columns)
    for at in open_ended:
        flags[at] = 1.0
    _, sure = measured(flags, range(len(columns)), columns)
    if sure.interval is not None and sure.interval.low > OPEN_ENDED:
        notes |= dict.fromkeys(open_ended, "has no end")
    return rows_with(sorted(notes), len(columns), notes)


def looping(columns: Columns, looking: Looking) -> Found:
    """Find chosen answers that say the same over and over."""
    n_words = {}
    for at, text in enumerate(columns.chosen):
        words = text.split()
        # Whoever has many different words has many different triples.
        if len(words) >= LOOP_WORDS and len(set(words)) < 1.5 * LOOP * len(words):
            n_words[at] = len(words)
    sizes = shingle_sets(columns.chosen[at] for at in n_words).sizes().tolist()
    bad = [at for (at, n), size in zip(n_words.items(), sizes, strict=True) if 0 < size < LOOP * n]
    return rows_with(bad, len(columns))


def copied(columns: Columns, looking: Looking) -> Found:
    """Find chosen answers that are hardly more than the question said again."""
    about = [
        at
        for at, (question, answer) in enumerate(zip(columns.questions, columns.chosen, strict=True))
        if len(question) >= 20 and 0.6 * len(question) < len(answer) < 2.5 * len(question)
    ]
    shared, asked, said = _triples([columns.questions[at] for at in about], [columns.chosen[at] for at in about])
    bad = [
        at
        for at, s, q, a in zip(about, shared, asked, said, strict=True)
        if q >= QUESTION_TRIPLES and s >= COPIED * q and s >= MOSTLY * a
    ]
    return rows_with(bad, len(columns))


def other_language(columns: Columns, looking: Looking) -> Found:
    """Find chosen answers in another language than the question, unless it names a language or asks to translate."""
    notes, known = {}, 0
    for at, (question, answer) in enumerate(zip(columns.questions, columns.chosen, strict=True)):
        asked = language_of(question)
        said = language_of(answer) if asked else ""
        if not asked or not said:
            continue
        known += 1
        if asked != said and not names_a_language(columns.prompts[at]):
            notes[at] = f"asked in {asked}, answered in {said}"
    return rows_with(list(notes), known, notes)


def too_long(columns: Columns, looking: Looking) -> Found:
    """Find rows whose prompt and longer side have more tokens than the limit: a trainer would cut them silently."""
    prompt, chosen = _tokens(columns.prompts, looking), _tokens(columns.chosen, looking)
    rejected = _tokens(columns.rejected, looking) if columns.rejected else [0] * len(columns)
    total = [p + max(c, r) for p, c, r in zip(prompt, chosen, rejected, strict=True)]
    notes = {at: f"{n:,} tokens" for at, n in enumerate(total) if n > looking.max_tokens}
    longest = max(total, default=0)
    return rows_with(list(notes), len(columns), notes, f"limit {looking.max_tokens:,}; the longest has {longest:,}")


def leaked(columns: Columns, looking: Looking) -> Found:
    """Find rows that a gate set knows."""
    known = looking.leaks or {}
    notes = {at: known[name] for at, name in enumerate(columns.ids) if name in known}
    return rows_with(list(notes), len(columns), notes)


def _triples(ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
    """Return how many word triples each two texts share, and how many each of them has."""
    import numpy as np

    both = shingle_sets([*ours, *theirs])
    first = np.arange(len(ours))
    sizes = both.sizes().tolist()
    return n_shared(both, first, first + len(ours)).tolist(), sizes[: len(ours)], sizes[len(ours) :]


def _tokens(texts: Sequence[str], looking: Looking) -> Sequence[int]:
    return (looking.count or approximate_tokens)(texts)


def _sides(columns: Columns, at: int) -> tuple[str, ...]:
    return (columns.chosen[at], columns.rejected[at]) if columns.rejected else (columns.chosen[at],)


def _cut(text: str) -> str:
    """Return why a text is surely cut, or an empty string."""
    if text.count("```") % 2:
        return "a code block is not closed"
    end = text.rstrip()[-40:]
    line = text.rstrip().rpartition("\n")[2]
    listed = LISTED.match(line)
    if CODE.search(line[-120:]):
        return ""
    if (CUT.search(end) or (CUT_SIGNS.search(end) and not listed)) and len(text.split()) >= 8:
        return f"ends with “{end[-20:]}”"
    return ""


def _without_end(text: str) -> bool:
    stripped = text.rstrip()
    if not stripped or ENDS.search(stripped[-80:]) or not SENTENCE.search(stripped):
        return False
    return not LISTED.match(stripped.rpartition("\n")[2]) and len(stripped.split()) >= LONG_ENOUGH
