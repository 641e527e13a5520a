"""Proofs by simulation: worlds whose truth is known, and how often the statistics are right about them.

`python -m tests.statistics.proofs` runs them in full and writes the tables of docs/statistics.md.
"""
