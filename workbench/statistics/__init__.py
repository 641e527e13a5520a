"""Statistics that a release may rest on: intervals, paired comparison, power, decisions: docs/statistics.md."""
