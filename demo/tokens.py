"""The tokenizer of the demo models: one token a word, and the same token wherever the word stands.

A model this small answers by copying. Ordinary byte-level BPE writes a word in up to three ways (after a space, at
the start of the answer, after a quotation mark), and each is another token to learn. Here the single space between
two words is dropped, so ``40 MB`` is the same two tokens in a passage, in ``{"answer": "40 MB"}`` and alone. Pieces
that go on inside a word carry a mark; the decoder therefore knows where a word begins and puts the spaces back.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

MARK = "\u2581"
INSIDE = "\u2582"
SPECIAL = ("<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
WORD = "A-Za-z0-9"

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
<|assistant|>{% generation %}{{ message['content'] }}<|end|>{% endgeneration %}
{%- else -%}
<|{{ message['role'] }}|>{{ message['content'] }}<|end|>
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
"""


def train_tokenizer(texts: Iterable[str], words: Iterable[str], size: int) -> Tokenizer:
    """Train on texts; ``words`` are repeated until each is worth one token of its own."""
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix=INSIDE))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(rf"(?<=[{WORD}]) (?=[{WORD}])"), "removed"),
            pre_tokenizers.Split(Regex(rf"[{WORD}]+(?:[,.:][0-9]+)*"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace(Regex(rf"^(?=[{WORD}])"), MARK),
            decoders.Replace(Regex(f"^{INSIDE}"), ""),
            decoders.ByteLevel(),
            decoders.Replace(Regex(rf"(?<=[{WORD}]){MARK}"), " "),
            decoders.Replace(MARK, ""),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        continuing_subword_prefix=INSIDE,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    corpus = [*texts, *_every_byte(), *(word for word in sorted(set(words)) for _ in range(20))]
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def _every_byte() -> list[str]:
    """Return texts in which each byte stands once inside a piece, so that no text can lose a character."""
    inside_words = [f"a{letter}" for letter in map(chr, range(48, 123)) if letter.isalnum()]
    between_words = "".join(chr(code) for code in range(128) if not chr(code).isalnum())
    two_bytes = "".join(map(chr, range(0x80, 0x800, 3)))
    longer = "".join(map(chr, [*range(0x800, 0xD000, 0x400), 0xE000, 0xFFFD, *range(0x10000, 0x110000, 0x8000)]))
    return [*inside_words, between_words, two_bytes, longer]


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the files that ``AutoTokenizer`` reads, with the chat template that marks assistant turns for TRL."""
    from transformers import PreTrainedTokenizerFast

    wrap: Any = PreTrainedTokenizerFast
    folder.mkdir(parents=True, exist_ok=True)
    fast = wrap(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        additional_special_tokens=["<|system|>", "<|user|>", "<|assistant|>"],
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
