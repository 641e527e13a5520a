"""Run all proofs and write their tables: `python -m tests.statistics.proofs [--draws 2000] [--seed 20261122]`."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.statistics.proofs import at_limit, coverage, enlarging, gates, judges, report

PAGE = Path(__file__).parents[3] / "docs" / "statistics.md"


def main() -> int:
    """Run everything; 0 when every promise holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000, help="samples drawn for each interval's coverage")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--page", type=Path, default=PAGE, help="the Markdown file whose tables are replaced")
    args = parser.parse_args()
    started = time.monotonic()
    measured = {}
    for cell in coverage.cells():
        share = measured[cell] = coverage.coverage(cell, args.draws, args.seed)
        _say(f"{cell.name():52} {100 * share:5.1f} %  {'' if cell.holds(share) else 'BROKEN'}")
    counts = {}
    for setting in gates.SETTINGS:
        for family in gates.FAMILIES:
            given = counts[setting, family] = gates.verdicts(setting, family, gates.GATES, args.seed)
            _say(f"{setting.name}: {family.name}: {dict(given)}")
    limits = {}
    for world in at_limit.WORLDS:
        shares = limits[world] = at_limit.at_limit(world, gates.GATES, args.seed)
        _say(f"{world.name}; {world.n}: {shares}")
    teams = {}
    for world in enlarging.WORLDS:
        greens = teams[world] = enlarging.enlarged(world, enlarging.TEAMS, args.seed)
        _say(f"enlarging, {world.name}: {greens}")
    wider, coins = judges.wider(args.draws, args.seed), judges.refused(args.draws, args.seed, 0.0)
    good = judges.refused(args.draws, args.seed, 0.6)
    _say(report.judges_line(args.draws, wider, coins, good))
    missing = gates.missing_scores(gates.MISSING_TRIALS, args.seed)
    _say(report.missing_line(missing))
    stamp = f"Made on {datetime.now(UTC):%Y-%m-%d} with seed {args.seed}, {args.draws:,} draws a cell"
    report.write(
        args.page,
        f"{stamp}, in {(time.monotonic() - started) / 60:.0f} minutes on one core.\n\n"
        f"**Coverage of 95 % intervals, in percent** (promised: 93.5 to 96.5)\n\n{report.coverage_table(measured)}\n\n"
        f"**Exact coverage of a proportion at a fixed true rate, in percent**\n\n{report.exact_table()}\n\n"
        f"{report.judges_line(args.draws, wider, coins, good)}\n\n"
        f"**{gates.GATES} gates a family**\n\n{report.gate_table(counts)}\n\n{report.missing_line(missing)}\n\n"
        f"**{gates.GATES} gates over a model exactly at its limit** (promised: at most 28 pass)\n\n"
        f"{report.limit_table(limits)}\n\n{report.search_line(limits)}\n\n"
        f"**{enlarging.TEAMS} teams that enlarge an evalset until a model at its limit passes** (promised: at most 28 "
        f"pass)\n\n{report.enlarging_table(teams)}",
    )
    broken = [cell.name() for cell, share in measured.items() if not cell.holds(share)]
    broken += [f"{s.name}: {f.name}" for (s, f), c in counts.items() if not f.holds(c[f.counted], gates.GATES)]
    broken += [f"{world.name}; {world.n}" for world, shares in limits.items() if not shares.holds(world, gates.GATES)]
    broken += [f"enlarging, {world.name}" for world, greens in teams.items() if not greens.holds(enlarging.TEAMS)]
    broken += ["missing scores"] if missing.false_greens else []
    broken += ["judges"] if wider or coins < 0.95 * args.draws or good else []
    _say(f"{len(broken)} promises broken: {', '.join(broken)}" if broken else "every promise holds")
    return 1 if broken else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


sys.exit(main())
