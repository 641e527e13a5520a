"""What the demo models are taught, batch by batch: chats as token ids with a mask of what is to be learnt."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demo.articles import read_articles
from demo.judging import graded_practice, judge_chat, judge_reply, read_rubric
from demo.language import stated
from demo.practice import CAPITALS, NUMBERS, TIMES, Words, practice_chat, words_with
from demo.tokens import SPECIAL, WORD
from demo.training import Batch, padded

VERDICT = 3  # pass or fail is the third token from the end of a reply: verdict, closing, end of turn
Row = tuple[list[int], list[int]]
WORDS = re.compile(rf"[{WORD}]+(?:[,.:][0-9]+)*")


@dataclass(frozen=True)
class Lessons:
    """Draws training rows: the tokenizer, the words to draw from, and the random numbers."""

    tokenizer: Any
    words: Words
    rng: random.Random
    rows: int = 32

    def base(self, progress: float) -> Iterator[Batch]:
        """Yield batches for the base model: repeated random tokens first, then one, two and three passages."""
        share = 0.6 if progress < 0.04 else 0.15 if progress < 0.3 else 0.0
        while True:
            if self.rng.random() < share:
                yield padded([self._repeated() for _ in range(self.rows)], 0)
                continue
            passages = 1 if progress < 0.06 else self.rng.choice((1, 2) if progress < 0.12 else (2, 3, 3))
            yield padded([self._practice(passages) for _ in range(self.rows)], 0)

    def judge(self, progress: float) -> Iterator[Batch]:
        """Yield batches for the judge: at first many replies alone and prompts without passages, at last whole ones."""
        rubric = read_rubric()
        while True:
            if self.rng.random() < 0.6 - 0.5 * progress:
                yield padded([self._verdicts() for _ in range(self.rows // 2)], 0)
                continue
            brief = progress < 0.5 and self.rng.random() < 1 - progress
            graded = [graded_practice(self.rng, self.words, brief) for _ in range(self.rows // 2)]
            rows = [self.encode(judge_chat(each, rubric)) for each in graded]
            share = 0.25 if progress < 0.6 else 1.0  # only at the end do the copied words weigh in full
            yield padded([(ids, self._mostly_verdict(mask, share)) for ids, mask in rows], 0)

    def encode(self, chat: list[dict[str, str]], aside: float = 0.0) -> Row:
        """Return ids and mask of a chat: answers are learnt, and a share ``aside`` of later questions.

        A later question repeats words of the passages, so guessing it is practice in copying; the passages are random.
        """
        ids: list[int] = []
        mask: list[int] = []
        texts = self.tokenizer([turn["content"] for turn in chat], add_special_tokens=False)["input_ids"]
        for number, (turn, tokens) in enumerate(zip(chat, texts, strict=True)):
            learnt = turn["role"] == "assistant"
            share = aside if turn["role"] == "user" and number > 1 else 0.0
            ids += [SPECIAL.index(f"<|{turn['role']}|>"), *tokens, SPECIAL.index("<|end|>")]
            mask += [0, *(int(learnt or self.rng.random() < share) for _ in range(len(tokens) + 1))]
        return ids, mask

    def _verdicts(self) -> Row:
        """Return eight replies without their prompts, of which only the verdicts are learnt.

        Eight comparisons at the price of one prompt: copying is learnt soon, comparing is what takes long.
        """
        graded = [graded_practice(self.rng, self.words, brief=True) for _ in range(8)]
        rows = [self.encode([{"role": "assistant", "content": judge_reply(each)}]) for each in graded]
        ids = [token for tokens, _ in rows for token in tokens]
        mask = [int(place == len(tokens) - VERDICT) for tokens, _ in rows for place in range(len(tokens))]
        return ids, mask

    def _mostly_verdict(self, mask: list[int], share: float) -> list[int]:
        """Keep the verdict and a share of the copied words, so that the verdict weighs more."""
        return [
            keep and int(place >= len(mask) - VERDICT or self.rng.random() < share) for place, keep in enumerate(mask)
        ]

    def _practice(self, passages: int) -> Row:
        turns = 1 if self.rng.random() < 0.2 else 4
        return self.encode(practice_chat(self.rng, self.words, passages, turns), aside=0.3)

    def _repeated(self) -> Row:
        """Return a random sequence, three times over: what comes next is found by looking back."""
        length = self.rng.randint(8, 24)
        sequence = [self.rng.randrange(len(SPECIAL), len(self.tokenizer)) for _ in range(length)]
        return sequence * 3, [0] * length + [1] * (2 * length)


def all_words() -> Words:
    """Return the practice words together with those of the articles' subjects."""
    facts = [fact for article in read_articles() for part in article.parts for fact in part.facts]
    return words_with(sorted({word for fact in facts for word in re.findall(r"[A-Za-z]+", fact.key)}))


def tokenizer_texts(words: Words, seed: int) -> tuple[list[str], list[str]]:
    """Return texts for the tokenizer, and the words that are worth a token of their own."""
    rng, rubric = random.Random(seed), read_rubric()
    texts = [turn["content"] for _ in range(1500) for turn in practice_chat(rng, words, 3, 4)]
    texts += [turn["content"] for _ in range(300) for turn in judge_chat(graded_practice(rng, words), rubric)]
    parts = [part for article in read_articles() for part in article.parts]
    articles = [part.text for part in parts] + [
        stated(fact, i) for part in parts for fact in part.facts for i in (0, 1)
    ]
    texts += articles * 20
    nonce = re.compile(r"data-[0-9a-f]{12}")
    texts = [nonce.sub("data-", text) for text in texts]
    known = [word for text in texts if len(text) < 4000 for word in WORDS.findall(text) if not word.isupper()]
    capitals = [word.capitalize() for word in words.nouns]
    return texts, [*known, *words.any, *CAPITALS, *NUMBERS, *TIMES, *capitals]
