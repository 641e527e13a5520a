"""The proofs' results as Markdown tables, written between two marks of docs/statistics.md."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.statistics.proofs.at_limit import Shares
from tests.statistics.proofs.coverage import SIZES, Cell, exact_coverage
from tests.statistics.proofs.deceptions import World
from tests.statistics.proofs.enlarging import SIZES as ENLARGED
from tests.statistics.proofs.enlarging import TEAMS, Greens
from tests.statistics.proofs.gates import FAMILIES, GATES, SETTINGS, Family, MissingCount, Setting, planned

BEGIN, END = "<!-- proofs: begin, written by `make proofs` -->", "<!-- proofs: end -->"
SHOWN_RATES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


def coverage_table(measured: dict[Cell, float]) -> str:
    """Return one line a method, world and kind of families, one column a size."""
    lines = [
        "| interval | scores | families | " + " | ".join(f"n = {n:,}" for n in SIZES) + " |",
        "|---|---|---|" + "---:|" * len(SIZES),
    ]
    rows: dict[tuple[str, str, str], dict[int, str]] = {}
    for cell, share in measured.items():
        mark = {"within": "", "above": " (wide)", "below": " (narrow)"}[cell.expected]
        shown = f"{100 * share:.1f}{mark}" if cell.holds(share) else f"**{100 * share:.1f} broken**"
        rows.setdefault((cell.method, cell.world, cell.families), {})[cell.n] = shown
    for key, by_size in rows.items():
        lines.append("| " + " | ".join(key) + " | " + " | ".join(by_size[n] for n in SIZES) + " |")
    return "\n".join(lines)


def exact_table() -> str:
    """Return the exact coverage of the two intervals of a proportion at fixed true rates."""
    lines = ["| interval | true rate | " + " | ".join(f"n = {n:,}" for n in SIZES) + " |", "|---|---:|" + "---:|" * 4]
    for method in ("wilson", "jeffreys"):
        for p in SHOWN_RATES:
            shares = " | ".join(f"{100 * exact_coverage(method, p, n):.1f}" for n in SIZES)
            lines.append(f"| {method} | {p:g} | {shares} |")
    return "\n".join(lines)


def gate_table(counts: dict[tuple[Setting, Family], Counter[str]]) -> str:
    """Return one line a family of gates with its verdicts and what was promised."""
    lines = [
        "| family | samples | n planned | pass | inconclusive | fail | promised | |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    for family in FAMILIES:
        limit = f"at most {family.at_most}" if family.at_most is not None else f"at least {family.at_least}"
        for setting in SETTINGS:
            c = counts[setting, family]
            ok = "held" if family.holds(c[family.counted], GATES) else "**broken**"
            numbers = f"{planned(setting):,} | {c['pass']} | {c['inconclusive']} | {c['fail']}"
            lines.append(f"| {family.name} | {setting.name} | {numbers} | {limit} {family.counted} | {ok} |")
    return "\n".join(lines)


def limit_table(measured: dict[World, Shares]) -> str:
    """Return one line a world that is shown: how many of 400 gates pass and fail a model exactly at its limit."""
    lines = [
        "| rule and truth | samples, families | pass | fail | textbook's bound passes | |",
        "|---|---|---:|---:|---:|---|",
    ]
    for world, shares in measured.items():
        if world.shown:
            ok = "held" if shares.holds(world, GATES) else "**broken**"
            counts = " | ".join(f"{GATES * share:.0f}" for share in (shares.passes, shares.fails, shares.naive))
            lines.append(f"| {world.name} | {world.n} | {counts} | {ok if world.promised else 'not promised'} |")
    return "\n".join(lines)


def search_line(measured: dict[World, Shares]) -> str:
    """Return how the whole search for bad worlds came out, in two sentences."""
    kept = {world: shares for world, shares in measured.items() if world.promised}
    worst, harsh = (max(kept, key=lambda w: getattr(kept[w], what)) for what in ("passes", "fails"))
    return (
        f"Of all {len(kept)} worlds that were tried, the most passes are {GATES * kept[worst].passes:.0f} of {GATES} "
        f"({worst.name}; {worst.n}), where the textbook's bound passes up to "
        f"{GATES * max(shares.naive for shares in kept.values()):.0f}. The most fails of a model at its limit are "
        f"{GATES * kept[harsh].fails:.0f} ({harsh.name}; {harsh.n})."
    )


def enlarging_table(measured: dict[World, Greens]) -> str:
    """Return one line a world: how many of 400 teams pass a bad model in the end, by how they enlarge its evalset."""
    first, second, last = ENLARGED[0], ENLARGED[1], ENLARGED[-1]
    lines = [
        f"| truth | one look, n = {first} | then n = {second}, and no more | then n = {last:,}, and no more "
        f"| each step to {last:,} as a first look | |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for world, greens in measured.items():
        counts = f"{greens.once} | {greens.in_steps} | {greens.at_once} | {greens.unlimited}"
        lines.append(f"| {world.name} | {counts} | {'held' if greens.holds(TEAMS) else '**broken**'} |")
    return "\n".join(lines)


def judges_line(draws: int, wider: int, coins: int, good: int) -> str:
    """Return what the judges' simulations gave, in one sentence."""
    return (
        f"Judges: of {draws:,} draws with 5 to 200 labels the prediction is wider than the labels alone in {wider}; of "
        f"{draws:,} judges without knowledge (J = 0, 100 labels of each kind) {coins} are refused, of as many with "
        f"J = 0.6 {good}."
    )


def missing_line(count: MissingCount) -> str:
    """Return what the missing-score family gave, in one sentence."""
    return (
        f"Missing scores: {count.trials} trials, {count.false_greens} false passes; a gate that drops missing scores "
        f"and judges the rest passes {count.naive_greens} of the same {count.trials}."
    )


def write(path: Path, text: str) -> None:
    """Replace what stands between the marks of a Markdown file."""
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{path} lacks the lines {BEGIN!r} and {END!r} between which the tables belong")
    path.write_text(f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}", encoding="utf-8")
