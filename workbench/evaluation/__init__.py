"""Evaluate: ask, score, journal, compact, sum up. Each step reads what the one before it saved.

`engine` asks the model and runs the scorers, writing the journal · `compact` turns a complete journal into tables ·
`summary` reads the tables into an `EvalRun` · `report` puts an `EvalRun` into words.
"""
