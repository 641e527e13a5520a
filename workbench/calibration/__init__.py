"""Judges against people: how often a judge errs, where, and what that does to the numbers it gives."""
