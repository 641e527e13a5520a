"""Near-duplicates among many short texts: the exact engine beside rensa's MinHash-LSH alone, each a process of its own.

The truth is counted with Python's sets: of every planted copy against its original and the other copies, and of every
pair that either side finds. Texts of words drawn by lot share nothing else.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from benchmarks.figures import Figure, Goal, ratios
from benchmarks.process import take
from benchmarks.project import text, vocabulary
from benchmarks.setting import Setting

NAME = "duplicates"
WORDS = 80
"""Words of a text, on average."""
PLANTED = 0.2
"""Share of the texts that are edited copies of others."""
THRESHOLD = 0.7
PERMUTATIONS, BANDS = 128, 32
"""Of rensa: 32 bands of 4 rows meet a pair of Jaccard 0.7 in 99.98 of 100 cases; the estimate from 128 decides."""
Pairs = set[tuple[int, int]]


def duplicates(setting: Setting) -> list[Figure]:
    """Measure texts a second, recall, precision and peak memory on both sides."""
    file = setting.folder / "texts.json"
    texts, families = planted(setting.sizes.texts)
    file.write_text(json.dumps(texts))
    truth = {pair for family in families for pair in combinations(sorted(family), 2) if alike(texts, pair)}
    seconds: dict[str, list[float]] = {"exact": [], "rensa": []}
    cpu: dict[str, list[float]] = {"exact": [], "rensa": []}
    memory: dict[str, list[float]] = {"exact": [], "rensa": []}
    found: dict[str, Pairs] = {}
    for number in setting.each_round():
        for side in seconds:
            out = setting.folder / f"{side}.json"
            took = take([sys.executable, "-m", "benchmarks.duplicates", side, str(file), str(out)], setting.log())
            told = json.loads(out.read_text())
            seconds[side].append(told["seconds"])
            cpu[side].append(told["cpu"])
            memory[side].append(took.peak_mb)
            found[side] = {(a, b) for a, b in told["pairs"]}
            setting.say(f"round {number}: {side} {told['seconds']:.1f} s")
    n = len(texts)
    goals = {"exact": (Goal(">=", 20_000), Goal(">=", 0.99), Goal(">=", 0.999)), "rensa": (None, None, None)}
    figures = []
    for side, (speed, recall, precision) in goals.items():
        share = len(truth & found[side]) / len(truth)
        right = sum(pair in truth or alike(texts, pair) for pair in found[side])
        figures += [
            Figure(NAME, f"{side}: {n:,} texts, a second", "1/s", tuple(n / s for s in seconds[side]), speed),
            Figure(NAME, f"{side}: recall of {len(truth):,} pairs", "", (share,), recall),
            Figure(NAME, f"{side}: {n:,} texts, a second of CPU", "1/s", tuple(n / s for s in cpu[side])),
            Figure(NAME, f"{side}: precision", "", (right / max(1, len(found[side])),), precision),
            Figure(NAME, f"{side}: peak memory", "MB", tuple(memory[side])),
        ]
    return [*figures, Figure(NAME, "exact: speed, × rensa's", "×", ratios(seconds["rensa"], seconds["exact"]))]


def planted(n: int) -> tuple[list[str], list[set[int]]]:
    """Return n texts, and by original the places of it and its copies."""
    draw = random.Random(20261123)
    words = vocabulary(draw)
    originals = int(n * (1 - PLANTED))
    made = [(text(draw, words, draw.randint(WORDS // 2, WORDS * 3 // 2)), i) for i in range(originals)]
    while len(made) < n:
        original, family = made[draw.randrange(originals)]
        made.append((edited(draw, original.split(), words), family))
    draw.shuffle(made)
    families: dict[int, set[int]] = {}
    for place, (_, family) in enumerate(made):
        families.setdefault(family, set()).add(place)
    return [one for one, _ in made], [some for some in families.values() if len(some) > 1]


def edited(draw: random.Random, words: list[str], others: list[str]) -> str:
    """Return a copy in which up to a tenth of the words are replaced, left out or put in."""
    words = list(words)
    for _ in range(draw.randint(0, len(words) // 10)):
        place = draw.randrange(len(words))
        words[place : place + draw.randint(0, 1)] = draw.choices(others, k=draw.randint(0, 1))
    return " ".join(words)


def alike(texts: list[str], pair: tuple[int, int]) -> bool:
    """Return whether the word triples of two texts have a Jaccard similarity of at least `THRESHOLD`."""
    first, second = (set(triples(texts[place])) for place in pair)
    return len(first & second) >= THRESHOLD * len(first | second) - 1e-12


def triples(words: str) -> list[str]:
    """Return a text's word triples."""
    split = words.split()
    return [" ".join(split[i : i + 3]) for i in range(len(split) - 2)]


def exact_pairs(texts: list[str]) -> Pairs:
    """Return what this project finds; of equal texts every pair, as rensa tells them."""
    from workbench.curation.near_duplicates import near_duplicates
    from workbench.curation.shingles import shingle_sets

    found = near_duplicates(shingle_sets(texts, 3), THRESHOLD)
    same: dict[int, list[int]] = {}
    for place, first in enumerate(found.same.tolist()):
        same.setdefault(first, []).append(place)
    pairs = {pair for places in same.values() for pair in combinations(places, 2)}
    for a, b in zip(found.first.tolist(), found.second.tolist(), strict=True):
        pairs |= {(min(x, y), max(x, y)) for x in same[a] for y in same[b]}
    return pairs


def rensa_pairs(texts: list[str]) -> Pairs:
    """Return what rensa alone finds: MinHash, LSH, and the estimated similarity as the judge."""
    from rensa import RMinHash, RMinHashLSH

    hashes = RMinHash.from_token_sets([triples(one) for one in texts], PERMUTATIONS, 42)
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
    index.insert_many(hashes)
    met = ((a, b) for a, others in enumerate(index.query_all(hashes)) for b in others if a < b)
    return {(a, b) for a, b in met if hashes[a].jaccard(hashes[b]) >= THRESHOLD}


def _main(side: str, file: Path, out: Path) -> None:
    texts = json.loads(file.read_text())
    began, cpu = time.perf_counter(), time.process_time()
    pairs: Iterator[tuple[int, int]] = iter((exact_pairs if side == "exact" else rensa_pairs)(texts))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    out.write_text(json.dumps({"seconds": seconds, "cpu": cpu, "pairs": list(pairs)}))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
